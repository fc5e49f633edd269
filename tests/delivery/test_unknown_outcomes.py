"""A post nobody knows the outcome of: looked up, posted again when it is not there, never left double."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence

import aiohttp
import pytest

from bot.render.incident import render_incident
from bot.sandbox.slack import FakeSlack
from bot.slack.marks import Mark
from bot.store.leases import Leases
from bot.store.people import People
from bot.store.rows import IN_DOUBT, SETTLING
from bot.store.turns import Turn, Turns
from tests.delivery.office import BUTTONS, PERIODS, Office, words
from tests.store.seeding import CHECKOUT, a_line, acknowledged, an_incident, opened, resolved
from tests.stories.waiting import until, until_async


@pytest.fixture
async def shared(
    postgresql_url: str, fake: FakeSlack, session: aiohttp.ClientSession
) -> AsyncIterator[Office]:
    """Only PostgreSQL is ever shared."""
    async with opened(postgresql_url) as database:
        yield Office(database, fake, session)


async def settled(office: Office, row: int) -> None:
    """Until the row's message is known and nothing about it is in doubt."""

    async def look() -> bool:
        found = await office.seed.row(row)
        return found.ts is not None and found.posting_since is None and await office.messages.due(0) == []

    await until_async(look, "the row was never settled")


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        pytest.param("drop_after", {}, id="carried out, answer lost"),
        pytest.param("drop_before", {}, id="not carried out, answer lost"),
        pytest.param("hang", {"seconds": 2.5}, id="carried out, too slow"),
        pytest.param("hang", {"seconds": 2.5, "carried_out": False}, id="not carried out, too slow"),
        pytest.param("server_error", {}, id="a proxy's page"),
        pytest.param("error", {"error": "internal_error"}, id="Slack's own trouble"),
    ],
)
async def test_one_message_stands_in_the_end(running: Office, mode: str, more: dict[str, object]) -> None:
    running.fake.fault("chat.postMessage", mode, **more)
    row = await running.has(an_incident())
    await settled(running, row)
    assert len(running.standing()) == 1
    await running.becomes(acknowledged(an_incident()))
    await until(lambda: "Acknowledged" in words(running.standing()[0]), "it is not kept true")
    assert running.fake.doubles() == []


async def test_one_that_lands_after_it_was_posted_again_does_not_stay(running: Office) -> None:
    running.fake.fault("chat.postMessage", "late", seconds=PERIODS.settled + 0.4)
    row = await running.has(an_incident())
    await until(lambda: running.carried_out_late("chat.postMessage"), "nothing came late")
    await settled(running, row)
    (message,) = running.standing()
    assert (await running.seed.row(row)).ts == message.ts
    assert running.fake.doubles() == []


async def test_it_is_not_looked_up_before_slack_can_have_carried_it_out(running: Office) -> None:
    running.fake.fault("chat.postMessage", "drop_after")
    row = await running.has(an_incident())
    await settled(running, row)
    (post,) = running.calls("chat.postMessage")
    look = running.calls("conversations.history")[0]
    assert (look.at - post.at).total_seconds() >= PERIODS.settled - 0.05


async def test_the_found_message_is_made_true(running: Office) -> None:
    running.fake.fault("chat.postMessage", "drop_after")
    row = await running.has(an_incident())
    await until(lambda: bool(running.standing()), "nothing was posted")
    await running.becomes(acknowledged(an_incident()))
    await settled(running, row)
    assert "Acknowledged" in words(running.standing()[0])


class TestWithoutTheHistoryScope:
    @pytest.mark.parametrize("mode", ["drop_after", "drop_before"])
    async def test_nothing_is_lost(self, running: Office, mode: str) -> None:
        running.fake.history_scope(granted=False)
        running.fake.fault("chat.postMessage", mode)
        row = await running.has(an_incident())
        await settled(running, row)
        assert len(running.standing()) == (2 if mode == "drop_after" else 1)
        await running.becomes(acknowledged(an_incident()))
        await until(lambda: "Acknowledged" in words(running.standing()[-1]), "it is not kept true")

    async def test_a_press_on_the_lost_one_gives_the_row_its_message(self, office: Office) -> None:
        office.fake.fault("chat.postMessage", "drop_after")
        row = await office.has(an_incident())
        await office.delivery.drain()
        (lost,) = office.standing()
        await office.messages.adopt(CHECKOUT, lost.ts, row_id=row)
        await office.becomes(acknowledged(an_incident()))
        await office.delivery.drain()
        assert "Acknowledged" in words(lost)
        assert len(office.calls("chat.postMessage")) == 1


