"""Hints between loops and between replicas: "there may be something new to deliver, to re-read".

A hint may be lost and costs only a poll period then: every loop asks its question of the database anyway. In
this process an asyncio.Event; between replicas PostgreSQL's LISTEN/NOTIFY on a connection of its own.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any, Literal

import asyncpg
import structlog

from bot.store.database import Database
from bot.store.engines import COMMAND_SECONDS, CONNECT_SECONDS

Topic = Literal["delivery", "stale", "workspaces", "lists"]
TOPICS: tuple[Topic, ...] = ("delivery", "stale", "workspaces", "lists")

CHANNEL = "pagerline"
PROBE_SECONDS = 30.0  # a listening connection that is quiet is asked whether it lives
LONGEST_PAUSE = 10.0  # seconds between attempts to reconnect

log = structlog.get_logger(__name__)


class Wake:
    """Give hints with `notify`, sleep with `wait`. One loop waits for one topic."""

    def __init__(self, database: Database) -> None:
        self._dsn = database.driver_dsn if database.dialect == "postgresql" else None
        self._hints = {topic: asyncio.Event() for topic in TOPICS}
        self._outgoing: set[Topic] = set()
        self._to_send = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Hear the other replicas from now on (PostgreSQL)."""
        if self._dsn is not None and self._task is None:
            self._task = asyncio.create_task(self._stay_connected(self._dsn), name="wake")

    async def close(self) -> None:
        """Hear nobody any more. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def notify(self, topic: Topic) -> None:
        """There may be something new. Never waits, never fails."""
        self._hints[topic].set()
        if self._task is not None:
            self._outgoing.add(topic)
            self._to_send.set()

    async def wait(self, timeout: float, topic: Topic) -> bool:
        """Returns True at a hint given since the last call, else False after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._hints[topic].wait()
        except TimeoutError:
            return False
        self._hints[topic].clear()
        return True

    async def _stay_connected(self, dsn: str) -> None:
        failures = 0
        while True:
            try:
                connection = await asyncpg.connect(
                    dsn, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS
                )
                if failures:
                    log.info("wake_connected_again")
                    failures = 0
                await self._exchange(connection)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not failures:
                    log.warning("wake_disconnected", error=type(error).__name__)
                failures += 1
            await asyncio.sleep(random.uniform(0.1, min(LONGEST_PAUSE, 0.2 * 2 ** min(failures, 10))))

    async def _exchange(self, connection: Any) -> None:
        connection.add_termination_listener(lambda _: self._to_send.set())
        try:
            await connection.add_listener(CHANNEL, self._hear)
            # What others said while we were away is lost.
            for hint in self._hints.values():
                hint.set()
            while not connection.is_closed():
                await self._send(connection)
        finally:
            connection.terminate()

    async def _send(self, connection: Any) -> None:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._to_send.wait()
        except TimeoutError:
            await connection.execute("SELECT 1")
            return
        self._to_send.clear()
        topics, self._outgoing = self._outgoing, set()
        for topic in topics:
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, topic)

    def _hear(self, connection: Any, pid: int, channel: str, topic: str) -> None:
        hint = self._hints.get(topic)  # type: ignore[call-overload]  # a newer replica may know more topics
        if hint is not None and pid != connection.get_server_pid():
            hint.set()
