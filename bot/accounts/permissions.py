"""Who may do what beyond PagerDuty's own answer: the bot's admins, and who may subscribe channels.

Settings name people (`U…`) and Slack user groups (`S…`) of the default workspace, or of another one
(`T…:U…`): nobody is an admin by an id that means somebody else there. Who is in a group is asked at most
every five minutes; a group that cannot be read has nobody in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog
from cachetools import TTLCache

from bot.declaration import Command
from bot.errors import NotAllowed, SlackFailure
from bot.model import SlackUser
from bot.slack.workspaces import Workspaces

GROUP_SECONDS = 300.0
FAILED_SECONDS = 30.0  # until a group that could not be read is asked about again
MOST_GROUPS = 500
EVERYONE, ADMINS = "everyone", "admins"

log = structlog.get_logger("pagerline.permissions")


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

    def __init__(
        self,
        workspaces: Workspaces,
        *,
        admins: Sequence[str] = (),
        subscribers: Sequence[str] = (EVERYONE,),
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workspaces = workspaces
        self._admins = admins
        self._subscribers = subscribers
        self._groups = Groups(workspaces, timer=timer)

    async def is_admin(self, user: SlackUser) -> bool:
        """One of ADMINS, by name or by group."""
        return user in await self._named(self._admins)

    async def admin_ids(self, team_id: str) -> list[str]:
        """Every admin of a workspace, each once, as Slack user ids."""
        return [one.id for one in await self.admins() if one.team_id == team_id]

    async def admins(self) -> list[SlackUser]:
        """Every admin, each once."""
        return list(dict.fromkeys(await self._named(self._admins)))

    async def may_subscribe(self, user: SlackUser) -> bool:
        """Named by SUBSCRIBERS; the bot's admins always may."""
        named = self._subscribers
        if EVERYONE in named or await self.is_admin(user):
            return True
        return user in await self._named([one for one in named if one != ADMINS])

    async def _named(self, names: Sequence[str]) -> list[SlackUser]:
        """The people of these settings, groups as who is in them; of workspaces we do not serve, nobody."""
        found: list[SlackUser] = []
        for name in names:
            place = self._workspaces.locate(name)
            if place is None:
                continue
            if place.id.startswith("S"):
                ids = await self._groups.members(place.team_id, place.id)
                found += [SlackUser(place.team_id, one) for one in ids]
            else:
                found.append(place)
        return found

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
