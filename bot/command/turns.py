"""Commands take turns, so that a flood of them never keeps Slack waiting for its 3-second answers.

Accepting is cheap and always goes first; carrying out begins at most `rate` times a second after a burst.
PagerDuty allows an account's key 16 calls a second, so nobody waits here who would not wait there; in quiet
times nobody waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

RATE = 50.0  # commands begun per second, once the burst is used up
BURST = 50


class Turns:
    """First come, first served. `clock` gives monotonic seconds."""

    def __init__(
        self, *, rate: float = RATE, burst: int = BURST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gap = 1.0 / rate
        self._slack = self._gap * burst
        self._clock = clock
        self._next = 0.0

    async def wait(self) -> None:
        """Returns when it is this one's turn."""
        now = self._clock()
        self._next = max(self._next, now - self._slack) + self._gap
        if self._next > now:
            await asyncio.sleep(self._next - now)
