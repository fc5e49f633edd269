"""A secret that is wrong on our side is told to the admins, once; strangers cannot make us tell anything."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.errors import StoreUnavailable
from tests.inbound.webhook_door import WRONG, Door, open_door, told


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as door:
        yield door


async def wrongly_signed(door: Door, times: int = 1, subscription: str = "PSUBSC1") -> None:
    for _ in range(times):
        headers = {"X-PagerDuty-Signature": WRONG, "X-Webhook-Subscription": subscription}
        assert (await door.post(told(), headers))[0] == 503


async def test_strangers_never_alarm(door: Door) -> None:
    await wrongly_signed(door, 5, "PSTRANGE")
    assert door.notices == []
    assert door.lookups == 1, "strangers choose how often they knock, not how often we look"
    door.clock += 2
    await wrongly_signed(door, 1, "PSTRANGE")
    assert door.lookups == 2


@pytest.mark.parametrize("subscription", ["", "x" * 65, "P SUB", "P\u00e9", "'; DROP TABLE events"])
async def test_a_name_that_is_none_of_pagerdutys_is_not_even_looked_up(door: Door, subscription: str) -> None:
    await wrongly_signed(door, 3, subscription)
    assert door.lookups == 0


async def test_a_subscription_we_know_alarms_once(door: Door) -> None:
    door.heard_of.add("PSUBSC1")
    await wrongly_signed(door, 2)
    assert door.notices == []
    await wrongly_signed(door, 3)
    (notice,) = door.notices
    assert "PSUBSC1" in notice
    assert "PAGERDUTY_WEBHOOK_SECRETS" in notice


async def test_one_good_delivery_between_calms_it(door: Door) -> None:
    door.heard_of.add("PSUBSC1")
    await wrongly_signed(door, 2)
    await door.deliver(told(), **{"X-Webhook-Subscription": "PSUBSC1"})
    await wrongly_signed(door, 2)
    assert door.notices == []


async def test_it_is_settled_when_a_delivery_verifies_and_may_alarm_again(door: Door) -> None:
    door.heard_of.add("PSUBSC1")
    await wrongly_signed(door, 3)
    await door.deliver(told(), **{"X-Webhook-Subscription": "PSUBSC1"})
    assert door.settled == ["signature:PSUBSC1"]
    door.clock += 2
    await wrongly_signed(door, 3)
    assert len(door.notices) == 2


async def test_it_is_settled_after_the_restart_the_notice_asks_for(door: Door) -> None:
    """A process that did not see the wrong ones settles the matter with its first good one; once."""
    for _ in range(2):
        await door.deliver(told(), **{"X-Webhook-Subscription": "PSUBSC1"})
    assert door.settled == ["signature:PSUBSC1"]


async def test_a_notice_that_could_not_be_given_is_given_next_time(door: Door) -> None:
    door.heard_of.add("PSUBSC1")
    door.store_is_away = True
    await wrongly_signed(door, 3)
    door.store_is_away = False
    await wrongly_signed(door, 1)
    assert len(door.notices) == 1


async def test_a_notice_that_reached_nobody_is_given_later_but_not_tried_at_each_delivery(door: Door) -> None:
    door.heard_of.add("PSUBSC1")
    door.slack_is_away = True
    await wrongly_signed(door, 5)
    assert door.tries == 1
    door.clock += 60
    await wrongly_signed(door, 2)
    assert door.tries == 2
    door.slack_is_away = False
    door.clock += 60
    await wrongly_signed(door, 3)
    assert len(door.notices) == 1


async def test_a_matter_that_cannot_be_settled_does_not_cost_the_event() -> None:
    door = Door()
    alarm = door.alarm()
    door.store_is_away = True
    with pytest.raises(StoreUnavailable):
        await alarm.verified("PSUBSC1")
    door.store_is_away = False
    await alarm.verified("PSUBSC1")
    assert door.settled == ["signature:PSUBSC1"]
