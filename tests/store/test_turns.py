"""Turns: what is committed before a call to Slack, and what is written down after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from bot.model import Status
from bot.store.database import Database
from bot.store.outcomes import LONGEST_AFTER_OUTAGE_SECONDS, LONGEST_PAUSE_SECONDS
from bot.store.pace import PaceLimits
from bot.store.rows import IN_DOUBT
from bot.store.tables import messages
from bot.store.turns import Act, NotNow, Turn
from tests.store.replica import LEASE, SETTLED, Replica, a_turn
from tests.store.seeding import (
    CHECKOUT,
    SEARCH,
    Seed,
    StillDatabase,
    a_line,
    acknowledged,
    an_incident,
    opened,
    resolved,
)


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


async def test_a_post_is_committed_before_it_is_made(us: Replica, seed: Seed) -> None:
    await seed.incident(an_incident())
    row = await seed.message()
    turn = await us.posting()
    assert turn.act is Act.POST
    assert turn.incident.title == "Disk full"
    assert (await seed.row(row)).posting_since is not None


async def test_a_post_that_stands_is_remembered_with_what_it_shows(us: Replica, seed: Seed) -> None:
    await seed.incident(an_incident())
    row = await seed.message()
    turn = await us.posting()
    await seed.incident(acknowledged(an_incident()))  # meanwhile
    assert await us.outcomes.posted(turn, "1.1", looks="red", mentioned=True)
    found = await seed.row(row)
    assert (found.ts, found.posting_since, found.mentioned) == ("1.1", None, True)
    assert await seed.shown(row) == (1, "red")  # what was rendered, not the newest
    assert (await us.message()).id == row


async def test_one_channel_has_one_writer(us: Replica, them: Replica, seed: Seed) -> None:
    await seed.incident(an_incident("Q1"))
    await seed.incident(an_incident("Q2"))
    await seed.message("Q1", CHECKOUT)
    await seed.message("Q2", CHECKOUT)
    await seed.message("Q2", SEARCH)
    due = await us.messages.due(SETTLED)
    here = [one.message for one in due if one.message.channel == CHECKOUT]
    first = a_turn(await us.turns.begin_post(here[0]))
    second = await them.turns.begin_post(here[1])
    assert isinstance(second, NotNow)
    assert not second.by_pace
    a_turn(await them.turns.begin_post(await them.message(SEARCH)))
    await us.outcomes.posted(first, "1.1", looks="red")
    a_turn(await them.turns.begin_post(here[1]))


async def test_of_many_that_begin_at_once_one_posts(us: Replica, them: Replica, seed: Seed) -> None:
    await seed.incident(an_incident())
    await seed.message()
    message = await us.message()
    begun = await asyncio.gather(*(one.turns.begin_post(message) for one in (us, them) * 4))
    assert len([one for one in begun if isinstance(one, Turn)]) == 1


async def test_what_was_done_meanwhile_is_not_done_again(us: Replica, them: Replica, seed: Seed) -> None:
    await seed.incident(an_incident())
    await seed.message()
    message = await us.message()
    await us.outcomes.posted(await us.posting(), "1.1", looks="red")
    assert await them.turns.begin_post(message) is None
    assert await them.turns.begin_update(message) is None
    assert await them.turns.begin_look_up(message) is None


async def test_the_pace_is_paid_with_the_turn(database: Database, seed: Seed) -> None:
    us = Replica(database, limits=PaceLimits(channel_burst=1))
    await seed.incident(an_incident("Q1"))
    await seed.incident(an_incident("Q2"))
    await seed.message("Q1")
    row = await seed.message("Q2")
    await us.outcomes.posted(await us.posting(), "1.1", looks="red")
    refused = await us.turns.begin_post(await us.message())
    assert isinstance(refused, NotNow)
    assert refused.by_pace
    assert 0 < refused.seconds <= 1.0
    assert (await seed.row(row)).posting_since is None
    database.clock_offset += 1.01
    await us.posting()  # the channel was not left leased either


async def test_nothing_was_done(us: Replica, seed: Seed, database: Database) -> None:
    await seed.incident(an_incident())
    row = await seed.message()
    await us.outcomes.failed(await us.posting())
    assert (await seed.row(row)).posting_since is None
    assert await us.messages.due(SETTLED) == []  # a pause first
    database.clock_offset += 2
    await us.outcomes.failed(await us.posting())
    assert (await seed.row(row)).tries == 2
    database.clock_offset += 10
    await us.outcomes.failed(await us.posting(), pause=False)
    assert len(await us.messages.due(SETTLED)) == 1


async def test_it_may_have_been_done(us: Replica, seed: Seed, database: Database) -> None:
    await seed.incident(an_incident())
    row = await seed.message()
    await us.outcomes.unknown(await us.posting())
    assert (await seed.row(row)).posting_since is not None
    assert await us.messages.due(SETTLED) == []
    database.clock_offset += SETTLED
    look = a_turn(await us.turns.begin_look_up(await us.message()))
    await us.outcomes.looked_up(look, "1.1", mentioned=True)
    found = await seed.row(row)
    assert (found.ts, found.posting_since, found.mentioned) == ("1.1", None, True)
    assert await seed.shown(row) is None  # what it shows is not known
    a_turn(await us.turns.begin_update(await us.message()))


async def test_it_was_not_done_after_all(us: Replica, seed: Seed, database: Database) -> None:
    await seed.incident(an_incident())
    row = await seed.message()
    await us.outcomes.unknown(await us.posting())
    database.clock_offset += SETTLED
    look = a_turn(await us.turns.begin_look_up(await us.message()))
    await us.outcomes.looked_up(look, None)
    assert (await seed.row(row)).posting_since is None
    await us.posting()


async def test_what_was_posted_again_is_looked_for_once_more(
    us: Replica, seed: Seed, database: Database
) -> None:
    """The first one may stand by then: held up for longer than anything should be."""
    await seed.incident(an_incident())
    row = await seed.message()
    await us.outcomes.unknown(await us.posting())
    database.clock_offset += SETTLED
    await us.outcomes.looked_up(a_turn(await us.turns.begin_look_up(await us.message())), None)
    await us.outcomes.posted(await us.posting(), "1.2", looks="red")
    assert await us.messages.due(SETTLED) == []
    database.clock_offset += SETTLED
    await us.outcomes.looked_up(a_turn(await us.turns.begin_look_up(await us.message())), "1.2")
    assert (await seed.row(row)).ts == "1.2"
    database.clock_offset += SETTLED
    assert await us.messages.due(SETTLED) == []


async def test_an_extra_that_stays_is_looked_for_again(us: Replica, seed: Seed, database: Database) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=1, posting_ago=60)
    look = a_turn(await us.turns.begin_look_up(await us.message()))
    await us.outcomes.looked_up(look, "1.1", extras_left=True)
    assert (await seed.row(row)).posting_since is not None
    database.clock_offset += 5
    look = a_turn(await us.turns.begin_look_up(await us.message()))
    await us.outcomes.looked_up(look, "1.1")
    assert await us.messages.due(SETTLED) == []


class TestFrozenPastItsLease:
    async def test_an_edit_is_made_again(
        self, us: Replica, them: Replica, seed: Seed, database: Database
    ) -> None:
        await seed.incident(an_incident())
        row = await seed.message(ts="1.1")
        turn = a_turn(await us.turns.begin_update(await us.message()))
        database.clock_offset += LEASE + 1
        await seed.incident(acknowledged(an_incident()))
        theirs = a_turn(await them.turns.begin_update(await them.message()))
        await them.outcomes.updated(theirs, "yellow")
        await us.outcomes.updated(turn, "red")
        assert await seed.shown(row) is None
        again = a_turn(await us.turns.begin_update(await us.message()))
        await us.outcomes.updated(again, "yellow")
        assert await seed.shown(row) == (2, "yellow")

    async def test_a_post_that_another_one_made_too_is_an_extra(
        self, us: Replica, them: Replica, seed: Seed, database: Database
    ) -> None:
        await seed.incident(an_incident())
        row = await seed.message()
        turn = await us.posting()
        database.clock_offset += SETTLED + 1
        look = a_turn(await them.turns.begin_look_up(await them.message()))
        await them.outcomes.looked_up(look, None)  # our request had not left yet
        await them.outcomes.posted(await them.posting(), "1.2", looks="red")
        assert not await us.outcomes.posted(turn, "1.1", looks="red")
        found = await seed.row(row)
        assert found.ts == "1.2"
        assert found.posting_since is not None  # until the extra is certainly gone
        assert await seed.shown(row) == (1, "red")

    async def test_the_first_to_return_gives_the_row_its_message(
        self, us: Replica, them: Replica, seed: Seed, database: Database
    ) -> None:
        await seed.incident(an_incident())
        row = await seed.message()
        turn = await us.posting()
        database.clock_offset += SETTLED + 1
        look = a_turn(await them.turns.begin_look_up(await them.message()))
        await them.outcomes.looked_up(look, None)
        theirs = await them.posting()
        assert await us.outcomes.posted(turn, "1.1", looks="red")
        found = await seed.row(row)
        assert found.ts == "1.1"
        assert found.posting_since is not None  # theirs is under way
        assert await seed.shown(row) is None
        assert not await them.outcomes.posted(theirs, "1.2", looks="red")

    async def test_what_was_given_up_meanwhile_and_stands_after_all_is_kept_true(
        self, us: Replica, them: Replica, seed: Seed, database: Database
    ) -> None:
        await seed.incident(an_incident())
        row = await seed.message()
        turn = await us.posting()
        database.clock_offset += SETTLED + 1
        look = a_turn(await them.turns.begin_look_up(await them.message()))
        await them.outcomes.looked_up(look, None)
        await seed.incident(resolved(an_incident()))
        async with database.write() as connection:  # a storm's end, or a channel that was mended
            given_up = update(messages).where(messages.c.id == row).values(gone=database.now_sql())
            await connection.execute(given_up)
        assert await them.messages.due(SETTLED) == []
        assert await us.outcomes.posted(turn, "1.1", looks="red")
        assert isinstance(await us.turns.begin_update(await us.message()), Turn)

    async def test_its_failure_leaves_the_others_post_alone(
        self, us: Replica, them: Replica, seed: Seed, database: Database
    ) -> None:
        await seed.incident(an_incident())
        row = await seed.message()
        turn = await us.posting()
        database.clock_offset += SETTLED + 1
        look = a_turn(await them.turns.begin_look_up(await them.message()))
        await them.outcomes.looked_up(look, None)
        await them.posting()
        await us.outcomes.failed(turn)
        assert (await seed.row(row)).posting_since is not None


async def test_an_edit_without_an_answer_is_made_again(us: Replica, seed: Seed, database: Database) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=0)
    turn = a_turn(await us.turns.begin_update(await us.message()))
    await us.outcomes.unknown(turn)
    assert await seed.shown(row) == (0, IN_DOUBT)
    database.clock_offset += 2
    a_turn(await us.turns.begin_update(await us.message()))


async def test_however_long_slack_was_away_an_edit_is_made_soon_after(
    us: Replica, seed: Seed, database: Database
) -> None:
    await seed.incident(an_incident())
    await seed.message(ts="1.1", shown_revision=0)
    for _ in range(7):
        (due,) = await us.messages.due(SETTLED)
        await us.outcomes.unknown(a_turn(await us.turns.begin_update(due.message)))
        database.clock_offset += LONGEST_AFTER_OUTAGE_SECONDS
    assert len(await us.messages.due(SETTLED)) == 1


async def test_an_edit_that_slack_refuses_is_tried_rarely(
    us: Replica, seed: Seed, database: Database
) -> None:
    await seed.incident(an_incident())
    await seed.message(ts="1.1", shown_revision=0)
    for _ in range(7):
        (due,) = await us.messages.due(SETTLED)
        await us.outcomes.failed(a_turn(await us.turns.begin_update(due.message)))
        database.clock_offset += LONGEST_PAUSE_SECONDS
    database.clock_offset -= LONGEST_PAUSE_SECONDS - LONGEST_AFTER_OUTAGE_SECONDS
    assert await us.messages.due(SETTLED) == []


async def test_deleted_in_slack_and_posted_again_once(us: Replica, seed: Seed) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1")
    turn = a_turn(await us.turns.begin_update(await us.message()))
    await us.outcomes.gone(turn)
    found = await seed.row(row)
    assert found.ts is None
    assert found.gone is not None
    await us.outcomes.posted(await us.posting(), "1.2", looks="red")
    found = await seed.row(row)
    assert (found.ts, found.gone, found.reposts) == ("1.2", None, 1)


@pytest.mark.parametrize("refused", [False, True], ids=["not posted again", "refused when posted again"])
async def test_deleted_in_slack_and_resolved_since_it_was_asked_about(
    us: Replica, seed: Seed, *, refused: bool
) -> None:
    await seed.incident(an_incident())
    await seed.message(ts="1.1")
    await us.outcomes.gone(a_turn(await us.turns.begin_update(await us.message())))
    if refused:
        await us.outcomes.failed(await us.posting(), pause=False)
    deleted = await us.message()
    assert (deleted.gone is None, deleted.reposts) == (refused, int(refused))
    await seed.incident(an_incident(status=Status.RESOLVED))
    assert await us.turns.begin_post(deleted) is None


async def test_lines_are_begun_and_ended_alike(us: Replica, seed: Seed, database: Database) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=1)
    first = await seed.line(row, a_line())
    second = await seed.line(row, a_line("escalated"))
    line = await us.line()
    turn = a_turn(await us.turns.begin_line(line))
    assert turn.line == line
    assert turn.message.ts == "1.1"
    await us.outcomes.unknown(turn)
    assert await us.turns.begin_line(line) is None
    database.clock_offset += SETTLED
    look = a_turn(await us.turns.begin_line_look_up(await us.line()))
    await us.outcomes.looked_up(look, "2.1")
    assert (await seed.line_row(row, first)).ts == "2.1"
    assert await seed.shown(row) == (1, "looks")

    turn = a_turn(await us.turns.begin_line(await us.line()))
    assert await us.outcomes.posted(turn, "2.2")
    assert (await seed.line_row(row, second)).ts == "2.2"
    assert await seed.shown(row) == (1, "looks")
    assert await us.messages.due_lines(SETTLED) == []


async def test_a_line_with_nothing_to_say_is_dropped(us: Replica, seed: Seed) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=1)
    event = await seed.line(row, a_line())
    await us.outcomes.dropped(a_turn(await us.turns.begin_line(await us.line())))
    assert (await seed.line_row(row, event)).dropped
    assert await us.messages.due_lines(SETTLED) == []


async def test_a_late_mention_is_noted_before_it_is_made(us: Replica, seed: Seed) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=1)
    (uncalled,) = await us.messages.uncalled()
    turn = a_turn(await us.turns.begin_call(uncalled.message))
    assert (await seed.row(row)).mentioned
    assert await us.messages.uncalled() == []
    await us.outcomes.failed(turn, pause=False)
    assert len(await us.messages.uncalled()) == 1
    await us.outcomes.called(a_turn(await us.turns.begin_call(uncalled.message)))
    assert await us.turns.begin_call(uncalled.message) is None
