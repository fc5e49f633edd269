"""What is measured, one coroutine each; every one gives rows of the table.

The floor runs right before and right after the bot, and the mean of both counts, so that a machine that slows
down in between does not look like a slow bot. Goals are goals, not gates.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.floors import rows_in
from tests.bench.load import Connection, Load, closed_loop, open_loop
from tests.bench.processes import (
    HOST,
    WEBHOOK_SECRET,
    Server,
    World,
    bot,
    floor,
    migrate,
    open_incidents,
    python,
    world,
)
from tests.bench.requests import UNKNOWN, slash, webhook, webhooks

SECONDS = 4.0  # of load per server
MANY = 32  # connections
FASTEST = 6000  # requests per second nobody exceeds here: how many are prepared
STORM_RATE = 500.0
STORM_SECONDS = 8.0
CHANNEL, USER = "C0CHECK", "U0CAROL"
UNHURRIED = {
    "PACE_CHANNEL_PER_SECOND": "1000",
    "PACE_CHANNEL_BURST": "1000",
    "PACE_POSTS_PER_MINUTE": "60000",
    "PACE_UPDATES_PER_MINUTE": "60000",
}


@dataclass(frozen=True)
class Row:
    """One line of the table: what the floor did, what the bot did, the ratio and what it should be."""

    what: str
    floor: str
    bot: str
    ratio: float
    goal: str
    met: bool


@dataclass(frozen=True)
class Bench:
    """Where a measurement works: a folder of its own, and databases by their kind. `minutes`: how long the
    one that can be long takes.
    """

    folder: Path
    databases: Callable[[], dict[str, str]]
    minutes: float = 1 / 3


Measure = Callable[[Bench], AsyncIterator[Row]]


def at_least(what: str, floor: float, ours: float, goal: float, unit: str = "/s") -> Row:
    """More is better."""
    ratio = ours / floor
    return Row(what, f"{floor:,.0f}{unit}", f"{ours:,.0f}{unit}", ratio, f"≥ {goal:.2f}", ratio >= goal)


def at_most(what: str, floor: float, ours: float, goal: float) -> Row:
    """Less is better; seconds, shown in milliseconds."""
    ratio = ours / floor
    told = f"{floor * 1000:,.1f} ms", f"{ours * 1000:,.1f} ms"
    return Row(what, *told, ratio, f"≤ {goal:.1f}", ratio <= goal)


async def around(
    under_floor: Callable[[], Awaitable[float]], under_bot: Callable[[], Awaitable[float]]
) -> tuple[float, float]:
    """The floor's mean of before and after, and the bot's figure."""
    before = await under_floor()
    ours = await under_bot()
    return (before + await under_floor()) / 2, ours


@asynccontextmanager
async def open_bot(bench: Bench, url: str, **settings: str) -> AsyncIterator[tuple[Server, World]]:
    """The world, and the bot in it."""
    await migrate(bench.folder, url)
    async with world(bench.folder) as around_it, bot(bench.folder, around_it, url, **settings) as server:
        yield server, around_it


async def follow(server: Server, around_it: World, words: str, *, channel: str = CHANNEL) -> None:
    """Let a channel follow something, by the command a person would type."""
    request = slash(
        around_it.signing_secret, words, channel=channel, user=USER, response_url=around_it.sink_url
    )
    connection = await Connection.open(HOST, server.port)
    status = await connection.ask(request)
    connection.close()
    if status != 200:
        raise RuntimeError(f"{words!r} was answered {status}")
    await asyncio.sleep(1)  # the answer comes later: nothing here says when it is done


# ---------------------------------------------------------------------------------------- (a) durable intake


async def intake(bench: Bench) -> AsyncIterator[Row]:
    """Webhooks at 32 connections, committed before 202, against a handler that only verifies and parses."""
    for kind, url in bench.databases().items():

        async def bare() -> float:
            async with floor("webhook", bench.folder, WEBHOOK_SECRET) as server:
                return (await _webhooks(server, UNKNOWN)).rate

        async def ours(url: str = url) -> float:
            async with open_bot(bench, url) as (server, around_it):
                return (await _webhooks(server, await open_incidents(around_it, 500))).rate

        yield at_least(f"intake, {MANY} connections, {kind}", *await around(bare, ours), 0.30)


async def _webhooks(server: Server, idents: Sequence[str]) -> Load:
    warm = webhooks(WEBHOOK_SECRET, 200, UNKNOWN)
    requests = webhooks(WEBHOOK_SECRET, int(FASTEST * SECONDS), idents)
    await closed_loop(HOST, server.port, warm, connections=MANY, seconds=SECONDS)
    load = await closed_loop(HOST, server.port, requests, connections=MANY, seconds=SECONDS)
    return load.expect(202)


# -------------------------------------------------------------------------------------------------- (b) storm


async def storm(bench: Bench) -> AsyncIterator[Row]:
    """p99 at 500 webhooks a second with delivery running, against verify, parse and commit at that rate."""
    for kind, url in bench.databases().items():

        async def bare(url: str = url) -> float:
            async with floor("webhook-commit", bench.folder, WEBHOOK_SECRET, url) as server:
                return (await _storm(server, UNKNOWN)).percentile(0.99)

        async def ours(url: str = url) -> float:
            async with open_bot(bench, url) as (server, around_it):
                await follow(server, around_it, "subscribe all")
                return (await _storm(server, await open_incidents(around_it, 250))).percentile(0.99)

        yield at_most(f"p99 at {STORM_RATE:.0f} webhooks/s, {kind}", *await around(bare, ours), 2.5)


async def _storm(server: Server, idents: Sequence[str]) -> Load:
    warm = webhooks(WEBHOOK_SECRET, 200, UNKNOWN)
    requests = webhooks(WEBHOOK_SECRET, int(STORM_RATE * STORM_SECONDS), idents)
    await open_loop(HOST, server.port, warm, rate=STORM_RATE, connections=64)
    load = await open_loop(HOST, server.port, requests, rate=STORM_RATE, connections=64)
    return load.expect(202)


# ---------------------------------------------------------------------------------------------- (c) commands


async def commands(bench: Bench) -> AsyncIterator[Row]:
    """The ack of a slash command with all real listeners: a read (`help`), and an act (`ack`)."""
    url = bench.databases()["SQLite"]
    async with open_bot(bench, url) as (server, around_it):
        for words, kind in (("help", "slack"), ("ack", "slack-commit")):
            for connections in (1, MANY):

                async def asked(
                    server: Server, words: str = words, connections: int = connections, seconds: float = 2.0
                ) -> float:
                    prepared = int(seconds * (1500 if connections == 1 else 3000))
                    requests = [
                        slash(
                            around_it.signing_secret,
                            words,
                            channel="C0SEARCH",
                            user=USER,
                            response_url=around_it.sink_url,
                        )
                        for _ in range(prepared)
                    ]
                    load = await closed_loop(
                        HOST, server.port, requests, connections=connections, seconds=seconds
                    )
                    return load.expect(200).rate

                async def bare(kind: str = kind, asked: Callable[..., Awaitable[float]] = asked) -> float:
                    async with floor(kind, bench.folder, around_it.signing_secret, url) as under:
                        return await asked(under)

                async def ours(asked: Callable[..., Awaitable[float]] = asked) -> float:
                    await asked(server, seconds=0.2)
                    return await asked(server)

                plural = "connection" if connections == 1 else "connections"
                name = "a read" if words == "help" else "an act"
                figures = await around(bare, ours)
                yield at_least(f"ack of {name}, {connections} {plural}", *figures, 0.40)


# ----------------------------------------------------------------------------------------------- (d) to Slack

PAGES = 20
APART = 0.4  # seconds: what one incident still needs is over when the next one comes


async def to_slack(bench: Bench) -> AsyncIterator[Row]:
    """From 202 to the call that posts the incident, against one bare commit."""
    for kind, url in bench.databases().items():
        commit = await _commit(url)
        async with open_bot(bench, url, **UNHURRIED) as (server, around_it):
            await follow(server, around_it, "subscribe all")
            answered = await _pages(server, await open_incidents(around_it, PAGES))
            posts = await _posts(around_it, set(answered))
        waits = [posts[ident] - at for ident, at in answered.items() if ident in posts]
        if len(waits) < PAGES:
            raise RuntimeError(f"only {len(waits)} of {PAGES} incidents were posted")
        yield at_most(f"202 → Slack call p50, {kind}", commit, statistics.median(waits), 2.5)


async def _commit(url: str) -> float:
    """The median of a bare commit, in seconds."""
    rows, took = rows_in(url), []
    await rows.open()
    try:
        for number in range(200):
            began = time.perf_counter()
            await rows.save(f"commit {began} {number}", "x" * 2800)
            took.append(time.perf_counter() - began)
    finally:
        await rows.close()
    return statistics.median(took)


async def _pages(server: Server, idents: Sequence[str]) -> dict[str, float]:
    """Incident to when its webhook was answered (UTC epoch seconds); one after the other, in peace."""
    connection = await Connection.open(HOST, server.port)
    answered = {}
    for number, ident in enumerate(idents):
        if await connection.ask(webhook(WEBHOOK_SECRET, ident, number)) != 202:
            raise RuntimeError("a webhook was refused")
        answered[ident] = time.time()
        await asyncio.sleep(APART)
    connection.close()
    return answered


async def _posts(around_it: World, wanted: set[str]) -> dict[str, float]:
    """Incident to when Slack was called to post it."""
    control = around_it.slack_url.removesuffix("api/") + "control/journal"
    posts: dict[str, float] = {}
    deadline = time.monotonic() + 10
    async with aiohttp.ClientSession() as session:
        while wanted - posts.keys() and time.monotonic() < deadline:
            async with session.post(control, json={}) as answer:
                exchanges: list[dict[str, Any]] = (await answer.json())["exchanges"]
            for one in exchanges:
                if one["api_method"] == "chat.postMessage":
                    metadata = (one["body"] or {}).get("metadata") or {}
                    ident = (metadata.get("event_payload") or {}).get("incident")
                    if ident in wanted:
                        posts.setdefault(ident, datetime.fromisoformat(one["at"]).timestamp())
            await asyncio.sleep(0.2)
    return posts


# ------------------------------------------------------------------------------------- (e), (f) start, memory

IMPORTS = "import bot.cli.main, commands"


async def start(bench: Bench) -> AsyncIterator[Row]:
    """From nothing to ready, against importing the same modules; and what it holds when idle."""
    url = bench.databases()["SQLite"]
    await migrate(bench.folder, url)
    imports, starts = [], []
    async with world(bench.folder) as around_it:
        for _ in range(4):
            began = time.perf_counter()
            async with python("-c", IMPORTS, folder=bench.folder) as process:
                await process.wait()
            imports.append(time.perf_counter() - began)
            began = time.perf_counter()
            async with bot(bench.folder, around_it, url):
                starts.append(time.perf_counter() - began)
        # The first of each only warms the disk's cache.
        yield at_most("start", statistics.median(imports[1:]), statistics.median(starts[1:]), 1.6)
        async with bot(bench.folder, around_it, url) as server:
            await asyncio.sleep(5)
            megabytes = server.megabytes()
    yield Row("idle memory", "110 MB", f"{megabytes:.0f} MB", megabytes / 110, "≤ 1.0", megabytes <= 110)


MEASURES: dict[str, Measure] = {
    "intake": intake,
    "storm": storm,
    "commands": commands,
    "to-slack": to_slack,
    "start": start,
}
