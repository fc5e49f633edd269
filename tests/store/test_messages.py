"""The question: which message does not show what is true? And whose a pressed message is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import literal
from sqlalchemy.dialects import sqlite

from bot.model import Priority, Reference, Status, Urgency
from bot.store import question
from bot.store.database import Database
from bot.store.messages import Adoption, Messages
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

SETTLED = 20.0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, StillDatabase) as database:
        yield database


@pytest.fixture
def seed(database: Database) -> Seed:
    return Seed(database)


@pytest.fixture
def messages(database: Database) -> Messages:
    return Messages(database)


async def due_ids(messages: Messages) -> set[int]:
    return {candidate.message.id for candidate in await messages.due(SETTLED)}


async def test_a_wanted_message_is_due_and_tells_what_is_known(messages: Messages, seed: Seed) -> None:
    await seed.incident(an_incident(priority=Priority("PP1", "P1", 0)))
    row = await seed.message()
    (found,) = await messages.due(SETTLED)
    assert found.message.id == row
    assert found.message.channel == CHECKOUT
    assert found.standing.status is Status.TRIGGERED
    assert found.standing.rank == 0
    assert found.shown is None
    assert found.since <= found.asked_at


async def test_a_message_is_due_when_its_incident_is_ahead(messages: Messages, seed: Seed) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=1)
    assert await due_ids(messages) == set()
    await seed.incident(acknowledged(an_incident()))
    (found,) = await messages.due(SETTLED)
    assert found.message.id == row
    assert found.shown is not None
    assert (found.shown.revision, found.standing.revision) == (1, 2)


async def test_a_post_under_way_is_left_alone_until_its_outcome_can_be_known(
    messages: Messages, seed: Seed, database: Database
) -> None:
    await seed.incident(an_incident())
    row = await seed.message(posting_ago=1)
    assert await due_ids(messages) == set()
    database.clock_offset += SETTLED
    assert await due_ids(messages) == {row}


async def test_a_standing_message_with_an_open_question_is_due_for_both(
    messages: Messages, seed: Seed
) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=1, posting_ago=60)
    assert await due_ids(messages) == {row}


async def test_what_was_deleted_is_due_again_once_and_only_while_open(messages: Messages, seed: Seed) -> None:
    await seed.incident(an_incident("Q1"))
    await seed.incident(resolved(an_incident("Q2")))
    await seed.incident(an_incident("Q3"))
    now = seed.database.now_sql()
    again = await seed.message("Q1", gone=now)
    await seed.message("Q2", gone=now)
    await seed.message("Q3", gone=now, reposts=1)
    assert await due_ids(messages) == {again}


async def test_what_slack_did_not_take_again_is_due_only_while_open(messages: Messages, seed: Seed) -> None:
    await seed.incident(an_incident())
    row = await seed.message(reposts=1)
    await seed.line(row, a_line())
    assert await due_ids(messages) == {row}
    assert (await messages.backlog()).count == 2
    await seed.incident(resolved(an_incident()))
    assert await due_ids(messages) == set()
    assert (await messages.backlog()).count == 0
    await seed.incident(an_incident())  # reopened
    assert await due_ids(messages) == {row}


async def test_closed_channels_and_pauses_wait(messages: Messages, seed: Seed, database: Database) -> None:
    await seed.incident(an_incident())
    await seed.message(channel=CHECKOUT)
    paused = await seed.message(channel=SEARCH, next_try_at=database.now_sql(30))
    await seed.close(CHECKOUT)
    assert await due_ids(messages) == set()
    database.clock_offset += 31
    assert await due_ids(messages) == {paused}
    assert await messages.closed_channels() == [CHECKOUT]


async def test_news_alone_are_found_without_looking_at_everything(
    messages: Messages, seed: Seed, database: Database
) -> None:
    for number in range(4):
        await seed.incident(an_incident(f"Q{number}"))
    await seed.message("Q0", ts="1.0", shown_revision=0)  # behind for long
    posted_now = await seed.message("Q1")
    looked_up = await seed.message("Q2", ts="1.2", shown_revision=1, posting_ago=60)
    reset = await seed.message("Q3", ts="1.3", next_try_at=database.now_sql())
    database.clock_offset += 3600
    news = {one.message.id for one in await messages.due(SETTLED, news_only=True)}
    assert news == {posted_now, looked_up, reset}
    assert len(await due_ids(messages)) == 4
    await seed.incident(acknowledged(an_incident("Q0")))
    assert len(await messages.due(SETTLED, news_only=True)) == 4


async def test_an_incident_only_heard_of_makes_nobody_post(messages: Messages, seed: Seed) -> None:
    await seed.incident(an_incident())
    await seed.message()
    async with seed.database.write() as connection:
        await connection.exec_driver_sql("UPDATE incidents SET snapshot = NULL, status = NULL")
    assert await due_ids(messages) == set()


async def test_a_busy_channel_hides_no_other_and_shows_its_most_urgent(
    messages: Messages, seed: Seed
) -> None:
    for number in range(30):
        await seed.incident(an_incident(f"Q{number:02}", urgency=Urgency.LOW))
        await seed.message(f"Q{number:02}", CHECKOUT)
    await seed.incident(an_incident("QP1", priority=Priority("PP1", "P1", 0)))
    await seed.incident(an_incident("QOTHER"))
    worst = await seed.message("QP1", CHECKOUT)
    other = await seed.message("QOTHER", SEARCH)
    found = await messages.due(SETTLED, per_channel=5)
    assert len([one for one in found if one.message.channel == CHECKOUT]) == 5
    assert {worst, other} <= {one.message.id for one in found}


async def test_posts_that_wait_hide_no_edits(messages: Messages, seed: Seed) -> None:
    await seed.incident(an_incident("Q1"))
    await seed.message("Q1", CHECKOUT)
    await seed.incident(an_incident("Q2"))
    behind = await seed.message("Q2", CHECKOUT, ts="1.1")
    found = await messages.due(SETTLED, per_channel=1)
    assert behind in {one.message.id for one in found}
    assert len(found) == 2


async def test_lines_come_one_after_the_other(messages: Messages, seed: Seed) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=1)
    first = await seed.line(row, a_line("reopened", broadcast=True))
    second = await seed.line(row, a_line("escalated"))
    (line,) = await messages.due_lines(SETTLED)
    assert (line.event_id, line.thread_ts, line.story.broadcast) == (first, "1.1", True)
    async with seed.database.write() as connection:
        await connection.exec_driver_sql(f"UPDATE thread_lines SET ts = '2.1' WHERE event_id = {first}")
    (line,) = await messages.due_lines(SETTLED)
    assert line.event_id == second


async def test_however_many_lines_wait_each_message_has_one_that_is_next(
    messages: Messages, seed: Seed
) -> None:
    rows = []
    for number in range(3):
        await seed.incident(an_incident(f"Q{number}"))
        rows.append(await seed.message(f"Q{number}", ts=f"{number}.1", shown_revision=1))
    told = [await seed.line(row, a_line(), f"Q{rows.index(row)}") for _ in range(5) for row in rows]
    found = await messages.due_lines(SETTLED, per_channel=2)
    assert [line.event_id for line in found] == told[:2]
    found = await messages.due_lines(SETTLED)
    assert [(line.message_id, line.event_id) for line in found] == list(zip(rows, told, strict=False))


async def test_waiting_lines_are_found_without_looking_at_all_of_them(sqlite_url: str) -> None:
    async with opened(sqlite_url) as database, database.read() as connection:
        asked = question.lines(literal(0.0), literal(0.0), 10).compile(
            dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
        )
        plan = str((await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")).all())
    assert plan.count("ix_thread_lines_waiting") == 3
    assert "SCAN thread_lines" not in plan


async def test_a_line_of_unknown_outcome_holds_back_the_next(
    messages: Messages, seed: Seed, database: Database
) -> None:
    await seed.incident(an_incident())
    row = await seed.message(ts="1.1", shown_revision=1)
    first = await seed.line(row, a_line(), posting_since=database.now_sql())
    await seed.line(row, a_line("escalated"))
    assert await messages.due_lines(SETTLED) == []
    database.clock_offset += SETTLED + 1
    (line,) = await messages.due_lines(SETTLED)
    assert line.event_id == first
    assert line.posting_since is not None


async def test_lines_wait_for_their_message(messages: Messages, seed: Seed) -> None:
    await seed.incident(an_incident())
    await seed.line(await seed.message(), a_line())
    assert await messages.due_lines(SETTLED) == []


async def test_who_was_not_mentioned_yet(messages: Messages, seed: Seed) -> None:
    await seed.incident(an_incident("Q1"))
    await seed.incident(an_incident("Q2", urgency=Urgency.LOW))
    await seed.incident(acknowledged(an_incident("Q3")))
    waiting = await seed.message("Q1", CHECKOUT, ts="1.1", shown_revision=1)
    await seed.message("Q1", SEARCH, ts="1.2", shown_revision=1, mentioned=True)
    await seed.message("Q2", CHECKOUT, ts="1.3", shown_revision=1)
    await seed.message("Q3", CHECKOUT, ts="1.4", shown_revision=1)
    (found,) = await messages.uncalled()
    assert found.message.id == waiting
    assert found.incident.assignees == (Reference("PALICE1", "Alice Anderson"),)


async def test_the_backlog_counts_what_is_not_true(
    messages: Messages, seed: Seed, database: Database
) -> None:
    assert (await messages.backlog()).count == 0
    await seed.incident(an_incident())
    await seed.message(channel=CHECKOUT, next_try_at=database.now_sql(300))
    shown = await seed.message(channel=SEARCH, ts="1.1", shown_revision=1)
    await seed.line(shown, a_line())
    database.clock_offset += 40
    backlog = await messages.backlog()
    assert backlog.count == 2
    assert backlog.worst_seconds == pytest.approx(40, abs=2)


class TestAdopting:
    async def test_a_row_that_lost_its_ts_gets_it_back(self, messages: Messages, seed: Seed) -> None:
        await seed.incident(an_incident())
        row = await seed.message(posting_ago=5, shown_revision=1)
        assert await messages.adopt(CHECKOUT, "1.1", row_id=row) is Adoption.ADOPTED
        found = await seed.row(row)
        assert found.ts == "1.1"
        assert found.posting_since is not None  # another one may stand there: it is still looked for
        assert await due_ids(messages) == {row}  # and written again

    async def test_the_rows_own_message_stays(self, messages: Messages, seed: Seed) -> None:
        await seed.incident(an_incident())
        row = await seed.message(ts="1.1", shown_revision=1)
        assert await messages.adopt(CHECKOUT, "1.1", row_id=row) is Adoption.ADOPTED
        assert await seed.shown(row) == (1, "looks")

    async def test_a_second_message_is_an_extra(self, messages: Messages, seed: Seed) -> None:
        await seed.incident(an_incident())
        row = await seed.message(ts="1.1", shown_revision=1)
        assert await messages.adopt(CHECKOUT, "1.2", row_id=row) is Adoption.EXTRA
        assert await messages.adopt(CHECKOUT, "1.2", incident_id="Q1") is Adoption.EXTRA

    async def test_elsewhere_or_unknown_is_not_ours(self, messages: Messages, seed: Seed) -> None:
        await seed.incident(an_incident())
        row = await seed.message(ts="1.1")
        assert await messages.adopt(SEARCH, "1.1", row_id=row) is Adoption.NOT_OURS
        assert await messages.adopt(CHECKOUT, "1.1", row_id=row + 1) is Adoption.NOT_OURS
        assert await messages.adopt(CHECKOUT, "1.1", incident_id="Q9") is Adoption.NOT_OURS

    async def test_of_two_pressed_at_once_one_is_the_message(self, messages: Messages, seed: Seed) -> None:
        await seed.incident(an_incident())
        row = await seed.message(posting_ago=5)
        both = await asyncio.gather(*(messages.adopt(CHECKOUT, ts, row_id=row) for ts in ("1.1", "1.2")))
        assert sorted(both) == [Adoption.ADOPTED, Adoption.EXTRA]
