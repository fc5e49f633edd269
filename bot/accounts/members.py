"""Which Slack users this bot answers, in both modes: full members of this workspace, alive and human.

Guests, people of other organisations, bots and deactivated accounts are refused unless a setting lets their
kind in. Called by the modes (by_email.py, by_link.py) before anything else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache

from bot.errors import NotAllowed
from bot.model import SlackProfile, SlackUser
from bot.slack.failures import UserUnreachable
from bot.slack.workspaces import Workspaces

# how long a Slack profile may be old: somebody made a guest stops acting within a minute
PROFILE_SECONDS = 60.0
MOST_PROFILES = 5000


@dataclass(frozen=True, slots=True)
class Allowed:
    """The kinds of Slack users that are let in though they are not full members."""

    guests: bool = False
    strangers: bool = False
    bots: bool = False
    deactivated: bool = False


class Members:
    """Profiles, at most a minute old, and who is refused."""

    def __init__(
        self,
        workspaces: Workspaces,
        *,
        allowed: Allowed | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workspaces = workspaces
        self._allowed = allowed or Allowed()
        self._profiles: TTLCache[SlackUser, SlackProfile] = TTLCache(MOST_PROFILES, PROFILE_SECONDS, timer)
        self._asking: dict[SlackUser, asyncio.Task[SlackProfile]] = {}

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
        allowed = self._allowed
        if profile.is_deleted and not allowed.deactivated:
            return "Your Slack account is deactivated. Ask a Slack admin."
        if profile.is_bot and not allowed.bots:
            return "Bots and workflows cannot use me. A person has to do this."
        elsewhere = profile.home_team is not None and profile.home_team != team_id
        if (profile.is_stranger or elsewhere) and not allowed.strangers:
            return (
                "You belong to another organisation, and I only work for members of this workspace. "
                "Ask somebody here to do it."
            )
        if profile.is_guest and not allowed.guests:
            return (
                "You are a guest in this Slack workspace, and I only work for full members. "
                "Ask a full member, or a Slack admin to make you one."
            )
        return None
