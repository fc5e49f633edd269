"""Whether whoever consented in PagerDuty is the Slack user who is to be linked.

A link can be sent to somebody else, who consents: then the sender would act with their name. So a link is
only made without more ado when Slack's confirmed e-mail address and PagerDuty's login address are one, no
other Slack user has that address, and the PagerDuty user is linked to nobody else here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from bot.errors import NotAllowed
from bot.model import Person, SlackProfile, SlackUser
from bot.slack.workspaces import Workspaces

NO_EMAIL = "no confirmed e-mail address"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why it takes more: the addresses differ, PagerDuty's belongs to another Slack user, or the PagerDuty
    user is linked to another (`other`).
    """

    kind: Literal["email", "owner", "taken"]
    said: str
    other: SlackUser | None = None


class LinkedTo(Protocol):
    """bot/store/accounts.py."""

    async def linked_to(self, team_id: str, person_id: str) -> SlackUser | None: ...


class Proof:
    """The e-mail rule."""

    def __init__(self, workspaces: Workspaces, accounts: LinkedTo) -> None:
        self._workspaces = workspaces
        self._accounts = accounts

    async def doubt(self, profile: SlackProfile, person: Person) -> Doubt | None:
        """None when the link is plain. Raises SlackFailure when Slack does not tell, NotAllowed when it does
        not know us.
        """
        user = profile.user
        holder = await self._accounts.linked_to(user.team_id, person.id)
        if holder is not None and holder != user:
            return Doubt("taken", f"{person.name} is linked to another Slack user already.", holder)
        email = confirmed_email(profile)
        if email is None or person.email is None or email.casefold() != person.email.casefold():
            said = f"Slack knows {email or NO_EMAIL}, PagerDuty {person.email or 'no e-mail address'}."
            return Doubt("email", said)
        slack = self._workspaces.for_team(user.team_id)
        if slack is None:
            raise NotAllowed("This Slack workspace is not connected to me. Ask whoever runs this bot.")
        owner = await slack.user_by_email(person.email)
        if owner is not None and owner.user.id != user.id:
            said = f"The address {person.email} belongs to another Slack user, {owner.name}."
            return Doubt("owner", said, owner.user)
        return None


def confirmed_email(profile: SlackProfile) -> str | None:
    """The address Slack has made sure of."""
    return profile.email if profile.email and profile.email_confirmed else None
