"""Who asks, and how they act: the values and the one interface that both modes share.

bot/command asks an `Accounts` who somebody is and gets an `Acting`: their profile, their PagerDuty user and a
client bound to them. by_email.py and by_link.py are the two kinds there are.
"""

from __future__ import annotations

from dataclasses import dataclass
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
