"""PagerDuty's services, policies, people and shifts from a cache: warm, never asked twice at once, and still
there when PagerDuty is not.

Names change rarely, so a list may be minutes old, is renewed behind the answer, and outlives an outage. Who
is on call must be true: at most a minute old, never past the earliest end of a shift, never stale, and never
used to page.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from cachetools import LRUCache

from bot.background import rest
from bot.errors import PagerDutyFailure
from bot.model import OnCall, Person, Policy, Priority, Reference, Service
from bot.pagerduty.client import PagerDuty

log = structlog.get_logger("pagerline.directory")

T = TypeVar("T")
FRESH = 300.0  # seconds a list counts as fresh
USABLE = 3600.0  # seconds it is served while a newer one is fetched
ON_CALL_FRESH = 60.0  # seconds
MOST_KEYS = 2000


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    fetched_at: float
    fresh_until: float


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


class Directory:
    """`clock` is monotonic seconds, `now` aware UTC; both belong to tests."""

    def __init__(
        self,
        client: PagerDuty,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._client = client
        self._clock = clock
        self._now = now
        self._kept: LRUCache[Hashable, _Kept] = LRUCache(MOST_KEYS)
        self._fetching: dict[Hashable, asyncio.Task[Any]] = {}
        self._ranks: dict[str, int] = {}

    # --------------------------------------------------------------------------------------------- lists

    async def services(self) -> Sequence[Service]:
        """All services."""
        return await self._list("services", self._client.services)

    async def policies(self) -> Sequence[Policy]:
        """All escalation policies."""
        return await self._list("policies", self._client.policies)

    async def schedules(self) -> Sequence[Reference]:
        """All schedules."""
        return await self._list("schedules", self._client.schedules)

    async def teams(self) -> Sequence[Reference]:
        """All teams."""
        return await self._list("teams", self._client.teams)

    async def users(self) -> Sequence[Person]:
        """All users."""
        return await self._list("users", self._client.users)

    async def priorities(self) -> Sequence[Priority]:
        """Priorities, most severe first."""
        return await self._list("priorities", self._fetch_priorities)

    def ranks(self) -> Mapping[str, int]:
        """Priority id → rank as last known, without asking: 0 is the most severe."""
        return self._ranks

    async def policy(self, policy_id: str) -> Policy | None:
        """One policy by id."""
        return next((one for one in await self.policies() if one.id == policy_id), None)

    async def user_by_email(self, email: str) -> Person | None:
        """The user whose login e-mail is exactly this one, whatever its case; a new one is asked for by
        itself.
        """
        wanted = email.casefold()
        for one in await self.users():
            if one.email and one.email.casefold() == wanted:
                return one
        found: Person | None = await self._cached(
            ("email", wanted), ON_CALL_FRESH, lambda: self._ask_for(wanted), stale=False
        )
        return found

    async def _ask_for(self, email: str) -> Person | None:
        found = await self._client.users_matching(email)
        return next((one for one in found if one.email and one.email.casefold() == email), None)

    async def _fetch_priorities(self) -> list[Priority]:
        found = await self._client.priorities()
        self._ranks = {one.id: one.rank for one in found if one.rank is not None}
        return found

    async def _list(self, key: str, fetch: Callable[[], Awaitable[Sequence[T]]]) -> Sequence[T]:
        found: Sequence[T] = await self._cached(key, FRESH, fetch, stale=True)
        return found

    # ------------------------------------------------------------------------------------------ on call

    async def on_calls(
        self,
        *,
        policies: Sequence[str] = (),
        schedules: Sequence[str] = (),
        users: Sequence[str] = (),
        until: datetime | None = None,
    ) -> Sequence[OnCall]:
        """Shifts now (and up to `until`), at most a minute old and never past the end of one. Raises
        PagerDutyFailure rather than answer with an old one.
        """
        ahead = round((until - self._now()).total_seconds() / 60) if until else None
        key = ("on_calls", tuple(policies), tuple(schedules), tuple(users), ahead)

        async def fetch() -> list[OnCall]:
            return await self._client.on_calls(
                policies=policies, schedules=schedules, users=users, until=until
            )

        found: Sequence[OnCall] = await self._cached(
            key, ON_CALL_FRESH, fetch, stale=False, expiry=self._shift_end
        )
        return found

    def on_calls_if_warm(self, policy_id: str) -> Sequence[OnCall] | None:
        """Who is on call for a policy as far as it is known without asking."""
        kept = self._kept.get(("on_calls", (policy_id,), (), (), None))
        if kept is None or self._clock() >= kept.fresh_until:
            return None
        found: Sequence[OnCall] = kept.value
        return found

    def policy_if_warm(self, policy_id: str) -> Policy | None:
        """A policy as far as it is known without asking."""
        kept = self._kept.get("policies")
        return next((one for one in kept.value if one.id == policy_id), None) if kept else None

    def _shift_end(self, shifts: Sequence[OnCall]) -> float:
        """Seconds until the earliest shift of these that runs now is over."""
        now = self._now()
        left = ((one.end - now).total_seconds() for one in shifts if one.end and one.end > now)
        return min(left, default=ON_CALL_FRESH)

    # ------------------------------------------------------------------------------------------- upkeep

    async def warm(self) -> None:
        """Fetch every list; what cannot be fetched now is fetched when it is asked for."""
        wanted = (self.services, self.policies, self.schedules, self.teams, self.users, self.priorities)
        for outcome in await asyncio.gather(*(one() for one in wanted), return_exceptions=True):
            if isinstance(outcome, PagerDutyFailure):
                log.warning("directory_not_warm", reason=str(outcome))
            elif isinstance(outcome, BaseException):
                raise outcome

    async def keep_warm(self, stop: asyncio.Event) -> None:
        """Until `stop`: lists are renewed before anybody waits for them."""
        while not stop.is_set():
            await self.warm()
            await rest(stop, FRESH)

    def forget(self, *kinds: str) -> None:
        """Something of these lists changed in PagerDuty: the next one who asks gets it anew."""
        for key in list(self._kept):
            if key in kinds or (isinstance(key, tuple) and key[0] in kinds):
                del self._kept[key]

    async def close(self) -> None:
        """Stop what is being fetched."""
        running = list(self._fetching.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    # ------------------------------------------------------------------------------------------ caching

    async def _cached(
        self,
        key: Hashable,
        fresh: float,
        fetch: Callable[[], Awaitable[Any]],
        *,
        stale: bool,
        expiry: Callable[[Any], float] | None = None,
    ) -> Any:
        kept, now = self._kept.get(key), self._clock()
        if kept is not None and now < kept.fresh_until:
            return kept.value
        task = self._fetching.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetch(key, fresh, fetch, expiry))
            self._fetching[key] = task
            task.add_done_callback(lambda done: self._fetched(key, done))
        if stale and kept is not None and now - kept.fetched_at < USABLE:
            return kept.value
        try:
            return await asyncio.shield(task)
        except PagerDutyFailure:
            if stale and kept is not None:
                return kept.value
            raise

    async def _fetch(
        self,
        key: Hashable,
        fresh: float,
        fetch: Callable[[], Awaitable[Any]],
        expiry: Callable[[Any], float] | None,
    ) -> Any:
        value = await fetch()
        now = self._clock()
        lasts = min(fresh, expiry(value)) if expiry else fresh
        self._kept[key] = _Kept(value, now, now + lasts)
        return value

    def _fetched(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        self._fetching.pop(key, None)
        with contextlib.suppress(asyncio.CancelledError):
            if isinstance(problem := task.exception(), PagerDutyFailure):
                log.info("directory_not_renewed", what=str(key)[:60], reason=str(problem))
