"""The processes of a measurement: a server and the world on one side, the load generator (this one) on the
other. Each is stopped by its own pid when its block ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 30.0
WEBHOOK_SECRET = "0123456789abcdef" * 4
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # made up, for a database that is thrown away
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class World:
    """Where both fakes are, and what opens them."""

    slack_url: str
    bot_token: str
    signing_secret: str
    pagerduty_url: str
    api_key: str
    sink_url: str


@dataclass(frozen=True)
class Server:
    """A server that answers on `port`; `started` is how many seconds that took."""

    port: int
    pid: int
    started: float

    def megabytes(self) -> float:
        """Resident memory."""
        return float(psutil.Process(self.pid).memory_info().rss) / 2**20


def free_port() -> int:
    """A port of this machine nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Nothing of this machine's but where programs are."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}


@asynccontextmanager
async def python(
    *words: str, folder: Path, settings: Mapping[str, str] | None = None, keep_output: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python program; told to stop, then ended, when the block ends."""
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            cwd=folder,
            env=environment(settings or {}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if keep_output else log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


async def ready(process: asyncio.subprocess.Process, port: int, folder: Path) -> float:
    """Seconds until `/health/ready` says so. Raises RuntimeError with the log's end when it never does."""
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        while process.returncode is None and time.perf_counter() - began < START_SECONDS:
            try:
                async with session.get(f"http://{HOST}:{port}/health/ready") as answer:
                    if answer.status == 200:
                        return time.perf_counter() - began
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.005)
    raise RuntimeError(f"it did not start:\n{(folder / 'log').read_text(errors='replace')[-2000:]}")


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """The fakes, in a process of their own."""
    async with python("-m", "tests.bench.world", folder=folder, keep_output=True) as process:
        assert process.stdout is not None
        place = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        yield World(**json.loads(place))


async def open_incidents(around: World, count: int) -> list[str]:
    """Open so many in the fake PagerDuty; nobody is told by webhook. Their ids."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{around.pagerduty_url}/control/storm", json={"count": count}) as answer,
    ):
        answer.raise_for_status()
        return list((await answer.json())["result"])


@asynccontextmanager
async def floor(
    kind: str, folder: Path, secret: str, database_url: str | None = None
) -> AsyncIterator[Server]:
    """A bare handler of this kind (tests/bench/floors.py)."""
    port = free_port()
    words = ["-m", "tests.bench.floors", kind, str(port), secret]
    async with python(*words, *([database_url] if database_url else []), folder=folder) as process:
        yield Server(port, process.pid, await ready(process, port, folder))


@asynccontextmanager
async def bot(folder: Path, around: World, database_url: str, **settings: str) -> AsyncIterator[Server]:
    """The bot as it runs in production, at the fakes, on a migrated database."""
    port = free_port()
    whole = {
        "SLACK_BOT_TOKEN": around.bot_token,
        "SLACK_SIGNING_SECRET": around.signing_secret,
        "SLACK_API_URL": around.slack_url,
        "PAGERDUTY_API_KEY": around.api_key,
        "PAGERDUTY_API_URL": around.pagerduty_url,
        "PAGERDUTY_EVENTS_URL": around.pagerduty_url,
        "PAGERDUTY_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "ENCRYPTION_KEYS": KEY,
        "DATABASE_URL": database_url,
        "LOG_LEVEL": "ERROR",
        "PORT": str(port),
    } | settings
    async with python("-m", "bot", "run", folder=folder, settings=whole) as process:
        yield Server(port, process.pid, await ready(process, port, folder))


async def migrate(folder: Path, database_url: str) -> None:
    """Bring the database to the bot's schema."""
    async with python(
        "-m", "bot", "migrate", folder=folder, settings={"DATABASE_URL": database_url}
    ) as process:
        if await process.wait():
            raise RuntimeError(f"migrate failed:\n{(folder / 'log').read_text(errors='replace')[-2000:]}")
