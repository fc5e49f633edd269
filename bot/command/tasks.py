"""Work that outlives the request that began it: kept by name, and waited for at shutdown.

Slack is answered before the work is done (bot/inbound/slack.py), and asyncio forgets a task nobody holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger("pagerline.command")


class Stopping(Exception):
    """The bot is shutting down and takes nothing new."""


class TrackedTasks:
    """Starts coroutines, holds them until they end, and logs what nobody else would hear of."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._closing = False

    def __len__(self) -> int:
        return len(self._running)

    @property
    def is_closing(self) -> bool:
        """`finish` has begun: nothing new is taken."""
        return self._closing

    def check_open(self) -> None:
        """Raises Stopping once `finish` has begun."""
        if self._closing:
            raise Stopping

    def start(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Run it now. After `finish` has begun nothing new is taken: Stopping."""
        if self._closing:
            work.close()
            raise Stopping
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", task=task.get_name(), exc_info=error)

    async def settle(self) -> None:
        """Until nothing runs any more; for tests."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def finish(self, seconds: float) -> int:
        """Wait for what runs, at most `seconds`; then cancel the rest. Returns how many were cancelled: what
        they were about is still an intent.
        """
        self._closing = True
        if not self._running:
            return 0
        _, late = await asyncio.wait(set(self._running), timeout=max(0.0, seconds))
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=5)
        return len(late)
