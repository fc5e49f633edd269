"""A game day's incidents about which PagerDuty is taken for away: never for longer than two minutes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update

from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.pings import Pings
from bot.store.rehearsals import GAME_DAY, LONGEST, Rehearsals
from bot.store.tables import incidents, leases
from tests.store.seeding import StillDatabase, opened


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, StillDatabase) as database:
        yield database


async def test_it_begins_ends_and_is_about_these_alone(database: Database) -> None:
    rehearsals = Rehearsals(database)
    assert await rehearsals.current() == {}
    await rehearsals.begin(["Q1", "Q2"], 60)
    assert await rehearsals.current() == {"Q1": None, "Q2": None}
    await rehearsals.end()
    assert await rehearsals.current() == {}


async def test_it_ends_by_itself(database: Database) -> None:
    rehearsals = Rehearsals(database)
    await rehearsals.begin(["Q1"], 60)
    database.clock_offset += 59
    assert await rehearsals.current() == {"Q1": None}
    database.clock_offset += 2
    assert await rehearsals.current() == {}


async def test_whatever_is_asked_for_it_is_over_after_two_minutes(database: Database) -> None:
    rehearsals = Rehearsals(database)
    await rehearsals.begin(["Q1"], 3600)
    database.clock_offset += LONGEST + 1
    assert await rehearsals.current() == {}


async def test_a_row_that_claims_longer_is_not_believed(database: Database) -> None:
    rehearsals = Rehearsals(database)
    await rehearsals.begin(["Q1"], 60)
    async with database.write() as connection:
        await connection.execute(update(leases).values(until=database.now_sql(3600)))
    assert await rehearsals.current() == {}


async def test_begun_again_it_is_counted_anew(database: Database) -> None:
    rehearsals = Rehearsals(database)
    await rehearsals.begin(["Q1"], 60)
    database.clock_offset += 50
    await rehearsals.begin(["Q1"], 60)
    database.clock_offset += 50
    assert await rehearsals.current() == {"Q1": None}


async def test_what_is_known_is_doubted_once_and_its_number_told(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(incidents.insert().values(id="Q1", number=12))
        await connection.execute(incidents.insert().values(id="Q2", number=13))
    rehearsals = Rehearsals(database)
    await rehearsals.begin(["Q1"], 60)
    assert await rehearsals.current() == {"Q1": 12}
    for _ in range(2):
        await rehearsals.doubt(["Q1"])
    async with database.read() as connection:
        marks = await connection.execute(select(incidents.c.stale_seq).order_by(incidents.c.id))
        assert list(marks.scalars()) == [1, 0]


async def test_a_game_day_is_no_bot(database: Database) -> None:
    assert await Leases(database, "operator").take(GAME_DAY, 60) is not None
    await Rehearsals(database).begin(["Q1"], 60)
    assert not await Pings(database).bot_runs()
    assert await Leases(database, "bot").take("sweep", 60) is not None
    assert await Pings(database).bot_runs()
