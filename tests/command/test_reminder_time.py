"""The day before, by the person's own clock, whatever that clock does in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.command.duties import Turn
from bot.command.reminder_time import SOON, due, is_time, local_day, matter, zone_of
from bot.model import OnCall, Reference

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TWO_WEEKS = 14 * DAY


def at(told: str, zone: ZoneInfo = BERLIN) -> datetime:
    """Local time, as UTC."""
    return datetime.fromisoformat(told).replace(tzinfo=zone).astimezone(UTC)


# Clocks in Berlin go back on 2026-10-25 and forward on 2027-03-28, in New York back on 2026-11-01.
@pytest.mark.parametrize(
    ("zone", "start", "first"),
    [
        (BERLIN, "2026-10-21T09:00", "2026-10-20T10:00"),
        (BERLIN, "2026-10-25T00:00", "2026-10-24T10:00"),
        (BERLIN, "2026-10-25T00:30", "2026-10-24T10:00"),
        (BERLIN, "2026-10-25T09:00", "2026-10-24T10:00"),
        (BERLIN, "2026-10-26T00:00", "2026-10-25T10:00"),
        (BERLIN, "2026-10-26T09:00", "2026-10-25T10:00"),
        (BERLIN, "2027-03-28T00:00", "2027-03-27T10:00"),
        (BERLIN, "2027-03-28T00:30", "2027-03-27T10:00"),
        (BERLIN, "2027-03-28T09:00", "2027-03-27T10:00"),
        (BERLIN, "2027-03-29T00:00", "2027-03-28T10:00"),
        (BERLIN, "2027-03-29T00:30", "2027-03-28T10:00"),
        (NEW_YORK, "2026-11-01T00:00", "2026-10-31T10:00"),
        (NEW_YORK, "2026-11-01T00:30", "2026-10-31T10:00"),
        (NEW_YORK, "2026-11-01T09:00", "2026-10-31T10:00"),
        (NEW_YORK, "2026-11-02T00:00", "2026-11-01T10:00"),
        (NEW_YORK, "2026-11-02T23:59", "2026-11-01T10:00"),
    ],
)
def test_it_begins_at_ten_of_the_day_before(zone: ZoneInfo, start: str, first: str) -> None:
    begins = at(start, zone)
    assert not is_time(begins, zone, at(first, zone) - MINUTE)
    assert is_time(begins, zone, at(first, zone))
    assert not is_time(begins, zone, begins)
    assert begins - at(first, zone) < SOON
    assert local_day(begins, zone).isoformat() == start[:10]


@pytest.mark.parametrize(
    ("start", "now", "expected"),
    [
        ("2026-10-26T09:00", "2026-10-25T21:59", True),
        ("2026-10-26T09:00", "2026-10-25T22:00", False),  # the morning will do
        ("2026-10-26T09:00", "2026-10-26T07:59", False),
        ("2026-10-26T09:00", "2026-10-26T08:00", True),
        ("2026-10-26T09:00", "2026-10-26T08:59", True),
        ("2026-10-26T09:00", "2026-10-26T09:00", False),  # too late: the first press tells
        ("2026-10-26T07:00", "2026-10-25T23:00", True),  # no decent hour is left
        ("2026-10-26T08:00", "2026-10-26T03:00", True),
        ("2026-10-25T03:30", "2026-10-25T00:30", True),
        ("2026-10-26T00:00", "2026-10-25T23:30", True),
        ("2026-10-26T18:00", "2026-10-26T02:00", False),
        ("2026-10-26T18:00", "2026-10-26T17:00", True),
    ],
)
def test_whoever_missed_it_is_told_before_it_begins(start: str, now: str, expected: bool) -> None:
    assert is_time(at(start), BERLIN, at(now)) is expected


def test_the_same_instant_is_another_day_elsewhere() -> None:
    start = at("2026-10-26T02:00")  # still the 25th in New York
    assert local_day(start, NEW_YORK).isoformat() == "2026-10-25"
    assert not is_time(start, BERLIN, at("2026-10-24T10:00", NEW_YORK))
    assert is_time(start, NEW_YORK, at("2026-10-24T10:00", NEW_YORK))


def test_a_zone_nobody_knows_is_utc() -> None:
    assert zone_of("Europe/Berlin", "America/New_York") == BERLIN
    assert zone_of(None, "Eastern Time (US & Canada)", "America/New_York") == NEW_YORK
    assert zone_of("Mars/Olympus", "../../etc/passwd", "", None) is UTC


# ------------------------------------------------------------------------------------------------ which turn

BOB, PRIMARY = Reference("PBOB002", "Bob Brown"), Reference("PEPCHK", "Checkout primary")
NOW = at("2026-10-25T12:00")


def turn(start: datetime | None, end: datetime | None) -> Turn:
    return Turn(BOB, OnCall(BOB, PRIMARY, 1, None, start, end), start, end)


ALWAYS = turn(None, None)
TOMORROW = turn(NOW + DAY, NOW + 8 * DAY)


def chosen(*turns: Turn, now: datetime = NOW) -> Turn | None:
    return due(turns, zone=BERLIN, now=now, horizon=now + TWO_WEEKS)


def test_what_begins_comes_before_what_stands() -> None:
    assert chosen(ALWAYS, TOMORROW) is TOMORROW
    assert chosen(ALWAYS) is ALWAYS
    assert chosen(turn(NOW + 3 * DAY, None)) is None
    assert chosen(turn(NOW - DAY, NOW + DAY)) is None


def test_whoever_is_always_on_call_is_not_told_by_night() -> None:
    assert chosen(ALWAYS, now=at("2026-10-25T23:00")) is None
    assert chosen(ALWAYS, now=at("2026-10-26T08:00")) is ALWAYS


def test_a_turn_is_told_once_for_its_day_and_what_stands_once_for_all() -> None:
    assert matter(TOMORROW, zone=BERLIN, now=NOW) == "2026-10-26"
    assert matter(ALWAYS, zone=BERLIN, now=NOW) == "always"
    assert matter(turn(NOW - DAY, None), zone=BERLIN, now=NOW) == "always"
