"""Webhooks at a storm's rate for minutes while the bot delivers: what is lost, what grows, what stalls.

Twenty seconds in `make bench`; `python -m tests.bench endurance --minutes 10` is the long form. The floor
commits one row per webhook at the same rate, before the bot and after it, each for a tenth of the time.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import statistics
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg

from tests.bench.load import ANSWER_SECONDS, Load, open_loop
from tests.bench.measures import Bench, Row, at_most, follow, open_bot
from tests.bench.processes import HOST, WEBHOOK_SECRET, Server, floor, open_incidents
from tests.bench.requests import UNKNOWN, webhook, webhooks

RATE = 500.0  # webhooks per second
INCIDENTS = 250
CONNECTIONS = 64
FLOOR_SECONDS = 8.0  # at least
WARM = 200
MARKS = (1 / 3, 2 / 3)  # of the run: between them memory may grow; of ten minutes' 300,000 every 100,000th
MOST_GROWTH = 2.0  # MB
AROUND_A_MARK = 4  # looks at the memory on either side: it moves up and down by itself
LOOK_SECONDS = 0.5
WAL_BOUND = {
    "SQLite": 64.0,
    "PostgreSQL": 1024.0,
}  # MB; PostgreSQL's own max_wal_size unless it is told another
WRITTEN = re.compile(r'^pagerline_slack_call_seconds_count\{method="chat\.[^}]*\} (\S+)$', re.MULTILINE)


class Watched:
    """A database seen from outside, while the bot uses it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None

    async def events(self) -> int:
        """Rows of the table of events."""
        return int(await self._value("SELECT count(*) FROM events"))

    async def wal_megabytes(self) -> float:
        """SQLite's -wal file; the whole cluster's pg_wal."""
        if self._path is not None:
            wal = Path(f"{self._path}-wal")
            return wal.stat().st_size / 2**20 if wal.exists() else 0.0
        return float(await self._value("SELECT sum(size) FROM pg_ls_waldir()")) / 2**20

    async def _value(self, query: str) -> float:
        if self._path is not None:
            with closing(sqlite3.connect(self._path)) as file:
                return float(file.execute(query).fetchone()[0])
        connection = await asyncpg.connect(self._url)
        try:
            return float(await connection.fetchval(query))
        finally:
            await connection.close()


@dataclass
class Looks:
    """What was seen beside the load: after how many answers, the bot's memory and the log's size (MB)."""

    answered: list[int] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    wal: list[float] = field(default_factory=list)

    def memory_at(self, answered: float) -> float:
        """The median of the looks around this many answers."""
        place = min(range(len(self.answered)), key=lambda one: abs(self.answered[one] - answered))
        return statistics.median(self.memory[max(0, place - AROUND_A_MARK) : place + AROUND_A_MARK + 1])


@dataclass(frozen=True)
class Run:
    """The bot under load."""

    load: Load
    looks: Looks
    lost: int
    delivered: int
    busy: float = 0.0  # load average of the machine at the end, this run's own included

    def growth(self) -> tuple[float, int, int]:
        """MB between two marks, and after how many webhooks these were."""
        first, second = (int(mark * len(self.load.latencies)) for mark in MARKS)
        return self.looks.memory_at(second) - self.looks.memory_at(first), first, second


async def endurance(bench: Bench) -> AsyncIterator[Row]:
    """See the module's docstring."""
    seconds = bench.minutes * 60
    for kind, url in bench.databases().items():
        before = await _floor(bench, url, seconds)
        run = await _bot(bench, url, seconds)
        after = await _floor(bench, url, seconds)
        bare = Load(latencies=before.latencies + after.latencies)
        for row in rows(kind, bare, run):
            yield row


