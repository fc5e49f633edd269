"""Channels that refuse us: whoever subscribed is told once, and it goes on when the bot is invited back.

Met by a call (bot/delivery/setbacks.py). While a channel is closed the database does not name its messages as
due. Slack tells of an invitation (bot/inbound) and it begins again; because that event may be lost, closed
channels are also looked at now and then. Whether posting is restricted no look can tell: there the next post
finds out, and who was told is not told again until one has succeeded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from bot.errors import SlackFailure
from bot.model import Channel, Subscription
from bot.render.subscribing import broken_notice
from bot.slack.failures import ChannelClosed, Limited
from bot.slack.workspaces import Workspaces
from bot.store.messages import Messages
from bot.store.subscriptions import Subscriptions

log = structlog.get_logger("pagerline.delivery")

REASONS: Mapping[str, str] = {
    "is_archived": "It is archived.",
    "is_inactive": "It is archived.",
    "not_in_channel": "I am not a member of it.",
    "channel_not_found": "I cannot see it: it was deleted, or it is private and I am not a member.",
}
RESTRICTIONS = frozenset(ChannelClosed.codes) - REASONS.keys()
RESTRICTED = "Posting is restricted there: ask an admin of the workspace to let me post."


class Closing:
    """Closes channels, tells people, and finds out when they are open again."""

    def __init__(self, subscriptions: Subscriptions, messages: Messages, workspaces: Workspaces) -> None:
        self._subscriptions = subscriptions
        self._messages = messages
        self._workspaces = workspaces

    async def close(self, channel: Channel, failure: ChannelClosed) -> list[Subscription]:
        """Slack refused the channel. Returns the subscriptions whose makers are to be told."""
        log.warning("channel_closed", team=channel.team_id, channel=channel.id, code=failure.code)
        alike = RESTRICTIONS if failure.code in RESTRICTIONS else frozenset[str]()
        return await self._subscriptions.mark_broken(channel, failure.code, alike=alike)

    async def tell(self, channel: Channel, failure: ChannelClosed, broken: Sequence[Subscription]) -> None:
        """Tell whoever made them, by direct messages: not while the channel's lease is held."""
        slack = self._workspaces.for_team(channel.team_id)
        if slack is None:
            return
        makers = dict.fromkeys(one.made_by for one in broken if one.made_by)
        for maker in makers:
            theirs = [one for one in broken if one.made_by == maker]
            told = broken_notice(channel.id, theirs, REASONS.get(failure.code, RESTRICTED))
            try:
                await slack.direct_message(maker, told.text, told.blocks)
            except SlackFailure as refused:
                log.warning("maker_not_told", channel=channel.id, user=maker, code=refused.code)

    async def resume(self, channel: Channel) -> None:
        """The bot may be able to write there again: whatever its messages do not show is due."""
        mended = await self._subscriptions.mend(channel, probing=True)
        log.info("channel_open_again", team=channel.team_id, channel=channel.id, subscriptions=len(mended))

    async def look_again(self) -> bool:
        """Ask Slack about every closed channel; True when one may be open again."""
        reopened = False
        for channel in await self._messages.closed_channels():
            slack = self._workspaces.for_team(channel.team_id)
            if slack is None:
                continue
            try:
                found = await slack.channel(channel.id)
            except Limited:
                return reopened
            except SlackFailure as failure:
                log.debug("channel_not_looked_at", channel=channel.id, code=failure.code)
                continue
            if found.is_member and not found.is_archived:
                await self.resume(channel)
                reopened = True
        return reopened
