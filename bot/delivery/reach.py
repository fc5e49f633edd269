"""Whether PagerDuty answers this process, learnt from the calls that are made anyway."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

FAILURES = 3  # in a row
SECONDS = 20.0  # and for so long


def _now() -> datetime:
    return datetime.now(UTC)


class Reach:
    """Told of every call by its owner (bot/pagerduty/http.py's `on_call`); asked by bot/delivery/asof.py.

    `seconds`: one slow answer is no outage.
    """

    def __init__(
        self,
        seconds: float = SECONDS,
        *,
        clock: Callable[[], datetime] = _now,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._timer = timer
        self._failures = 0
        self._since: datetime | None = None
        self._since_timer = 0.0

    def called(self, method: str, path_template: str, status: int, seconds: float) -> None:
        """One call was over; `status` 0 means that no answer came. A refusal is an answer."""
        if 0 < status < 500:
            self._failures, self._since = 0, None
            return
        self._failures += 1
        if self._since is None:
            self._since, self._since_timer = self._clock(), self._timer()

    @property
    def away_since(self) -> datetime | None:
        """Since when nothing was answered (UTC), once that is more than a hiccup; else None."""
        lasting = self._failures >= FAILURES and self._timer() - self._since_timer >= self._seconds
        return self._since if lasting else None
