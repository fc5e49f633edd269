"""Who may do what beyond PagerDuty's own answer: the bot's admins, who may subscribe channels, and what is open
to people without a PagerDuty user.

Settings name people (`U…`) and Slack user groups (`S…`) of the workspace whose token stands in the settings;
`T…:U…` and `T…:S…` are those of another one, so that nobody is an admin by an id that means somebody else
there. Who is in a group is asked at most every five minutes; a group that cannot be read has nobody in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from cachetools import TTLCache

from bot.accounts.acting import Accounts
from bot.accounts.by_email import Users
from bot.declaration import Command
from bot.errors import NotAllowed, NotLinked, SlackFailure
from bot.model import SlackProfile, SlackUser
from bot.slack.workspaces import Workspaces

GROUP_SECONDS = 300.0
FAILED_SECONDS = 30.0  # until a group that could not be read is asked about again
MOST_GROUPS = 500
EVERYONE, ADMINS = "everyone", "admins"

log = structlog.get_logger("pagerline.permissions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings; `home` is the workspace their bare ids belong to."""

    home: str
    admins: Sequence[str] = ()
    subscribers: Sequence[str] = (EVERYONE,)
    lookups_without_seat: bool = True
    trigger_without_seat: bool = False


class Groups:
    """Who is in a Slack user group, at most five minutes old."""

    def __init__(self, workspaces: Workspaces, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._workspaces = workspaces
        self._known: TTLCache[tuple[str, str], tuple[str, ...]] = TTLCache(MOST_GROUPS, GROUP_SECONDS, timer)
        self._failed: TTLCache[tuple[str, str], bool] = TTLCache(MOST_GROUPS, FAILED_SECONDS, timer)
        self._asking = asyncio.Lock()

    async def members(self, team_id: str, group_id: str) -> tuple[str, ...]:
        """Slack user ids; none when Slack does not tell."""
        key = (team_id, group_id)
        async with self._asking:  # few groups, and whoever waits needs the answer that is on its way
            known = self._known.get(key)
            if known is not None or key in self._failed:
                return known or ()
            slack = self._workspaces.for_team(team_id)
            if slack is None:
                return ()
            try:
                found = tuple(await slack.usergroup_members(group_id))
            except SlackFailure as failure:
                log.warning("user_group_not_read", group=group_id, code=failure.code)
                self._failed[key] = True
                return ()
            self._known[key] = found
            return found


class Permissions:
    """Asked by bot/command/steps.py before a handler runs; by whoever writes to the admins."""

    def __init__(self, rules: Rules, groups: Groups, accounts: Accounts, users: Users) -> None:
        self._rules = rules
        self._groups = groups
        self._accounts = accounts
        self._users = users

    # --------------------------------------------------------------------------------------------- settings

    async def is_admin(self, user: SlackUser) -> bool:
        """One of ADMINS, by name or by group."""
        return user.id in await self._named(self._rules.admins, user.team_id)

    async def admin_ids(self, team_id: str) -> list[str]:
        """Every admin of a workspace, each once, as Slack user ids."""
        return list(dict.fromkeys(await self._named(self._rules.admins, team_id)))

    async def may_subscribe(self, user: SlackUser) -> bool:
        """Named by SUBSCRIBERS; the bot's admins always may."""
        named = self._rules.subscribers
        if EVERYONE in named or await self.is_admin(user):
            return True
        return user.id in await self._named([one for one in named if one != ADMINS], user.team_id)

    async def _named(self, names: Sequence[str], team_id: str) -> list[str]:
        found: list[str] = []
        for ident in self._of(names, team_id):
            if ident.startswith("S"):
                found += await self._groups.members(team_id, ident)
            else:
                found.append(ident)
        return found

    def _of(self, names: Sequence[str], team_id: str) -> Iterator[str]:
        for name in names:
            team, _, ident = name.rpartition(":")
            if (team or self._rules.home) == team_id:
                yield ident

    # ------------------------------------------------------------------------------------------ the command

    async def check(self, command: Command, user: SlackUser) -> None:
        """Raises NotAllowed when a setting keeps this command from this person."""
        if command.admins_only and not await self.is_admin(user):
            raise NotAllowed(
                f"`{command.verb}` is for the people who run this bot (its setting ADMINS). Ask one of them."
            )
        if command.subscribers_only and not await self.may_subscribe(user):
            raise NotAllowed(
                "Not everybody may change what channels follow (the bot's setting SUBSCRIBERS). "
                "Ask one of the people who run this bot."
            )

    async def check_reading(self, profile: SlackProfile) -> None:
        """Raises NotLinked when only people with a PagerDuty user may look things up, and this is none."""
        if self._rules.lookups_without_seat or await self._has_same_email(profile):
            return
        await self._accounts.person(profile)

    async def may_trigger_without_seat(self, user: SlackUser) -> bool:
        """Whether people without a PagerDuty user may trigger, and this is one of them."""
        if not self._rules.trigger_without_seat:
            return False
        if await self._accounts.link_of(user) is not None:
            return False
        return not await self._has_same_email(await self._accounts.member(user))

    async def _has_same_email(self, profile: SlackProfile) -> bool:
        if not profile.email or not profile.email_confirmed:
            return False
        return await self._users.user_by_email(profile.email) is not None
