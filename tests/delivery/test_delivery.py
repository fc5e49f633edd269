"""One living message per incident: posted once, edited in place, its thread in order."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.delivery.periods import Periods
from bot.model import Reference, SlackUser, Urgency
from bot.store.people import Match
from tests.delivery.office import FAST, Office, words
from tests.store.seeding import CHECKOUT, SEARCH, TEAM, a_line, acknowledged, an_incident, resolved
from tests.stories.waiting import until, until_async

ALICE = Match(SlackUser(TEAM, "U0ALICE"), "PALICE1", "Alice Anderson")


async def test_one_message_lives_through_the_incident(running: Office) -> None:
    row = await running.has(an_incident())
    message = await running.first()
    assert "Disk full" in words(message)
    assert "Triggered" in words(message)
    assert message.metadata == {
        "event_type": "pagerline_incident",
        "event_payload": {"kind": "incident", "row": row, "incident": "Q1"},
    }
    await running.becomes(acknowledged(an_incident()))
    await until(lambda: "Acknowledged" in words(message), "it was not edited")
    await running.becomes(resolved(an_incident()))
    await until(lambda: "Resolved" in words(message), "it was not edited")
    assert len(running.fake.workspace.posted) == 1


async def test_each_channel_has_its_own(office: Office) -> None:
    await office.has(an_incident("Q1"), CHECKOUT)
    await office.has(an_incident("Q2"), SEARCH)
    await office.seed.message("Q1", SEARCH)
    await office.delivery.drain()
    assert len(office.standing(CHECKOUT)) == 1
    assert len(office.standing(SEARCH)) == 2


async def test_the_newest_state_is_shown_not_each(office: Office) -> None:
    await office.has(an_incident())
    await office.delivery.drain()
    await office.becomes(acknowledged(an_incident()))
    await office.becomes(resolved(an_incident()))
    await office.delivery.drain()
    assert len(office.calls("chat.update")) == 1
    assert "Resolved" in words(office.standing()[0])


async def test_what_would_look_the_same_is_not_sent(office: Office) -> None:
    await office.has(an_incident())
    await office.delivery.drain()
    await office.becomes(an_incident())
    await office.delivery.drain()
    assert office.calls("chat.update") == []
    assert office.delivered("update", "equal") == 1
    assert await office.messages.due(0) == []


async def test_a_lost_hint_costs_a_poll_only(running: Office) -> None:
    await running.seed.incident(an_incident())
    await running.seed.message()
    await running.first()


async def test_the_assignee_of_a_high_urgency_incident_is_mentioned_once(office: Office) -> None:
    await office.people.remember(ALICE)
    await office.has(an_incident("Q1"), CHECKOUT)
    await office.has(an_incident("Q2", urgency=Urgency.LOW), SEARCH)
    await office.delivery.drain()
    assert "<@U0ALICE>" in words(office.standing(CHECKOUT)[0])
    assert "<@U0ALICE>" not in words(office.standing(SEARCH)[0])
    await office.delivery.drain()
    assert office.thread(office.standing(CHECKOUT)[0].ts) == []


async def test_who_becomes_known_later_is_mentioned_in_the_thread_once(running: Office) -> None:
    await running.has(an_incident())
    message = await running.first()
    assert "<@" not in words(message)
    await running.people.remember(ALICE)
    (line,) = await until(lambda: running.thread(message.ts) or None, "nobody was mentioned")
    assert "<@U0ALICE>" in words(line)
    await running.becomes(replace(an_incident(), title="Disk fuller"))
    await until(lambda: "fuller" in words(message), "it was not edited")
    assert len(running.thread(message.ts)) == 1


@pytest.mark.parametrize("changed", [acknowledged, resolved], ids=["acknowledged", "resolved"])
async def test_nobody_is_called_to_what_is_taken(office: Office, changed: object) -> None:
    row = await office.has(an_incident())
    await office.delivery.drain()
    await office.becomes(changed(an_incident()))  # type: ignore[operator]
    await office.people.remember(ALICE)
    await office.delivery.drain()
    assert office.thread(office.standing()[0].ts) == []
    assert not (await office.seed.row(row)).mentioned


async def test_a_rule_may_mention_nobody(office: Office) -> None:
    await office.people.remember(ALICE)
    await office.seed.incident(an_incident())
    await office.seed.message(mention=False)
    await office.delivery.drain()
    assert "<@" not in words(office.standing()[0])


class TestThreadLines:
    async def test_come_once_and_in_order(self, running: Office) -> None:
        row = await running.has(an_incident())
        message = await running.first()
        kinds = ["acknowledged", "unacknowledged", "reopened", "escalated", "resolved"]
        for kind in kinds:
            await running.seed.line(row, a_line(kind, broadcast=kind in ("reopened", "escalated")))
        running.wake.notify("delivery")
        await until(lambda: len(running.thread(message.ts)) == len(kinds), "lines are missing")
        lines = running.thread(message.ts)
        firsts = ["Acknowledged", "No longer", "Reopened", "Escalated", "Resolved"]
        assert [line.text.startswith(first) for line, first in zip(lines, firsts, strict=True)] == [True] * 5
        assert [line.broadcast for line in lines] == [False, False, True, True, False]
        assert {line.metadata["event_payload"]["row"] for line in lines if line.metadata} == {row}

    async def test_mention_whom_they_call(self, office: Office) -> None:
        await office.people.remember(ALICE)
        row = await office.has(an_incident())
        await office.delivery.drain()
        story = replace(a_line("escalated", broadcast=True), calls=(Reference("PALICE1", "Alice Anderson"),))
        await office.seed.line(row, story)
        await office.delivery.drain()
        await office.becomes(acknowledged(an_incident()))
        await office.seed.line(row, story)
        await office.delivery.drain()
        first, second = office.thread(office.standing()[0].ts)
        assert "<@U0ALICE>" in words(first)
        assert "<@U0ALICE>" not in words(second)  # it is taken meanwhile

    async def test_of_a_message_not_posted_yet_wait_for_it(self, office: Office) -> None:
        row = await office.has(an_incident())
        await office.seed.line(row, a_line())
        await office.delivery.drain()
        (message,) = office.standing()
        assert len(office.thread(message.ts)) == 1


class TestPace:
    async def test_a_burst_is_spread_and_nothing_is_limited(self, office: Office) -> None:
        office.fake.rate_limits(enabled=True, per_minute={})
        paced = Office(
            office.database,
            office.fake,
            office.session,
            limits=replace(FAST, channel_per_second=1.0, channel_burst=2),
        )
        for number in range(5):
            await paced.has(an_incident(f"Q{number}"))
        await paced.delivery.drain()
        assert len(paced.standing()) == 5
        assert [entry.status for entry in paced.calls("chat.postMessage")] == [200] * 5

    async def test_a_limited_post_waits_as_long_as_slack_says(self, running: Office) -> None:
        running.fake.fault("chat.postMessage", "rate_limit", retry_after=1)
        await running.has(an_incident("Q1"), CHECKOUT)
        await until(lambda: bool(running.calls("chat.postMessage")), "nothing was tried")
        await running.has(an_incident("Q2"), SEARCH)
        await running.first(SEARCH)
        assert running.standing(CHECKOUT) == []
        await running.first(CHECKOUT)
        tries = [entry for entry in running.calls("chat.postMessage") if entry.body["channel"] == "C0CHECK"]
        assert len(tries) == 2
        assert (tries[1].at - tries[0].at).total_seconds() >= 1

    async def test_a_limited_edit_is_made_later_with_the_newest_state(self, running: Office) -> None:
        await running.has(an_incident())
        message = await running.first()
        running.fake.fault("chat.update", "rate_limit", retry_after=1)
        await running.becomes(acknowledged(an_incident()))
        await until(lambda: bool(running.calls("chat.update")), "nothing was tried")
        await running.becomes(resolved(an_incident()))
        await until(lambda: "Resolved" in words(message), "it was never edited")
        assert len(running.calls("chat.update")) == 2

    async def test_clicks_are_answered_while_other_edits_wait(self, office: Office) -> None:
        one_edit = Office(
            office.database, office.fake, office.session, limits=replace(FAST, updates_per_minute=10)
        )
        for number in range(4):
            await one_edit.has(an_incident(f"Q{number}"))
        await one_edit.delivery.drain()
        for number in range(3):
            await one_edit.becomes(acknowledged(an_incident(f"Q{number}")))
        await one_edit.becomes(acknowledged(an_incident("Q3")), touched=True)
        stop = asyncio.Event()
        task = asyncio.create_task(one_edit.delivery.run(stop))
        await until(lambda: len(one_edit.calls("chat.update")) >= 1, "no edit at all")
        stop.set()
        await task
        first = one_edit.calls("chat.update")[0]
        clicked = await one_edit.seed.shown(4)
        assert clicked is not None
        assert first.body["ts"] == (await one_edit.seed.row(4)).ts

    async def test_what_waits_keeps_nobody_from_asking_what_else_there_is(self, office: Office) -> None:
        """A hint may be lost: the database is asked once a poll, also while known work is held."""
        slow = replace(FAST, channel_per_second=0.01, channel_burst=1)
        paced = Office(office.database, office.fake, office.session, limits=slow)
        await paced.has(an_incident("Q1"))
        await paced.has(an_incident("Q2"))
        stop = asyncio.Event()
        task = asyncio.create_task(paced.delivery.run(stop))
        await until(lambda: len(paced.standing(CHECKOUT)) == 1, "the first was not posted")
        await paced.seed.incident(an_incident("Q3"))
        await paced.seed.message("Q3", SEARCH)  # and nobody hints
        await until(lambda: len(paced.standing(SEARCH)) == 1, "nobody asked")
        stop.set()
        await task
        assert len(paced.standing(CHECKOUT)) == 1


async def test_a_stop_finishes_the_call_under_way(office: Office) -> None:
    office.fake.fault("chat.postMessage", "hang", seconds=0.05)
    row = await office.has(an_incident())
    stop = asyncio.Event()
    task = asyncio.create_task(office.delivery.run(stop))
    await until(lambda: bool(office.calls("chat.postMessage")), "nothing was tried")
    stop.set()
    await task
    assert (await office.seed.row(row)).ts == office.standing()[0].ts


async def test_the_figures_tell_what_is_behind(running: Office) -> None:
    await running.seed.incident(an_incident())
    await running.seed.message(next_try_at=running.database.now_sql(60))

    async def counted() -> bool:
        return running.metrics.registry.get_sample_value("pagerline_backlog") == 1

    await until_async(counted, "the backlog was not counted")


def test_a_lease_must_outlast_its_calls() -> None:
    with pytest.raises(ValueError, match="twice as long"):
        Periods(call=5, lease=9)
