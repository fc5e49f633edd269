"""Leases: one holder at a time, an end without anybody's help, and a fence that tells a late one so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from bot.store import tables
from bot.store.database import Database
from bot.store.leases import Leases
from tests.store.seeding import StillDatabase, opened
from tests.stories.waiting import until_async


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, StillDatabase) as database:
        yield database


async def test_one_holds_it_and_the_next_waits(database: Database) -> None:
    ours, theirs = Leases(database, "us"), Leases(database, "them")
    lease = await ours.take("channel:C1", 15)
    assert lease is not None
    assert await theirs.take("channel:C1", 15) is None
    assert await ours.take("channel:C1", 15) is None  # not even another task of the same process
    assert await theirs.take("channel:C2", 15) is not None

    ended = await ours.release(lease)
    assert ended.ours
    assert ended.held
    assert await theirs.take("channel:C1", 15) is not None


async def test_what_a_dead_process_left_behind_ends_by_itself(database: Database) -> None:
    dead, alive = Leases(database, "dead"), Leases(database, "alive")
    old = await dead.take("sweep", 15)
    database.clock_offset += 16
    new = await alive.take("sweep", 15)
    assert old is not None
    assert new is not None
    assert new.fence == old.fence + 1


async def test_a_late_holder_is_told(database: Database) -> None:
    frozen, other = Leases(database, "frozen"), Leases(database, "other")
    lease = await frozen.take("channel:C1", 15)
    assert lease is not None
    database.clock_offset += 16
    theirs = await other.take("channel:C1", 15)
    assert theirs is not None

    assert not await frozen.renew(lease, 15)
    ended = await frozen.release(lease)
    assert not ended.ours
    assert await frozen.take("channel:C1", 15) is None  # releasing what was lost takes nothing from the other


async def test_expired_but_taken_by_nobody_is_not_held(database: Database) -> None:
    leases = Leases(database, "us")
    lease = await leases.take("channel:C1", 15)
    assert lease is not None
    database.clock_offset += 16
    ended = await leases.release(lease)
    assert ended.ours
    assert not ended.held


async def test_renewing_holds_it_longer(database: Database) -> None:
    ours, theirs = Leases(database, "us"), Leases(database, "them")
    lease = await ours.take("sweep", 15)
    assert lease is not None
    database.clock_offset += 10
    assert await ours.renew(lease, 15)
    database.clock_offset += 10
    assert await theirs.take("sweep", 15) is None


async def test_what_is_held_for_a_block_is_renewed_until_its_end(database: Database) -> None:
    ours, theirs = Leases(database, "us"), Leases(database, "them")
    async with ours.held("sweep", 0.3) as lease:
        assert lease is not None
        for _ in range(3):
            database.clock_offset += 0.2
            await until_async(lambda: lasts(database, "sweep", 0.3), "it is not renewed")
            assert await theirs.take("sweep", 15) is None
        async with theirs.held("sweep", 15) as another:
            assert another is None
    assert await theirs.take("sweep", 15) is not None


async def lasts(database: Database, name: str, seconds: float) -> bool:
    """The lease has so many seconds left."""
    query = select(tables.leases.c.until - database.now_sql()).where(tables.leases.c.name == name)
    async with database.read() as connection:
        left = await connection.scalar(query)
    return left is not None and float(left) == pytest.approx(seconds, abs=0.01)


async def test_of_many_at_once_one_wins(database: Database) -> None:
    takers = [Leases(database, f"holder {n}") for n in range(8)]
    taken = await asyncio.gather(*(leases.take("channel:C1", 15) for leases in takers))
    assert len([lease for lease in taken if lease is not None]) == 1


async def test_a_lease_that_somebody_else_held_meanwhile_is_noticed(database: Database) -> None:
    noticed: list[str] = []
    first = Leases(database, "first", changed=noticed.append)
    second = Leases(database, "second")
    for leases in (first, first, second, first):
        lease = await leases.take("channel:T0ACME:C0CHECK", 10.0)
        assert lease is not None
        await leases.release(lease)
    assert noticed == ["channel"]
