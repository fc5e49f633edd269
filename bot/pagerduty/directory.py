"""PagerDuty's services, policies, people and shifts from a cache: warm, never asked twice at once, and still
there when PagerDuty is not.

Names change rarely, so a list may be minutes old, is renewed behind the answer, and outlives an outage. Who
is on call must be true: at most a minute old, never past the earliest end of a shift, never stale, and never
used to page.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.background import rest
from bot.errors import PagerDutyFailure
from bot.model import OnCall, Person, Policy, Priority, Reference, Service
from bot.pagerduty.cache import Cache, Figures
from bot.pagerduty.client import PagerDuty

log = structlog.get_logger("pagerline.directory")

FRESH = 300.0  # seconds a list counts as fresh
ON_CALL_FRESH = 60.0  # seconds

# By the first word of what is written to in PagerDuty: the lists that may show it.
CHANGED_BY: Mapping[str, tuple[str, ...]] = {
    "services": ("services",),
    "escalation_policies": ("policies", "services", "on_calls"),
    "schedules": ("schedules", "on_calls"),
    "teams": ("teams", "services", "policies"),
    "users": ("users", "email", "teams", "on_calls"),
    "priorities": ("priorities",),
}


def lists_changed_by(path: str) -> tuple[str, ...]:
    """The lists that a write to this path (or its template) may have changed; none for incidents."""
    words = path.strip("/").removeprefix("v3/").partition("/")
    return CHANGED_BY.get(words[0], ())


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
        figures: Figures | None = None,
    ) -> None:
        self._client = client
        self._now = now
        self._cache = Cache(clock=clock, figures=figures)
        self._ranks: dict[str, int] = {}
        self._fetches: Mapping[str, Callable[[], Awaitable[Sequence[Any]]]] = {
            "services": client.services,
            "policies": client.policies,
            "schedules": client.schedules,
            "teams": client.teams,
            "users": client.users,
            "priorities": self._fetch_priorities,
        }

    # --------------------------------------------------------------------------------------------- lists

    async def services(self) -> Sequence[Service]:
        """All services."""
        return await self._list("services")

    async def policies(self) -> Sequence[Policy]:
        """All escalation policies."""
        return await self._list("policies")

    async def schedules(self) -> Sequence[Reference]:
        """All schedules."""
        return await self._list("schedules")

    async def teams(self) -> Sequence[Reference]:
        """All teams."""
        return await self._list("teams")

    async def users(self) -> Sequence[Person]:
        """All users."""
        return await self._list("users")

    async def priorities(self) -> Sequence[Priority]:
        """Priorities, most severe first."""
        return await self._list("priorities")

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
        found: Person | None = await self._cache.get(
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

    async def _list(self, name: str, *, counted: bool = True) -> Sequence[Any]:
        found: Sequence[Any] = await self._cache.get(
            name, FRESH, self._fetches[name], stale=True, counted=counted
        )
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

        found: Sequence[OnCall] = await self._cache.get(
            key, ON_CALL_FRESH, fetch, stale=False, expiry=self._shift_end
        )
        return found

    def on_calls_if_warm(self, policy_id: str) -> Sequence[OnCall] | None:
        """Who is on call for a policy as far as it is known without asking."""
        found: Sequence[OnCall] | None = self._cache.known(
            ("on_calls", (policy_id,), (), (), None), fresh=True
        )
        return found

    def policy_if_warm(self, policy_id: str) -> Policy | None:
        """A policy as far as it is known without asking."""
        found: Sequence[Policy] = self._cache.known("policies", fresh=False) or ()
        return next((one for one in found if one.id == policy_id), None)

    def _shift_end(self, shifts: Sequence[OnCall]) -> float:
        """Seconds until the earliest shift of these that runs now is over."""
        now = self._now()
        left = ((one.end - now).total_seconds() for one in shifts if one.end and one.end > now)
        return min(left, default=ON_CALL_FRESH)

    # ------------------------------------------------------------------------------------------- upkeep

    async def warm(self) -> None:
        """Fetch every list; what cannot be fetched now is fetched when it is asked for."""
        renewed = (self._list(name, counted=False) for name in self._fetches)
        for outcome in await asyncio.gather(*renewed, return_exceptions=True):
            if isinstance(outcome, PagerDutyFailure):
                log.warning("directory_not_warm", reason=str(outcome))
            elif isinstance(outcome, BaseException):
                raise outcome

    async def keep_warm(self, stop: asyncio.Event) -> None:
        """Until `stop`: lists are renewed before anybody waits for them."""
        while not stop.is_set():
            await self.warm()
            await rest(stop, FRESH)

    def forget(self, *lists: str) -> None:
        """Something of these changed in PagerDuty: the next one who asks gets it anew."""
        self._cache.forget(*lists)

    async def close(self) -> None:
        """Stop what is being fetched."""
        await self._cache.close()
