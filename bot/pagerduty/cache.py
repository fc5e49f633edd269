"""What was read from PagerDuty, kept for a while: never asked for twice at once, given out old while a newer
one is fetched where that does no harm, and dropped before its time when something changed.

Under bot/pagerduty/directory.py, which says what may be how old. A key is a name, or a name and what of it
was asked for; figures go by the name alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog
from cachetools import LRUCache

from bot.errors import PagerDutyFailure

log = structlog.get_logger("pagerline.directory")

USABLE = 3600.0  # seconds something is given out while a newer one is fetched
MOST_KEYS = 2000

Fetch = Callable[[], Awaitable[Any]]


class Figures(Protocol):
    """bot/metrics.py."""

    def cache_lookup(self, cache: str, outcome: str) -> None:
        """One lookup: hit, stale (an old one given out), miss (waited for PagerDuty), failed."""

    def cache_forgotten(self, cache: str) -> None:
        """One entry was dropped before its time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Seconds are the cache's clock's."""

    value: Any
    fetched_at: float
    fresh_until: float
    is_outdated: bool = False  # it changed in PagerDuty: given out only where a newer one cannot be had


class Cache:
    """`clock` is monotonic seconds; it belongs to tests."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, figures: Figures | None = None
    ) -> None:
        self._clock = clock
        self._figures = figures
        self._kept: LRUCache[Hashable, Kept] = LRUCache(MOST_KEYS)
        self._fetching: dict[Hashable, asyncio.Task[Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def get(
        self,
        key: Hashable,
        fresh: float,
        fetch: Fetch,
        *,
        stale: bool,
        expiry: Callable[[Any], float] | None = None,
        counted: bool = True,
    ) -> Any:
        """What `fetch` gives, at most `fresh` seconds old (`expiry` of the value: less); `stale`: older
        rather than late or not at all. Raises PagerDutyFailure. `counted`: somebody asks who would have
        waited.
        """
        outcome = "failed"
        try:
            value, outcome = await self._look_up(key, fresh, fetch, stale=stale, expiry=expiry)
        finally:
            if counted and self._figures is not None:
                self._figures.cache_lookup(_name(key), outcome)
        return value

    def known(self, key: Hashable, *, fresh: bool) -> Any:
        """What is kept, without asking; None when there is nothing, it changed since, or is not `fresh`."""
        kept = self._kept.get(key)
        if kept is None or kept.is_outdated or (fresh and self._clock() >= kept.fresh_until):
            return None
        return kept.value

    def forget(self, *names: str) -> None:
        """Something of these changed in PagerDuty: the next one who asks gets it anew, also where an older
        one is being fetched just now. While PagerDuty is away the old one is given out on.
        """
        for key, kept in list(self._kept.items()):
            if _name(key) in names and not kept.is_outdated:
                self._kept[key] = replace(kept, is_outdated=True)
                if self._figures is not None:
                    self._figures.cache_forgotten(_name(key))
        for key in list(self._fetching):
            if _name(key) in names:
                del self._fetching[key]

    async def close(self) -> None:
        """Stop what is being fetched."""
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _look_up(
        self,
        key: Hashable,
        fresh: float,
        fetch: Fetch,
        *,
        stale: bool,
        expiry: Callable[[Any], float] | None,
    ) -> tuple[Any, str]:
        """The value, and how it was come by. Raises PagerDutyFailure."""
        kept, now = self._kept.get(key), self._clock()
        if kept is not None and now < kept.fresh_until and not kept.is_outdated:
            return kept.value, "hit"
        task = self._fetching.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetch(key, fresh, fetch, expiry))
            self._fetching[key] = task
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._fetched(key, done))
        if stale and kept is not None and not kept.is_outdated and now - kept.fetched_at < USABLE:
            return kept.value, "stale"
        try:
            return await asyncio.shield(task), "miss"
        except PagerDutyFailure:
            if stale and kept is not None:
                return kept.value, "stale"
            raise

    async def _fetch(
        self,
        key: Hashable,
        fresh: float,
        fetch: Fetch,
        expiry: Callable[[Any], float] | None,
    ) -> Any:
        value = await fetch()
        # What changed meanwhile may not be in it: then whoever asks next fetches again.
        if self._fetching.get(key) is asyncio.current_task():
            now = self._clock()
            lasts = min(fresh, expiry(value)) if expiry else fresh
            self._kept[key] = Kept(value, now, now + lasts)
        return value

    def _fetched(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if self._fetching.get(key) is task:
            del self._fetching[key]
        with contextlib.suppress(asyncio.CancelledError):
            if isinstance(problem := task.exception(), PagerDutyFailure):
                log.info("directory_not_renewed", what=str(key)[:60], reason=str(problem))


def _name(key: Hashable) -> str:
    """Of the list: keys are a name, or a name and what of it was asked for."""
    return str(key[0]) if isinstance(key, tuple) else str(key)
