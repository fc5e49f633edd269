"""An edit without an answer may be carried out by Slack on top of the next one: bot/store/looks.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.delivery.reconcile import Update, next_call
from bot.store.database import Database
from bot.store.rows import SETTLING
from bot.store.turns import Turn
from tests.store.replica import LEASE, SETTLED, Replica, a_turn
from tests.store.seeding import Seed, StillDatabase, acknowledged, an_incident, opened


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, StillDatabase) as database:
        yield database


@pytest.fixture
def seed(database: Database) -> Seed:
    return Seed(database)


@pytest.fixture
def us(database: Database) -> Replica:
    return Replica(database)


@pytest.fixture
def them(database: Database) -> Replica:
    return Replica(database, "them")


@pytest.fixture
async def row(us: Replica, seed: Seed, database: Database) -> int:
    """A message whose edit got no answer, and was made again."""
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=0)
    await us.outcomes.unknown(a_turn(await us.turns.begin_update(await us.message())))
    database.clock_offset += 2
    await us.outcomes.updated(await edit(us), "red")
    assert await seed.shown(row) == (1, SETTLING)
    return row


async def edit(us: Replica) -> Turn:
    (due,) = await us.messages.due(SETTLED)
    settled_after = timedelta(seconds=SETTLED)
    call = next_call(due.message, due.standing, due.shown, now=due.asked_at, settled_after=settled_after)
    assert isinstance(call, Update)
    return a_turn(await us.turns.begin_update(due.message, settled=call.settled))


async def test_it_is_made_once_more_when_nothing_can_land_any_more(
    us: Replica, seed: Seed, database: Database, row: int
) -> None:
    database.clock_offset += SETTLED - 1
    assert await us.messages.due(SETTLED) == []
    database.clock_offset += 1
    assert (await us.messages.backlog()).count == 0  # it is not known to be untrue
    turn = await edit(us)
    assert turn.shown_hash != "red"  # so it is sent though it looks the same
    await us.outcomes.updated(turn, "red")
    assert await seed.shown(row) == (1, "red")
    assert await us.messages.due(SETTLED) == []


async def test_news_are_not_kept_waiting(us: Replica, seed: Seed, database: Database, row: int) -> None:
    await seed.incident(acknowledged(an_incident()))
    await us.outcomes.updated(await edit(us), "yellow")
    assert await seed.shown(row) == (2, SETTLING)
    database.clock_offset += SETTLED
    await us.outcomes.updated(await edit(us), "yellow")
    assert await seed.shown(row) == (2, "yellow")


async def test_news_that_come_when_it_has_settled_are_enough(
    us: Replica, seed: Seed, database: Database, row: int
) -> None:
    database.clock_offset += SETTLED
    await seed.incident(acknowledged(an_incident()))
    await us.outcomes.updated(await edit(us), "yellow")
    assert await seed.shown(row) == (2, "yellow")


async def test_one_replica_is_enough(us: Replica, them: Replica, database: Database, row: int) -> None:
    database.clock_offset += SETTLED
    (due,) = await them.messages.due(SETTLED)
    assert due.shown is not None
    await us.outcomes.updated(await edit(us), "red")
    assert await them.turns.begin_update(due.message, settled=due.shown.at) is None


async def test_killed_before_it_was_made_it_is_made_by_the_next(
    us: Replica, them: Replica, database: Database, row: int
) -> None:
    database.clock_offset += SETTLED
    await edit(us)
    database.clock_offset += LEASE + 1
    await edit(them)


async def test_what_slack_did_not_do_leaves_it_as_it_was(
    us: Replica, seed: Seed, database: Database, row: int
) -> None:
    database.clock_offset += SETTLED
    await us.outcomes.failed(await edit(us), pause=False)
    assert await seed.shown(row) == (1, SETTLING)
    await us.outcomes.updated(await edit(us), "red")
    assert await seed.shown(row) == (1, "red")


async def test_an_edit_that_was_not_made_leaves_no_doubt(us: Replica, seed: Seed) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=0)
    await us.outcomes.failed(a_turn(await us.turns.begin_update(await us.message())), pause=False)
    assert await seed.shown(row) == (0, "looks")
    await us.outcomes.updated(a_turn(await us.turns.begin_update(await us.message())), "red")
    assert await seed.shown(row) == (1, "red")


async def test_an_edit_that_may_still_be_made_is_written_over_in_the_end(
    us: Replica, them: Replica, seed: Seed, database: Database
) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=0)
    await us.turns.begin_update(await us.message())  # and never came back
    database.clock_offset += LEASE + 1
    await them.outcomes.updated(a_turn(await them.turns.begin_update(await them.message())), "red")
    assert await seed.shown(row) == (1, SETTLING)
