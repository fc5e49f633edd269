"""What PagerDuty's clock shows: the `Date` of its last answer, carried on by our timer.

Heard by bot/pagerduty/http.py with every answer. bot/delivery/sweep.py keeps its place in PagerDuty's log by
it, whose entries bear this clock and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


class TheirClock:
    """`timer` gives monotonic seconds."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._heard: tuple[datetime, float] | None = None

    def hear(self, headers: Mapping[str, str]) -> None:
        """Of an answer. One without a `Date`, or with nonsense in its place, tells nothing."""
        try:
            told = parsedate_to_datetime(headers.get("date", ""))
        except ValueError:
            return
        self._heard = (told.replace(tzinfo=told.tzinfo or UTC).astimezone(UTC), self._timer())

    def now(self) -> datetime | None:
        """A second behind at most, and by what the answer took; None before the first that told it."""
        if self._heard is None:
            return None
        told, heard_at = self._heard
        return told + timedelta(seconds=self._timer() - heard_at)
