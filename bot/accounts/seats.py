"""What is open to people without a PagerDuty user: looking things up, and triggering, as settings say.

Somebody has a seat when they are linked (or were), or when a PagerDuty user logs in with their confirmed
e-mail address, whichever the mode. Asked by bot/command/steps.py.
"""

from __future__ import annotations

from bot.accounts.acting import Accounts
from bot.accounts.by_email import Users
from bot.model import SlackProfile, SlackUser


class Seats:
    """`lookups`, `trigger`: whether people without a seat may."""

    def __init__(
        self, accounts: Accounts, users: Users, *, lookups: bool = True, trigger: bool = False
    ) -> None:
        self._accounts = accounts
        self._users = users
        self._lookups = lookups
        self._trigger = trigger

    async def check_reading(self, profile: SlackProfile) -> None:
        """Raises NotLinked when only people with a seat may look things up, and this is none."""
        if not self._lookups and not await self._has_same_email(profile):
            await self._accounts.person(profile)

    async def may_trigger_without(self, user: SlackUser) -> bool:
        """Whether people without a seat may trigger, and this is one of them. Raises NotAllowed."""
        if not self._trigger or await self._accounts.link_of(user) is not None:
            return False
        return not await self._has_same_email(await self._accounts.member(user))

    async def _has_same_email(self, profile: SlackProfile) -> bool:
        if not profile.email or not profile.email_confirmed:
            return False
        return await self._users.user_by_email(profile.email) is not None
