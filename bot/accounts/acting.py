"""Who asks, and how they act: the values and the one interface that both modes share.

bot/command asks an `Accounts` who somebody is and gets an `Acting`: their profile, their PagerDuty user and a
client bound to them. by_email.py and by_link.py are the two kinds there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.model import Person, SlackProfile, SlackUser
from bot.pagerduty.client import PagerDuty


@dataclass(frozen=True, slots=True)
class Acting:
    """A person and a PagerDuty client that acts as them; `kind` says how: email or oauth."""

    profile: SlackProfile
    person: Person
    pagerduty: PagerDuty
    kind: str = "email"


@dataclass(frozen=True, slots=True)
class Link:
    """Somebody's living link to PagerDuty (OAuth mode only). `missing` are the scopes this bot asks for that
    were not granted; `ends_at` when it runs out, None where it is renewed; `is_readable`: its tokens are
    sealed with a key we have.
    """

    person: Person
    scopes: frozenset[str]
    linked_at: datetime
    missing: tuple[str, ...] = ()
    ends_at: datetime | None = None
    is_readable: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """A link that was; `why` is a plain sentence."""

    person: Person
    ended_at: datetime
    why: str


class Accounts(Protocol):
    """One mode of acting as somebody."""

    mode: Literal["email", "oauth"]

    def reader(self) -> PagerDuty:
        """The account key's client, for reads only."""

    async def member(self, user: SlackUser) -> SlackProfile:
        """A person this bot answers. Raises NotAllowed."""

    async def person(self, profile: SlackProfile) -> Person:
        """The PagerDuty user of this Slack user. Raises NotLinked."""

    async def act_as(self, user: SlackUser, scope: str) -> Acting:
        """A client that acts as this person; `scope` is told in a refusal. Raises NotAllowed or NotLinked."""

    async def link_of(self, user: SlackUser) -> Link | Ended | None:
        """How their link stands; None when there never was one, and always in e-mail mode."""

    async def linked_in(self, team_id: str) -> Mapping[str, str] | None:
        """PagerDuty user id → Slack user id of everybody linked in a workspace; None in e-mail mode."""

    async def unlink(self, user: SlackUser) -> bool | None:
        """Forget their tokens; None when there were none, else whether PagerDuty says they are revoked."""
