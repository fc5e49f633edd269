"""One friendly message to whoever goes on call unlinked, and no second one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from bot.command.day_before import LEASE
from bot.errors import SlackFailure
from bot.model import OnCall, SlackUser
from bot.store.leases import Leases
from tests.command.reminders import (
    ALICE,
    BOB,
    DAY,
    GUS,
    PRIMARY,
    ROTA,
    STRAY,
    TEAM,
    UMA,
    Rig,
    berlin,
    reminding_rig,
    replica,
)
from tests.stories.waiting import until as eventually
from tests.stories.waiting import until_async


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with reminding_rig(database_url) as opened:
        yield opened


async def test_the_day_before_a_shift_one_message_says_when_and_how(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    assert await rig.one.loop.once() == 1
    (message,) = rig.messages("U0UMA")
    assert message.text.startswith(
        "You go on call Mon Oct 26, 09:00 (Europe/Berlin), level 1 of Checkout primary"
    )
    assert message.buttons == ["Link my PagerDuty account"]
    assert rig.world.offered == [SlackUser(TEAM, "U0UMA")]


async def test_once_over_all_replicas_rounds_and_restarts(rig: Rig, database_url: str) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.world.shift(UMA, "2026-10-26T09:00", level=2)
    sent = await asyncio.gather(*(one.loop.once() for one in (rig.one, rig.other) * 5))
    assert sum(sent) == 1
    async with AsyncExitStack() as stack:
        # A day later by the store's clock, so that only the shift's own day holds it back.
        restarted = await replica(stack, rig.world, rig.slack, database_url, clock_offset=90_000)
        rig.world.now = berlin("2026-10-26T08:59")
        assert await restarted.loop.once() == 0
    assert len(rig.messages("U0UMA")) == 1


async def test_neither_earlier_nor_after_it_began_nor_by_night(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    for told in ("2026-10-24T12:00", "2026-10-25T09:59", "2026-10-25T23:00", "2026-10-26T09:01"):
        rig.world.now = berlin(told)
        assert await rig.one.loop.once() == 0
    assert rig.messages("U0UMA") == []


async def test_a_bot_that_was_down_tells_it_later_the_same_day(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.world.now = berlin("2026-10-26T08:30")
    assert await rig.one.loop.once() == 1


async def test_each_by_their_own_clock(rig: Rig) -> None:
    rig.world.shift(BOB, "2026-11-02T09:00")  # Bob is in New York, where clocks go back on November 1st
    rig.world.now = datetime(2026, 11, 1, 14, 59, tzinfo=UTC)  # 09:59 there, since that night
    assert await rig.one.loop.once() == 0
    rig.world.now = datetime(2026, 11, 1, 15, 0, tzinfo=UTC)
    assert await rig.one.loop.once() == 1
    assert "Mon Nov 2, 03:00 (America/New_York)" in rig.messages("U0BOB")[0].text


async def test_where_slack_knows_no_zone_pagerduty_may(rig: Rig) -> None:
    rig.world.without_zone.add("U0UMA")
    rig.world.zones["PUMA007"] = "America/New_York"
    rig.world.shift(UMA, "2026-10-26T09:00")
    assert await rig.one.loop.once() == 0  # 05:05 there
    rig.world.now = berlin("2026-10-25T15:00")
    assert await rig.one.loop.once() == 1
    assert "04:00 (America/New_York)" in rig.messages("U0UMA")[0].text


async def test_who_is_always_on_call_is_told_once_and_never_again(rig: Rig, database_url: str) -> None:
    rig.world.shifts.append(OnCall(UMA, PRIMARY, 2))
    assert await rig.one.loop.once() == 1
    assert rig.messages("U0UMA")[0].text.startswith("You are on call, always, level 2")
    async with AsyncExitStack() as stack:
        next_week = await replica(stack, rig.world, rig.slack, database_url, clock_offset=8 * 86_400)
        rig.world.now += 8 * DAY
        assert await next_week.loop.once() == 0
    assert len(rig.messages("U0UMA")) == 1


async def test_office_hours_are_reminded_of_once_a_week_not_daily(rig: Rig, database_url: str) -> None:
    for day in range(26, 31):
        rig.world.shift(UMA, f"2026-10-{day}T09:00", 1 / 3)
    assert await rig.one.loop.once() == 1
    async with AsyncExitStack() as stack:
        for days in range(1, 6):
            rig.world.now += DAY
            later = await replica(stack, rig.world, rig.slack, database_url, clock_offset=days * 90_000)
            assert await later.loop.once() == 0


async def test_neither_the_linked_nor_who_is_not_in_slack_nor_who_may_not(rig: Rig) -> None:
    for one in (ALICE, STRAY, GUS):
        rig.world.shifts.append(OnCall(one, PRIMARY, 1, ROTA, rig.world.now + DAY, rig.world.now + 8 * DAY))
    assert await rig.one.loop.once() == 0
    assert rig.world.offered == []


async def test_what_slack_did_not_take_is_tried_again(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.slack.fault("chat.postMessage", "rate_limit", count=1)
    with pytest.raises(SlackFailure):
        await rig.one.loop.once()
    assert await rig.other.loop.once() == 1


async def test_who_cannot_be_written_to_holds_nobody_up(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.world.shift(BOB, "2026-10-26T17:00")
    rig.slack.fault("chat.postMessage", "error", error="cannot_dm_bot", count=1)
    rig.world.now = berlin("2026-10-25T18:00")
    assert await rig.one.loop.once() == 1
    assert await rig.other.loop.once() == 0


async def test_a_post_without_an_answer_is_not_sent_twice(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.slack.fault("chat.postMessage", "drop_after", count=1)
    await rig.one.loop.once()
    assert await rig.other.loop.once() == 0
    assert len(rig.messages("U0UMA")) == 1


async def test_the_loop_survives_an_outage_and_leaves_the_next_look_to_any(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.world.is_away = True
    stop = asyncio.Event()
    running = asyncio.create_task(rig.one.loop.run(stop))
    await eventually(lambda: rig.world.asked == 1 or None, "PagerDuty was not asked")
    probe = Leases(rig.one.database, "probe")

    async def is_free() -> bool:
        return await probe.take(LEASE, 0.0) is not None

    await until_async(is_free, "the turn was not given back")
    rig.world.is_away = False
    other = asyncio.create_task(rig.other.loop.run(stop))
    await eventually(lambda: rig.messages("U0UMA") or None, "nobody looked again")
    stop.set()
    await asyncio.wait_for(asyncio.gather(running, other), 30)


async def test_of_two_loops_one_asks_pagerduty(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    stop = asyncio.Event()
    loops = [asyncio.create_task(one.loop.run(stop)) for one in (rig.one, rig.other)]
    await eventually(lambda: rig.messages("U0UMA") or None, "nobody was reminded")
    stop.set()
    await asyncio.wait_for(asyncio.gather(*loops), 30)
    assert rig.world.asked == 1
