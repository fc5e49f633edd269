"""On-calls as a list: every option goes to PagerDuty, pages are read up to the limit, times are in reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UserError
from bot.pagerduty.oncall_lists import INCLUDES, WantedOnCalls, list_on_calls
from tests.contract.pagerduty_openapi import available, check_exchange
from tests.pagerduty.test_acts import Desk, desk

__all__ = ["desk"]

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


async def test_every_option_is_pagerdutys(desk: Desk) -> None:
    now = datetime.now(UTC)
    wanted = WantedOnCalls(
        policies=("PEPCHK",),
        schedules=("PSCHCHK", "null"),
        users=("PALICE1", "PBOB002"),
        since=now,
        until=now + 60 * DAY,
        earliest=True,
        time_zone="Europe/Berlin",
        includes=INCLUDES,
        limit=2,
        total=True,
    )
    found = await list_on_calls(desk.reader, wanted)
    assert [one.shift.person.name for one in found.lines] == ["Alice Anderson", "Bob Brown"]
    assert (found.more, found.total) == (True, 3)
    assert found.lines[0].told["user"]["email"] == "alice@acme.example"
    assert found.lines[0].shift.end is not None
    assert found.lines[0].shift.end.tzinfo is UTC
    (exchange,) = desk.fake.journal
    assert exchange.query["limit"] == ["2"]
    assert exchange.query["earliest"] == ["true"]
    if available():
        assert check_exchange(exchange) == []


async def test_nothing_is_sent_that_was_not_asked_for(desk: Desk) -> None:
    found = await list_on_calls(desk.reader, WantedOnCalls())
    assert (len(found.lines), found.more, found.total) == (5, False, None)
    assert set(desk.fake.journal[0].query) == {"limit", "offset"}


async def test_more_than_a_page_is_read_to_its_end(desk: Desk) -> None:
    desk.fake.control.rotate("PSCHCHK", people=["PALICE1", "PBOB002"] * 60)
    wanted = WantedOnCalls(until=datetime.now(UTC) + 80 * DAY)
    whole = await list_on_calls(desk.reader, wanted)
    few = await list_on_calls(desk.reader, WantedOnCalls(until=wanted.until, limit=3))
    assert not whole.more
    assert few.more
    assert few.lines == whole.lines[:3]


@pytest.mark.parametrize(
    ("since", "until", "sent"),
    [
        (None, None, None),
        (NOW - DAY, None, NOW),  # PagerDuty would take the present too
        (NOW + DAY, None, NOW + DAY),  # … and would refuse that
        (None, NOW + 90 * DAY, NOW + 90 * DAY),
    ],
)
def test_the_end_is_one_that_pagerduty_takes(
    since: datetime | None, until: datetime | None, sent: datetime | None
) -> None:
    assert WantedOnCalls(since=since, until=until).within_reach(NOW).until == sent


@pytest.mark.parametrize(
    ("since", "until"),
    [(None, NOW - DAY), (NOW + 2 * DAY, NOW + DAY), (None, NOW + 91 * DAY), (NOW + 91 * DAY, None)],
)
def test_times_out_of_reach_are_refused(since: datetime | None, until: datetime | None) -> None:
    with pytest.raises(UserError):
        WantedOnCalls(since=since, until=until).within_reach(NOW)
