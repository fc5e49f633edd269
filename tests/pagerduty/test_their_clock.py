"""PagerDuty's clock, by the `Date` of its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.pagerduty.their_clock import TheirClock

TOLD = datetime(2026, 8, 1, 12, 0, 5, tzinfo=UTC)


def test_it_goes_on_from_what_was_told_last() -> None:
    passed = 100.0
    clock = TheirClock(lambda: passed)
    assert clock.now() is None
    clock.hear({"date": "Sat, 01 Aug 2026 12:00:05 GMT"})
    passed += 2.5
    assert clock.now() == TOLD + timedelta(seconds=2.5)
    clock.hear({"date": "Sat, 01 Aug 2026 14:00:04 +0200"})
    assert clock.now() == TOLD - timedelta(seconds=1)


@pytest.mark.parametrize(
    "nonsense", [{}, {"date": ""}, {"date": "soon"}, {"date": "Sat, 99 Aug 2026 12:00:05 GMT"}]
)
def test_nonsense_tells_nothing(nonsense: dict[str, str]) -> None:
    clock = TheirClock(lambda: 0.0)
    clock.hear({"date": "Sat, 01 Aug 2026 12:00:05 -0000"})
    clock.hear(nonsense)
    assert clock.now() == TOLD
