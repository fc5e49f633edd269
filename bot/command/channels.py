"""What happens to a channel in Slack: the bot is invited, removed, the channel archived or brought back.

Being invited greets once and mends what was broken there; being removed breaks the channel's subscriptions
and tells whoever made them. bot/delivery finds the same out by a refused post: telling happens once, whoever
is first.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from bot.errors import SlackFailure
from bot.model import Channel, Subscription
from bot.render.subscribing import broken_notices, greeting
from bot.slack.workspaces import Workspaces

log = structlog.get_logger("pagerline.command")

REMOVED = "I was removed from it."
ARCHIVED = "It was archived."


class ChannelSubscriptions(Protocol):
    """bot/store/subscriptions.py."""

    async def of_channel(self, channel: Channel) -> list[Subscription]: ...
    async def mark_broken(self, channel: Channel, reason: str) -> list[Subscription]: ...
    async def mend(self, channel: Channel) -> list[Subscription]: ...


class Once(Protocol):
    """bot/store/notices.py: True for exactly one caller."""

    async def claim(self, key: str) -> bool: ...


class Channels:
    """`hint` says that there may be something to deliver."""

    def __init__(
        self,
        subscriptions: ChannelSubscriptions,
        notices: Once,
        workspaces: Workspaces,
        *,
        hint: Callable[[], None],
        slash: str = "/pager",
    ) -> None:
        self._subscriptions = subscriptions
        self._notices = notices
        self._workspaces = workspaces
        self._hint = hint
        self._slash = slash

    def heard(
        self, kind: str, channel: Channel, *, user: str, event_id: str
    ) -> Coroutine[Any, Any, None] | None:
        """What to do about an event; None when there is nothing."""
        match kind:
            case "member_joined_channel":
                return self._joined(channel, user, event_id)
            case "channel_left" | "group_left":
                return self._broken(channel, REMOVED)
            case "channel_archive" | "group_archive":
                return self._broken(channel, ARCHIVED)
            case "channel_unarchive" | "group_unarchive":
                return self._mended(channel)
            case _:
                return None

    async def _joined(self, channel: Channel, user: str, event_id: str) -> None:
        slack = self._workspaces.for_team(channel.team_id)
        if slack is None or (await slack.who_we_are()).bot_user_id != user:
            return
        await self._mended(channel)
        if await self._subscriptions.of_channel(channel):
            return  # an old acquaintance
        if not await self._notices.claim(f"greeting:{channel.team_id}:{channel.id}:{event_id}"):
            return
        hello = greeting(slash=self._slash)
        try:
            await slack.post(channel.id, hello.text, hello.blocks)
        except SlackFailure as failure:
            log.warning("greeting_refused", channel=channel.id, code=failure.code)

    async def _mended(self, channel: Channel) -> None:
        mended = await self._subscriptions.mend(channel)
        log.info("channel_back", channel=channel.id, subscriptions=len(mended))
        self._hint()

    async def _broken(self, channel: Channel, reason: str) -> None:
        newly = await self._subscriptions.mark_broken(channel, reason)
        slack = self._workspaces.for_team(channel.team_id)
        if slack is None:
            return
        for maker, notice in broken_notices(channel.id, newly, reason):
            try:
                await slack.direct_message(maker, notice.text, notice.blocks)
            except SlackFailure as failure:
                log.warning("maker_not_told", user=maker, code=failure.code)