async def test_lines_are_looked_up_in_their_thread(running: Office) -> None:
    row = await running.has(an_incident())
    message = await running.first()
    await until_async(lambda: _remembered(running, row), "it was not remembered")
    running.fake.fault("chat.postMessage", "drop_after")
    running.fake.fault("chat.postMessage", "drop_before")
    first = await running.seed.line(row, a_line("reopened", broadcast=True))
    second = await running.seed.line(row, a_line("escalated", broadcast=True))
    running.wake.notify("delivery")

    async def both() -> bool:
        found = [await running.seed.line_row(row, event) for event in (first, second)]
        return all(one.ts is not None for one in found)

    await until_async(both, "lines are missing")
    assert [line.text.split()[0] for line in running.thread(message.ts)] == ["Reopened", "Escalated"]
    assert len(running.standing()) == 1


async def _remembered(office: Office, row: int) -> bool:
    return (await office.seed.row(row)).ts is not None


async def test_a_dead_process_left_a_post_behind(office: Office) -> None:
    """Killed after Slack took the post and before it was written down."""
    await office.seed.incident(an_incident())
    row = await office.seed.message(posting_ago=60)
    posted = await office.slack.post(
        CHECKOUT.id, "Disk full", mark=Mark("incident", row, "Q1", mentioned=True)
    )
    await office.delivery.drain()
    found = await office.seed.row(row)
    assert (found.ts, found.mentioned) == (posted.ts, True)
    assert "Disk full" in words(office.standing()[0])
    assert len(office.calls("chat.postMessage")) == 1


async def test_a_dead_process_left_an_edit_behind(office: Office) -> None:
    """Killed after Slack took the edit and before it was written down; then all is as it was before that."""
    await office.has(an_incident())
    await office.delivery.drain()
    await office.becomes(acknowledged(an_incident()))
    (behind,) = await office.messages.due(0)
    dead = Turns(office.database, Leases(office.database, "dead"), office.pace, lease_seconds=0.05)
    turn = await dead.begin_update(behind.message)
    assert isinstance(turn, Turn)
    ts, edit = turn.message.ts, render_incident(turn.incident, BUTTONS)
    assert ts is not None
    await office.slack.update(CHECKOUT.id, ts, edit.text, edit.blocks)
    await office.becomes(an_incident())
    await office.delivery.drain()
    assert "Triggered" in words(office.standing()[0])


@pytest.mark.parametrize(
    ("dropped", "seconds"), [pytest.param(1, 0.8, id="made again at once"), pytest.param(2, 1.8, id="later")]
)
async def test_an_edit_that_lands_on_top_of_the_next_one_does_not_stay(
    running: Office, dropped: int, seconds: float
) -> None:
    row = await running.has(an_incident())
    await settled(running, row)
    (message,) = running.standing()
    running.fake.fault("chat.update", "late", count=dropped, seconds=seconds)
    await running.becomes(acknowledged(an_incident()))
    await until(lambda: len(running.calls("chat.update")) >= dropped, "it was never edited")
    await running.becomes(resolved(an_incident()))
    await until(lambda: len(running.carried_out_late("chat.update")) == dropped, "nothing came late")
    await until(lambda: "Resolved" in words(message), "what landed late stays")
    await settled(running, row)
    assert "Resolved" in words(message)
    assert await running.seed.shown(row) not in (None, (3, SETTLING), (3, IN_DOUBT))


async def test_one_look_tells_of_all_posts_that_a_dead_process_left_behind(office: Office) -> None:
    """Slack lets a channel be read less than once a second, and people wait for the truth."""
    rows = []
    for number in range(12):
        await office.seed.incident(an_incident(f"Q{number}"))
        rows.append(await office.seed.message(f"Q{number}", posting_ago=60 - number))
        if number % 2:
            mark = Mark("incident", rows[-1], f"Q{number}")
            await office.slack.post(CHECKOUT.id, f"Disk {number} is full", mark=mark)
    await office.delivery.drain()
    assert len(office.calls("conversations.history")) == 1
    assert len(office.standing()) == 12
    assert office.fake.doubles() == []
    assert {(await office.seed.row(row)).posting_since for row in rows[1::2]} == {None}