def rows(kind: str, bare: Load, run: Run) -> Iterator[Row]:
    """What the run says, beside the floor's two."""
    sent = len(run.load.latencies)
    yield Row(f"lost of {sent:,}, {kind}", "0", f"{run.lost:,}", float(run.lost), "= 0", run.lost == 0)
    # PagerDuty would send them again; but whoever answers otherwise is not measured at this rate.
    refused = sent - run.load.statuses[202]
    yield Row(f"answered otherwise, {kind}", "0", f"{refused:,}", float(refused), "= 0", refused == 0)
    yield at_most(
        f"p99.9 at {RATE:.0f}/s, {kind}", bare.percentile(0.999), run.load.percentile(0.999), goal=3.0
    )
    worst, ours = max(bare.latencies), max(run.load.latencies)
    yield Row(
        f"the worst, {kind}",
        f"{worst * 1000:,.1f} ms",
        f"{ours * 1000:,.1f} ms",
        ours / worst,
        "named",
        met=True,
    )
    grown, first, second = run.growth()
    yield Row(
        f"memory {first:,} → {second:,}, {kind}",
        f"{MOST_GROWTH:.1f} MB",
        f"{grown:+.1f} MB",
        grown / MOST_GROWTH,
        "< 1.0",
        grown < MOST_GROWTH,
    )
    bound, wal = WAL_BOUND[kind], max(run.looks.wal)
    yield Row(
        f"write-ahead log, {kind}", f"{bound:,.0f} MB", f"{wal:,.1f} MB", wal / bound, "≤ 1.0", wal <= bound
    )
    # Not a goal: it says that there was delivery, at the pace Slack allows.
    per_minute = run.delivered / run.load.seconds * 60
    yield Row(
        f"Slack calls meanwhile, {kind}", "", f"{per_minute:,.0f}/min", 0.0, "named", met=run.delivered > 0
    )
    yield Row(f"load average at the end, {kind}", "", f"{run.busy:.1f}", 0.0, "named", met=True)


async def _floor(bench: Bench, url: str, seconds: float) -> Load:
    count = int(max(FLOOR_SECONDS, seconds / 10) * RATE)
    async with floor("webhook-commit", bench.folder, WEBHOOK_SECRET, url) as server:
        await _warm(server)
        load = await open_loop(
            HOST, server.port, deliveries(count, UNKNOWN), rate=RATE, connections=CONNECTIONS
        )
    return load.expect(202)


async def _bot(bench: Bench, url: str, seconds: float) -> Run:
    count = int(seconds * RATE)
    watched, load, looks = Watched(url), Load(), Looks()
    async with open_bot(bench, url) as (server, around_it):
        await follow(server, around_it, "subscribe all")
        idents = await open_incidents(around_it, INCIDENTS)
        await _warm(server)
        had = await watched.events()
        looking = asyncio.create_task(_look(server, watched, load, looks))
        try:
            await open_loop(
                HOST,
                server.port,
                deliveries(count, idents),
                rate=RATE,
                connections=CONNECTIONS,
                load=load,
                patience=ANSWER_SECONDS + seconds,
            )
        finally:
            looking.cancel()
        return Run(
            load=load,
            looks=looks,
            lost=load.statuses[202] - (await watched.events() - had),
            delivered=await _delivered(server),
            busy=os.getloadavg()[0],
        )


def deliveries(count: int, idents: Sequence[str]) -> Iterator[bytes]:
    """As `webhooks`, each made when it is its turn: hundreds of thousands would fill the memory."""
    several = len(idents)
    return (webhook(WEBHOOK_SECRET, idents[n % several], n % several, n // several) for n in range(count))


async def _warm(server: Server) -> None:
    await open_loop(
        HOST, server.port, webhooks(WEBHOOK_SECRET, WARM, UNKNOWN), rate=RATE, connections=CONNECTIONS
    )


async def _look(server: Server, watched: Watched, load: Load, looks: Looks) -> None:
    """Until cancelled."""
    while True:
        looks.answered.append(len(load.latencies))
        looks.memory.append(server.megabytes())
        looks.wal.append(await watched.wal_megabytes())
        await asyncio.sleep(LOOK_SECONDS)


async def _delivered(server: Server) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{HOST}:{server.port}/metrics") as answer,
    ):
        return int(sum(map(float, WRITTEN.findall(await answer.text()))))
