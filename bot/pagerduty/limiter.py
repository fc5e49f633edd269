"""Slowing down before PagerDuty's rate limit is hit, for each credential by itself.

PagerDuty tells on every answer how many requests are left in the minute (its "Rate Limiting" page;
`ratelimit-*`, on some endpoints `x-ratelimit-*`), whichever replica has used them. Requests race past each
other, so a few are kept in reserve, and what was learnt expires by itself: a counter that nobody renews must
not block for ever. Nobody waits for a sweep: what reads in the background leaves a share of every minute to
people, and people's reads leave a few requests to their acts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from cachetools import LRUCache

RESERVE = 15
"""Requests kept back for acts: with ten in flight a reserve of 1 was overrun, 15 was not."""
PEOPLES_SHARE = 0.25
"""Of the limit: what the background leaves alone, for people's reads and acts."""
SLOW_FROM = 0.1  # of the limit: with less to use, requests are spread over what is left of the minute
LONGEST_SPREAD = 2.0  # seconds between two requests while slowing down
LONGEST_WINDOW = 120.0  # seconds; the documented one is a minute
DOCUMENTED_LIMIT = 960  # requests a minute, where the headers do not tell
SAME_WINDOW = 1.5  # seconds: resets are told in whole ones


@dataclass(slots=True)
class _Window:
    limit: int
    remaining: int
    ends: float


@dataclass(frozen=True, slots=True)
class Left:
    """How many of a minute's requests one token has left."""

    remaining: int
    limit: int

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return max(0.0, self.remaining / self.limit) if self.limit else 0.0


class Rank(Enum):
    """Whose request it is: the later, the more of what is left it may use."""

    BACKGROUND = "background"  # nobody waits for it
    READ = "read"
    ACT = "act"

    def leaves(self, limit: int) -> int:
        """How many requests of the minute's `limit` it leaves to the others."""
        if self is Rank.ACT:
            return 0
        if self is Rank.READ:
            return RESERVE
        return max(2 * RESERVE, int(limit * PEOPLES_SHARE))


class Limiter:
    """What is left, per credential. Times are seconds of `timer` (monotonic)."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._windows: LRUCache[Hashable, _Window] = LRUCache(2_000)

    def blocked(self, who: Hashable, rank: Rank = Rank.READ) -> float:
        """Seconds until there is one to take; 0 when there is one."""
        window = self._present(who)
        if window is None or window.remaining > rank.leaves(window.limit):
            return 0.0
        return window.ends - self._timer()

    def take(self, who: Hashable, rank: Rank = Rank.READ) -> float:
        """Use up one; returns the seconds to let pass before it is sent."""
        window = self._present(who)
        if window is None:
            return 0.0
        spare = max(1, window.remaining - rank.leaves(window.limit))
        window.remaining -= 1
        if rank is Rank.ACT or spare > window.limit * SLOW_FROM:
            return 0.0
        return min((window.ends - self._timer()) / spare, LONGEST_SPREAD)

    def learn(self, who: Hashable, headers: Mapping[str, str]) -> None:
        """Take in what an answer told; `headers` find a name in any case, as aiohttp's do."""
        remaining = _number(headers, "ratelimit-remaining")
        reset = _number(headers, "ratelimit-reset")
        if remaining is None or reset is None:
            return
        ends = self._timer() + min(reset, LONGEST_WINDOW)
        window = self._present(who)
        if window is not None and ends <= window.ends + SAME_WINDOW:
            # Answers overtake each other: within one window the smallest number is the latest.
            remaining = min(remaining, window.remaining)
        limit = _number(headers, "ratelimit-limit") or DOCUMENTED_LIMIT
        self._windows[who] = _Window(int(limit), int(remaining), ends)

    def exhausted(self, who: Hashable, seconds: float) -> None:
        """PagerDuty said 429: there is nothing left for so long."""
        window = self._present(who)
        limit = window.limit if window else DOCUMENTED_LIMIT
        self._windows[who] = _Window(limit, 0, self._timer() + min(seconds, LONGEST_WINDOW))

    def left(self) -> Iterator[tuple[Hashable, Left]]:
        """Of each one that PagerDuty told of in its present minute."""
        for who in list(self._windows):
            if window := self._present(who):
                yield who, Left(window.remaining, window.limit)

    def _present(self, who: Hashable) -> _Window | None:
        window = self._windows.get(who)
        if window is not None and window.ends <= self._timer():
            del self._windows[who]
            return None
        return window


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds PagerDuty asks to wait: `Retry-After`, else the limit's reset; None when it says nothing."""
    told = _number(headers, "retry-after")
    return told if told is not None else _number(headers, "ratelimit-reset")


def _number(headers: Mapping[str, str], name: str) -> float | None:
    for spelling in (name, f"x-{name}"):
        value = headers.get(spelling, "")
        # Retry-After may also be a date; then the backoff has to do.
        if value.isascii() and value.isdigit() and len(value) < 9:
            return float(value)
    return None
