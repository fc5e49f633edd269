"""The long bench's own figures: what counts as lost, and where memory and the log are looked at."""

from __future__ import annotations

from collections import Counter

import pytest
from aiohttp import web

from bot.store.cursors import Cursor, Cursors
from tests.bench import floors
from tests.bench.endurance import Looks, Run, Watched, deliveries, rows
from tests.bench.load import Load, open_loop
from tests.bench.processes import HOST, WEBHOOK_SECRET
from tests.bench.requests import UNKNOWN
from tests.store.news import T0
from tests.store.seeding import opened


def a_run(*, lost: int = 0, growth: float = 0.5, wal: float = 4.0) -> Run:
    load = Load(seconds=20.0, latencies=[0.002] * 2_999 + [0.5], statuses=Counter({202: 3_000}))
    looks = Looks(
        answered=list(range(0, 3_001, 100)),
        memory=[100.0 + growth * place / 10 for place in range(31)],
        wal=[0.0, wal, 1.0],
    )
    return Run(load, looks, lost, delivered=100)


def test_the_rows() -> None:
    bare = Load(latencies=[0.001] * 999 + [0.1])
    lost, refused, slow, worst, memory, wal, calls, busy = rows("SQLite", bare, a_run())
    assert (lost.bot, lost.met, refused.met) == ("0", True, True)
    assert slow.what.startswith("p99.9")
    assert (worst.floor, worst.bot) == ("100.0 ms", "500.0 ms")
    assert (memory.what, memory.bot, memory.met) == ("memory 1,000 → 2,000, SQLite", "+0.5 MB", True)
    assert (wal.bot, wal.met) == ("4.0 MB", True)
    assert (calls.bot, busy.bot) == ("300/min", "0.0")


def test_what_is_lost_or_grows_is_not_met() -> None:
    bare = Load(latencies=[0.001] * 1_000)
    bad = a_run(lost=1, growth=2.5, wal=80.0)
    bad.load.statuses.update({202: -1, 503: 1})
    lost, refused, _, _, memory, wal, *_ = rows("SQLite", bare, bad)
    assert (lost.met, refused.met, memory.met, wal.met) == (False, False, False, False)


def test_one_look_that_stands_out_is_no_growth() -> None:
    looks = Looks(answered=list(range(20)), memory=[50.0] * 20)
    looks.memory[10] = 90.0
    assert looks.memory_at(10) == 50.0


async def test_a_database_is_looked_at_from_outside(database_url: str) -> None:
    async with opened(database_url) as database:
        await Cursors(database).put("something", Cursor(T0))
        watched = Watched(database_url)
        assert await watched.events() == 0
        assert await watched.wal_megabytes() > 0


async def test_deliveries_are_made_when_it_is_their_turn(sqlite_url: str) -> None:
    made = deliveries(10**9, UNKNOWN)
    assert next(made) != next(made)
    runner = web.AppRunner(floors.application("webhook-commit", WEBHOOK_SECRET, sqlite_url), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    load = Load()
    port = runner.addresses[0][1]
    try:
        await open_loop(HOST, port, deliveries(50, UNKNOWN), rate=1000, connections=4, load=load)
    finally:
        await runner.cleanup()
    assert load.statuses == {202: 50}


@pytest.mark.parametrize("answered", [0, 1500, 3000])
def test_a_mark_is_where_so_many_were_answered(answered: int) -> None:
    looks = a_run(growth=10.0).looks
    assert looks.memory_at(answered) == pytest.approx(100 + answered / 100, abs=3)
