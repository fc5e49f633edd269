"""Who somebody is in PagerDuty, and a client that acts as them. E-mail mode: the account key, with `From:`
set to the PagerDuty user whose login e-mail equals the Slack user's confirmed one.

PagerDuty enforces nobody's role behind an account key, so everything it would refuse is refused here: guests,
people of other workspaces, bots, deleted accounts, unconfirmed e-mail addresses, and roles that may not
respond. Only this module and bot/pagerduty/http.py ever hold a token.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cachetools import TTLCache

from bot.errors import NotAllowed, NotLinked
from bot.model import Person, SlackProfile, SlackUser
from bot.pagerduty.client import PagerDuty
from bot.slack.failures import UserUnreachable
from bot.slack.workspaces import Workspaces

# how long a Slack profile may be old: somebody made a guest stops acting within a minute
PROFILE_SECONDS = 60.0
MOST_PROFILES = 5000
MAY_ACT = frozenset({"owner", "admin", "user", "limited_user"})
ROLE_NAMES = {
    "observer": "Observer",
    "read_only_user": "Stakeholder",
    "read_only_limited_user": "Limited Stakeholder",
    "restricted_access": "Restricted Access",
}


class Users(Protocol):
    """PagerDuty's users (the directory's cache)."""

    async def user_by_email(self, email: str) -> Person | None:
        """The user whose login e-mail is exactly this one, whatever its case. Raises PagerDutyFailure."""


@dataclass(frozen=True, slots=True)
class Acting:
    """A person and a PagerDuty client that acts as them; `kind` says how: email, later oauth."""

    profile: SlackProfile
    person: Person
    pagerduty: PagerDuty
    kind: str = "email"


class Accounts:
    """E-mail mode. OAuth takes its place with the same three questions."""

    mode = "email"

    def __init__(
        self,
        workspaces: Workspaces,
        users: Users,
        account: PagerDuty,
        *,
        allow_guests: bool = False,
        allow_strangers: bool = False,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workspaces = workspaces
        self._users = users
        self._account = account
        self._allow_guests = allow_guests
        self._allow_strangers = allow_strangers
        self._profiles: TTLCache[SlackUser, SlackProfile] = TTLCache(MOST_PROFILES, PROFILE_SECONDS, timer)
        self._asking: dict[SlackUser, asyncio.Task[SlackProfile]] = {}

    def reader(self) -> PagerDuty:
        """The account key's client, for reads only."""
        return self._account

    async def profile(self, user: SlackUser) -> SlackProfile:
        """Who the Slack user is, at most a minute old. Raises NotAllowed when Slack does not show them."""
        known = self._profiles.get(user)
        if known is not None:
            return known
        asking = self._asking.get(user)
        if asking is None:
            asking = asyncio.ensure_future(self._ask(user))
            self._asking[user] = asking
            asking.add_done_callback(lambda done: self._asked(user, done))
        return await asyncio.shield(asking)

    def _asked(self, user: SlackUser, done: asyncio.Task[SlackProfile]) -> None:
        self._asking.pop(user, None)
        if not done.cancelled():
            done.exception()  # whoever waits hears of it; when nobody does any more, nobody needs to

    async def _ask(self, user: SlackUser) -> SlackProfile:
        slack = self._workspaces.for_team(user.team_id)
        if slack is None:
            raise NotAllowed("This Slack workspace is not connected to me. Ask whoever runs this bot.")
        try:
            profile = await slack.profile(user.id)
        except UserUnreachable:
            raise NotAllowed(
                "Slack does not show me your profile, so I cannot tell who you are. "
                "Ask a Slack admin whether you are a full member here."
            ) from None
        self._profiles[user] = profile
        return profile

    async def member(self, user: SlackUser) -> SlackProfile:
        """A person this bot answers: of this workspace, a full member, alive. Raises NotAllowed."""
        profile = await self.profile(user)
        if reason := self._refusal(profile, user.team_id):
            raise NotAllowed(reason)
        return profile

    def _refusal(self, profile: SlackProfile, team_id: str) -> str | None:
        if profile.is_deleted:
            return "Your Slack account is deactivated. Ask a Slack admin."
        if profile.is_bot:
            return "Bots and workflows cannot use me. A person has to do this."
        elsewhere = profile.home_team is not None and profile.home_team != team_id
        if (profile.is_stranger or elsewhere) and not self._allow_strangers:
            return (
                "You belong to another organisation, and I only work for members of this workspace. "
                "Ask somebody here to do it."
            )
        if profile.is_guest and not self._allow_guests:
            return (
                "You are a guest in this Slack workspace, and I only work for full members. "
                "Ask a full member, or a Slack admin to make you one."
            )
        return None

    async def person(self, profile: SlackProfile) -> Person:
        """The PagerDuty user of this Slack user. Raises NotLinked."""
        if not profile.email:
            raise NotLinked(
                "Slack does not tell me your e-mail address, so I cannot find you in PagerDuty. "
                "Ask whoever runs this bot to give it the scope users:read.email."
            )
        if not profile.email_confirmed:
            raise NotLinked(
                "Your e-mail address is not confirmed in Slack, so I cannot rely on it. "
                "Confirm it in your Slack account settings, then try again."
            )
        person = await self._users.user_by_email(profile.email)
        if person is None:
            raise NotLinked(
                f"No PagerDuty user logs in as {profile.email}. "
                "Ask a PagerDuty admin to give your user the e-mail address you use in Slack."
            )
        return person

    async def act_as(self, user: SlackUser, scope: str) -> Acting:
        """A client that acts as this person; `scope` is told in a refusal. Raises NotAllowed or NotLinked."""
        profile = await self.member(user)
        person = await self.person(profile)
        if person.role not in MAY_ACT:
            role = ROLE_NAMES.get(person.role or "", person.role or "unknown")
            raise NotAllowed(
                f"Your PagerDuty role is {role}, which may not do this ({scope}). "
                "Ask a PagerDuty admin to make you a Responder."
            )
        assert person.email is not None
        return Acting(profile, person, self._account.acting_as(person.email))