async def test_what_was_read_tells_nothing_of_a_later_post(running: Office) -> None:
    for number in range(3):
        running.fake.fault("chat.postMessage", "drop_after")
        row = await running.has(an_incident(f"Q{number}"))
        await settled(running, row)
    assert len(running.standing()) == 3
    assert len(running.calls("conversations.history")) == 3


async def test_extra_ones_are_deleted(office: Office) -> None:
    await office.seed.incident(an_incident())
    row = await office.seed.message(posting_ago=60)
    for owner in (row, row, row + 1):
        await office.slack.post(CHECKOUT.id, "Disk full", mark=Mark("incident", owner, "Q1"))
    first, _, others = office.standing()
    await office.delivery.drain()
    assert [message.ts for message in office.standing()] == [first.ts, others.ts]
    assert (await office.seed.row(row)).ts == first.ts


async def test_an_extra_that_could_not_be_deleted_is_deleted_later(running: Office) -> None:
    running.fake.fault("chat.delete", "error", error="service_unavailable", count=1)
    await running.seed.incident(an_incident())
    row = await running.seed.message(posting_ago=60)
    for _ in range(2):
        await running.slack.post(CHECKOUT.id, "Disk full", mark=Mark("incident", row, "Q1"))
    await until(lambda: len(running.standing()) == 1, "two still stand")
    await settled(running, row)


async def test_an_edit_without_an_answer_is_made_again(running: Office) -> None:
    row = await running.has(an_incident())
    message = await running.first()
    await settled(running, row)
    running.fake.fault("chat.update", "hang", seconds=2.5, carried_out=False)
    await running.becomes(acknowledged(an_incident()))
    await until(lambda: "Acknowledged" in words(message), "it was never edited")
    await settled(running, row)


async def test_two_replicas_post_once(shared: Office) -> None:
    office = shared
    other = office.second()
    stop = asyncio.Event()
    tasks = [asyncio.create_task(one.delivery.run(stop)) for one in (office, other)]
    rows = [await office.has(an_incident(f"Q{number}")) for number in range(12)]
    other.wake.notify("delivery")
    for row in rows:
        await settled(office, row)
    for number in range(12):
        await office.becomes(acknowledged(an_incident(f"Q{number}")))
    for row in rows:
        await settled(office, row)
    stop.set()
    await asyncio.gather(*tasks)
    assert len(office.fake.workspace.posted) == 12
    assert all("Acknowledged" in words(message) for message in office.standing())


async def test_one_frozen_before_its_call_does_not_make_it(office: Office) -> None:
    """Frozen between the commit and the request, and thawed when its lease is all but over."""
    frozen_for = 0.0

    class Freezing(People):
        async def slack_ids(self, team_id: str, person_ids: Sequence[str]) -> Mapping[str, str]:
            nonlocal frozen_for
            frozen_for = frozen_for or PERIODS.lease
            return await super().slack_ids(team_id, person_ids)

    replica = Office(
        office.database,
        office.fake,
        office.session,
        people=Freezing(office.database),
        clock=lambda: time.monotonic() + frozen_for,
    )
    await replica.seed.incident(an_incident())
    await replica.seed.message()
    message = (await replica.messages.due(PERIODS.settled))[0].message
    assert await replica.delivery._poster.post(message) is None
    assert replica.calls("chat.postMessage") == []
    await replica.delivery.drain()
    assert len(replica.calls("chat.postMessage")) == 1


async def test_one_frozen_past_its_lease_deletes_what_it_posted_too_late(office: Office) -> None:
    """Frozen between the commit and the request; the other one finds nothing and posts. Then it thaws."""
    frozen, other = office, office.second()
    thawed = asyncio.Event()
    row = await frozen.has(an_incident())
    message = (await frozen.messages.due(PERIODS.settled))[0].message
    turns = frozen.delivery._desk.turns
    turn = await turns.begin_post(message)
    assert isinstance(turn, Turn)

    async def post_late() -> None:
        await thawed.wait()
        posted = await frozen.slack.post(CHECKOUT.id, "late", mark=Mark("incident", row, "Q1"))
        if not await frozen.delivery._desk.outcomes.posted(turn, posted.ts, looks="late"):
            await frozen.delivery._desk.delete_extra(turn, posted.ts)

    task = asyncio.create_task(post_late())
    stop = asyncio.Event()
    running = asyncio.create_task(other.delivery.run(stop))
    await settled(other, row)
    (kept,) = other.standing()
    thawed.set()
    await task
    await settled(other, row)
    assert other.standing() == [kept]
    assert "Disk full" in words(kept)
    stop.set()
    await running
