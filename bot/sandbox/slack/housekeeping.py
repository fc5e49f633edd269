"""What members do to channels and messages: invite and remove the app, archive, delete a message."""

from __future__ import annotations

from bot.sandbox.slack.acting import Acting
from bot.sandbox.slack.answers import SlackError
from bot.sandbox.slack.delivery import Delivered
from bot.sandbox.slack.events import archived, bot_removed, joined, message_deleted, taken_away
from bot.sandbox.slack.state import Channel, Workspace


async def invite(acting: Acting, channel: str, user: str | None = None, by: str = "U0CAROL") -> Delivered:
    """Invite someone (the app unless `user` is given). Raises `already_in_channel`, `is_archived`."""
    place = _place(acting.workspace, channel)
    who = user or acting.workspace.bot
    acting.workspace.person(who)
    if who in place.members:
        raise SlackError("already_in_channel")
    place.members.append(who)
    acting.workspace.changes.publish("channel", channel=place.id)
    if acting.workspace.bot not in place.members:
        return Delivered(None, None, 0.0)
    return await acting.delivery.event(joined(acting.workspace, place, who, by))


async def kick(acting: Acting, channel: str, user: str | None = None, by: str = "U0CAROL") -> Delivered:
    """Remove someone (the app unless `user` is given). Raises `not_in_channel`, `is_archived`."""
    place = _place(acting.workspace, channel)
    who = user or acting.workspace.bot
    if who not in place.members:
        raise SlackError("not_in_channel")
    place.members.remove(who)
    acting.workspace.changes.publish("channel", channel=place.id)
    if who != acting.workspace.bot:
        return Delivered(None, None, 0.0)
    return await acting.delivery.event(bot_removed(acting.workspace, place, by))


async def archive(acting: Acting, channel: str, *, undo: bool = False, by: str = "U0CAROL") -> Delivered:
    """Archive a channel, or bring it back with `undo`. Raises `already_archived`, `not_archived`."""
    place = acting.workspace.channel(channel)
    if place.is_archived != undo:
        raise SlackError("not_archived" if undo else "already_archived")
    place.is_archived = not undo
    acting.workspace.changes.publish("channel", channel=place.id)
    if acting.workspace.bot not in place.members:
        return Delivered(None, None, 0.0)
    return await acting.delivery.event(archived(acting.workspace, place, by))


async def delete_message(acting: Acting, channel: str, ts: str) -> Delivered:
    """Delete a message, the app's own included, as an admin may."""
    place = acting.workspace.channel(channel)
    message = acting.workspace.message(place, ts)
    acting.workspace.remove(message)
    return await acting.delivery.event(message_deleted(acting.workspace, message)[0])


async def uninstall(acting: Acting) -> Delivered:
    """Remove the app from the workspace."""
    acting.tokens.dead = "account_inactive"
    for channel in acting.workspace.channels.values():
        if acting.workspace.bot in channel.members and channel.kind != "im":
            channel.members.remove(acting.workspace.bot)
    revoked, removed = taken_away(acting.workspace)
    await acting.delivery.event(revoked)
    return await acting.delivery.event(removed)


def _place(workspace: Workspace, channel: str) -> Channel:
    place = workspace.channel(channel)
    if place.is_archived:
        raise SlackError("is_archived")
    return place
