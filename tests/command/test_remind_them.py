"""*Remind them*: each once a day at most, with whom it did not reach and why; and the rotas it goes by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from bot.command import reminding
from bot.command.rotas import Rotas
from bot.errors import StoreUnavailable
from bot.model import OnCall, SlackUser
from tests.command.reminders import (
    ALICE,
    BOB,
    GUS,
    PRIMARY,
    STRAY,
    TEAM,
    UMA,
    Offered,
    Rig,
    reminding_rig,
    replica,
)


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with reminding_rig(database_url) as opened:
        yield opened


async def test_remind_them_says_how_many_and_to_whom_not_and_why(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    rig.world.shifts += [OnCall(one, PRIMARY, 2) for one in (ALICE, GUS, STRAY)]
    outcome = await rig.one.asked()
    assert outcome.sent == ("Uma Ueda",)
    assert {one.name: one.why for one in outcome.not_sent} == {
        "Gus Guest": reminding.NOT_ALLOWED,
        "Nora Nowhere": reminding.NOT_IN_SLACK,
    }
    assert "Fri Oct 30, 09:00 (Europe/Berlin)" in rig.messages("U0UMA")[0].text


async def test_not_more_often_than_once_a_day(rig: Rig, database_url: str) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    both = await asyncio.gather(rig.one.asked(), rig.other.asked())
    assert sorted(len(outcome.sent) for outcome in both) == [0, 1]
    assert [one.why for outcome in both for one in outcome.not_sent] == [reminding.LATELY]
    async with AsyncExitStack() as stack:
        tomorrow = await replica(stack, rig.world, rig.slack, database_url, clock_offset=86_401)
        assert (await tomorrow.asked()).sent == ("Uma Ueda",)


async def test_who_was_asked_today_is_not_reminded_by_itself_too(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    await rig.one.asked()
    assert await rig.other.loop.once() == 0
    assert len(rig.messages("U0UMA")) == 1


async def test_slack_in_trouble_is_said_and_may_be_tried_again(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    rig.slack.fault("chat.postMessage", "rate_limit", count=1)
    assert [one.why for one in (await rig.one.asked()).not_sent] == [reminding.IN_TROUBLE]
    assert (await rig.one.asked()).sent == ("Uma Ueda",)


async def test_nothing_is_claimed_for_a_link_that_could_not_be_made(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")

    async def away(user: SlackUser, intent_id: int | None = None, *, seconds: float) -> Offered:
        raise StoreUnavailable("away")

    working, rig.world.offer = rig.world.offer, away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await rig.one.loop.once()
    rig.world.offer = working  # type: ignore[method-assign]
    assert await rig.one.loop.once() == 1


# ------------------------------------------------------------------------------------------------ the rotas


async def test_everybody_on_call_in_two_weeks_is_joined_with_their_link(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    rig.world.shift(STRAY, "2026-11-20T09:00")  # later than that
    rig.world.shift(BOB, "2026-10-20T09:00", 1)  # over
    rig.world.shifts.append(OnCall(ALICE, PRIMARY, 2))
    found = {
        one.person.name: (one.user and one.user.id, one.linked) for one in await rig.one.rotas.look(TEAM)
    }
    assert found == {"Alice Anderson": ("U0ALICE", True), "Uma Ueda": ("U0UMA", False)}


async def test_a_link_counts_before_an_email_address(rig: Rig) -> None:
    rig.world.shift(STRAY, "2026-10-30T09:00")
    rig.world.linked["PSTRAY9"] = "U0OLIVE"
    (stray,) = await rig.one.rotas.look(TEAM)
    assert (stray.user, stray.linked) == (SlackUser(TEAM, "U0OLIVE"), True)


async def test_matched_by_email_address_counts_as_linked_where_nobody_links(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    rig.world.shifts.append(OnCall(STRAY, PRIMARY, 2))

    async def nobody_links(team_id: str) -> None:
        return None

    by_email = Rotas(rig.world, rig.world, nobody_links, lambda: rig.world.now)
    assert [(one.person.name, one.linked) for one in await by_email.look(TEAM)] == [
        ("Nora Nowhere", False),
        ("Uma Ueda", True),
    ]
