"""Who is who: PagerDuty's users and Slack's, at start and on a period: by their link, or else by e-mail
address.

Delivery mentions people by it, "mine" and person queries read it. Acting never relies on it: bot/accounts
asks anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

import structlog

from bot.background import rest, rest_until
from bot.errors import Failure, SlackFailure
from bot.model import Person, SlackProfile, SlackUser
from bot.slack.workspaces import Workspaces
from bot.store.people import Match

log = structlog.get_logger("pagerline.people")

LinkedIn = Callable[[str], Awaitable[Mapping[str, str] | None]]
"""PagerDuty user id → Slack user id of everybody linked in a workspace (bot/accounts/acting.py)."""

PERIOD = 3600.0  # seconds
AFTER_FAILURE = 120.0


class PagerDutyUsers(Protocol):
    """Everybody in PagerDuty (bot/pagerduty/directory.py)."""

    async def users(self) -> Sequence[Person]: ...


class PeopleStore(Protocol):
    """bot/store/people.py."""

    async def replace_all(self, team_id: str, matches: Iterable[Match]) -> int: ...


class PeopleSync:
    """Fills the `people` table."""

    def __init__(
        self, users: PagerDutyUsers, workspaces: Workspaces, store: PeopleStore, linked_in: LinkedIn
    ) -> None:
        self._users = users
        self._workspaces = workspaces
        self._store = store
        self._linked_in = linked_in
        self._sooner = asyncio.Event()

    def hurry(self) -> None:
        """There is somebody new to match: do not wait for the hour to pass."""
        self._sooner.set()

    async def run(self, stop: asyncio.Event) -> None:
        """At once, then every hour; sooner again after a failure."""
        failing = False
        while not stop.is_set():
            try:
                await self.once()
                if failing:
                    log.info("people_matched_again")
                failing = False
            except Failure as failure:
                if not failing:
                    log.warning("people_not_matched", error=str(failure))
                failing = True
            await rest_until(stop, rest(self._sooner, AFTER_FAILURE if failing else PERIOD))
            self._sooner.clear()

    async def once(self) -> int:
        """Match everybody now; returns how many are known in both. Raises PagerDutyFailure, and SlackFailure
        after every workspace had its turn.
        """
        people = await self._users.users()
        known = 0
        failed: SlackFailure | None = None
        for slack in self._workspaces.all():
            try:
                matches = matched(people, await slack.users())
            except SlackFailure as failure:
                failed = failure
                continue
            linked = await self._linked_in(slack.team_id) or {}
            # Last, so that they count where an address says something else.
            matches += linked_ones(people, linked, slack.team_id)
            known += await self._store.replace_all(slack.team_id, matches)
        log.info("people_matched", known=known)
        if failed is not None:
            raise failed
        return known


def linked_ones(people: Iterable[Person], linked: Mapping[str, str], team_id: str) -> list[Match]:
    """Those who are linked, whatever their addresses."""
    return [
        Match(SlackUser(team_id, linked[person.id]), person.id, person.name, person.email)
        for person in people
        if person.id in linked
    ]


def matched(people: Iterable[Person], profiles: Iterable[SlackProfile]) -> list[Match]:
    """Those who have the same e-mail address in both, whatever its case; people alive and human only."""
    by_email = {person.email.casefold(): person for person in people if person.email}
    found = []
    for profile in profiles:
        if profile.is_bot or profile.is_deleted or profile.is_stranger or not profile.email_confirmed:
            continue
        person = by_email.get((profile.email or "").casefold())
        if person is not None:
            found.append(Match(profile.user, person.id, person.name, person.email))
    return found
