"""Points in time and zones as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.command.moments import read_when, read_zone
from bot.errors import UserError

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BERLIN = read_zone("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("now", NOW),
        (" NOW ", NOW),
        ("2h", NOW + timedelta(hours=2)),
        ("7d", NOW + timedelta(days=7)),
        ("2026-11-01", datetime(2026, 10, 31, 23, 0, tzinfo=UTC)),
        ("2026-11-01T08:00", datetime(2026, 11, 1, 7, 0, tzinfo=UTC)),
        ("2026-11-01t08:00z", datetime(2026, 11, 1, 8, 0, tzinfo=UTC)),
        ("2026-11-01 08:00+05:30", datetime(2026, 11, 1, 2, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_understood_in_the_zone_that_is_meant(text: str, at: datetime) -> None:
    assert read_when(text, now=NOW, zone=BERLIN) == at


def test_a_span_may_count_back() -> None:
    assert read_when("2h", now=NOW, back=True) == NOW - timedelta(hours=2)


@pytest.mark.parametrize(
    "text", ["soon", "", "2026-13-01", "2y", "0001-01-01T00:00", "9999-12-31T23:59-14:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no time"):
        read_when(text, now=NOW, zone=BERLIN)


@pytest.mark.parametrize("name", ["Berlin", "", "../UTC", "/etc/passwd", "Europe/", "\0", "x" * 300])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="is no time zone"):
        read_zone(name)
