"""REST rate limits: 960 requests a minute for each key's owner, told in `ratelimit-*` headers on every
answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.sandbox.pagerduty.ids import Clock

PER_MINUTE = 960
WINDOW = timedelta(minutes=1)


@dataclass
class Window:
    ends_at: datetime
    used: int = 0


@dataclass(frozen=True)
class Allowance:
    limit: int
    remaining: int
    reset: int  # seconds until the window ends
    refused: bool

    def headers(self) -> dict[str, str]:
        return {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(self.remaining),
            "ratelimit-reset": str(self.reset),
        }


class RateLimits:
    """Counts always; refuses only when `enforced`, so that a demo is never slowed by its own tests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, Window] = {}
        self.per_minute = PER_MINUTE
        self.enforced = False

    def take(self, bucket: str) -> Allowance:
        now = self._clock()
        window = self._windows.get(bucket)
        if window is None or window.ends_at <= now:
            window = self._windows[bucket] = Window(now + WINDOW)
        refused = self.enforced and window.used >= self.per_minute
        if not refused:
            window.used += 1
        reset = max(1, math.ceil((window.ends_at - now).total_seconds()))
        return Allowance(self.per_minute, max(0, self.per_minute - window.used), reset, refused)
