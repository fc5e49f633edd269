"""Calls by identity and hour: added up over replicas, measured against the week before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import insert

from bot.model import SlackUser
from bot.store.people import Match, People
from bot.store.people_tables import usage
from bot.store.usage import Hour, Usage
from tests.store.seeding import NOON, StillDatabase, opened

ALICE = "T0ACME:U0ALICE"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[StillDatabase]:
    async with opened(database_url, StillDatabase) as still:
        assert isinstance(still, StillDatabase)
        yield still


async def test_what_replicas_add_is_one_sum(database: StillDatabase) -> None:
    here = Usage(database)
    counted = {"account": (10, 1), ALICE: (2, 0)}
    await asyncio.gather(*(here.add(counted) for _ in range(5)))
    database.clock_offset = 1800
    await here.add({"account": (1, 0)})
    assert await here.lately(calls=0, refused=0) == [
        Hour(ALICE, NOON, 10, 0),
        Hour("account", NOON, 51, 5),
    ]


async def test_the_present_and_the_last_hour_are_looked_at_where_they_are_large(
    database: StillDatabase,
) -> None:
    here = Usage(database)
    await here.add({ALICE: (9, 0), "account": (500, 3)})
    database.clock_offset = 3600
    await here.add({ALICE: (30, 0), "account": (5, 0)})
    found = await here.lately(calls=20, refused=3)
    assert [(one.identity, one.began_at, one.calls) for one in found] == [
        ("account", NOON, 500),
        (ALICE, NOON + timedelta(hours=1), 30),
    ]
    database.clock_offset = 3 * 3600
    assert await here.lately(calls=20, refused=3) == []


async def test_the_week_before_is_its_own_and_seven_days_long(database: StillDatabase) -> None:
    rows = [
        {"identity": name, "hour": NOON - timedelta(hours=hours), "calls": calls, "refused": 0}
        for name, hours, calls in [(ALICE, 0, 99), (ALICE, 1, 1), (ALICE, 168, 2), (ALICE, 169, 3)]
    ]
    async with database.write() as connection:
        await connection.execute(insert(usage), [*rows, {**rows[1], "identity": "account"}])
    assert sorted(await Usage(database).week_before(Hour(ALICE, NOON, 99, 0))) == [1, 2]


async def test_an_identity_has_a_persons_name_where_we_know_it(database: StillDatabase) -> None:
    here = Usage(database)
    assert await here.name_of(ALICE) is None
    await People(database).remember(Match(SlackUser("T0ACME", "U0ALICE"), "PALICE1", "Alice Anderson"))
    assert await here.name_of(ALICE) == "Alice Anderson"
    assert await here.name_of("T0OTHER:U0ALICE") is None
