"""E-mail mode: the account key, with `From:` set to the PagerDuty user whose login e-mail equals the Slack
user's confirmed one.

PagerDuty enforces nobody's role behind an account key, so roles that may not respond are refused here, and
so are unconfirmed e-mail addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from bot.accounts.acting import Acting, Ended, Link
from bot.accounts.members import Members
from bot.errors import NotAllowed, NotLinked
from bot.model import Person, SlackProfile, SlackUser
from bot.pagerduty.client import PagerDuty

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


class AccountsByEmail:
    """See bot/accounts/acting.py for what it answers."""

    mode: Literal["email", "oauth"] = "email"

    def __init__(self, members: Members, users: Users, account: PagerDuty) -> None:
        self._members = members
        self._users = users
        self._account = account

    def reader(self) -> PagerDuty:
        """The account key's client, for reads only."""
        return self._account

    async def member(self, user: SlackUser) -> SlackProfile:
        """A person this bot answers: of this workspace, a full member, alive. Raises NotAllowed."""
        return await self._members.member(user)

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
        return Acting(profile, person, self._account.acting_as(person.email, f"{user.team_id}:{user.id}"))

    async def link_of(self, user: SlackUser) -> Link | Ended | None:
        """Nobody links anything in this mode."""
        return None

    async def linked_in(self, team_id: str) -> Mapping[str, str] | None:
        """Nobody is: being matched is all there is."""
        return None

    async def unlink(self, user: SlackUser) -> bool | None:
        """Nothing to forget."""
        return None
