"""`chat.*` and `reactions.*`: writing messages as the bot."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import shapes
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.content import Content, content
from bot.sandbox.slack.events import message_changed, message_deleted, message_posted
from bot.sandbox.slack.method import SPECIAL, TIER_2, TIER_3, TIER_4, Call, Method
from bot.sandbox.slack.state import Channel, Message


def _post_message(call: Call) -> Json:
    channel = _writable(call, call.arguments.required("channel"))
    said = content(call.arguments)
    thread_ts, broadcast = _thread(call, channel), call.arguments.flag("reply_broadcast")
    message = _put(
        call, channel, said, metadata=said.metadata or None, thread_ts=thread_ts, broadcast=broadcast
    )
    if message.thread_ts in channel.messages:
        call.workspace.touch(channel.messages[message.thread_ts])
    call.events += message_posted(call.workspace, message)
    shape = shapes.message(call.workspace, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shape}


def _put(call: Call, channel: Channel, said: Content, **more: Any) -> Message:
    """The bot's message, into the channel."""
    workspace, text = call.workspace, said.text or ""
    blocks, attachments = said.blocks or [], said.attachments or []
    message = Message(
        channel.id, workspace.next_ts(), workspace.bot, text, blocks, attachments, by_bot=True, **more
    )
    return workspace.put(channel, message)


def _post_ephemeral(call: Call) -> Json:
    channel = _writable(call, call.arguments.required("channel"))
    user = call.arguments.required("user")
    if user not in call.workspace.people or user not in channel.members:
        raise SlackError("user_not_in_channel")
    thread_ts = call.arguments.text("thread_ts") or None
    message = _put(call, channel, content(call.arguments), thread_ts=thread_ts, seen_by=user)
    return {"message_ts": message.ts}


def _update(call: Call) -> Json:
    channel = _writable(call, call.arguments.required("channel"), archived="is_inactive", open_dm=False)
    message = call.workspace.message(channel, call.arguments.required("ts"))
    if not message.by_bot:
        raise SlackError("cant_update_message")
    said = content(call.arguments, updating=True)
    if said.text is not None:
        message.text = said.text
    # Text without blocks takes the old blocks away; blocks without text leave the old text.
    if said.blocks is not None or said.text is not None:
        message.blocks = call.workspace.with_ids(said.blocks or [])
    if said.attachments is not None:
        message.attachments = said.attachments
    if said.metadata is not None:
        message.metadata = said.metadata or None
    message.broadcast = message.broadcast or call.arguments.flag("reply_broadcast")
    message.edited_ts = call.workspace.next_ts()
    message.edits += 1
    call.workspace.touch(message)
    call.events += message_changed(call.workspace, message)
    shape = shapes.message(call.workspace, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shape}


def _delete(call: Call) -> Json:
    channel = _writable(call, call.arguments.required("channel"), open_dm=False)
    message = call.workspace.message(channel, call.arguments.required("ts"))
    if not message.by_bot:
        raise SlackError("cant_delete_message")
    call.workspace.remove(message)
    call.events += message_deleted(call.workspace, message)
    return {"channel": channel.id, "ts": message.ts}


def _get_permalink(call: Call) -> Json:
    channel = call.workspace.visible_channel(call.arguments.required("channel"))
    message = call.workspace.message(channel, call.arguments.required("message_ts"))
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else ""
    place = f"archives/{channel.id}/p{message.ts.replace('.', '')}{thread}"
    domain = call.workspace.world.slack_domain
    return {"channel": channel.id, "permalink": f"https://{domain}.slack.com/{place}"}


def _react(call: Call, *, add: bool) -> Json:
    channel = _writable(call, call.arguments.required("channel"), open_dm=False)
    name = call.arguments.required("name")
    if ":" in name:
        raise SlackError("invalid_name")
    message = call.workspace.message(channel, call.arguments.required("timestamp"))
    users = message.reactions.setdefault(name, [])
    if (call.workspace.bot in users) == add:
        raise SlackError("already_reacted" if add else "no_reaction")
    if add:
        users.append(call.workspace.bot)
    else:
        users.remove(call.workspace.bot)
        if not users:
            del message.reactions[name]
    call.workspace.touch(message)
    return {}


def _writable(call: Call, name: str, *, archived: str = "is_archived", open_dm: bool = True) -> Channel:
    """The conversation the bot may write to.

    A user id opens the app's direct messages, but only for new posts: `chat.update` does not take one.
    Raises `channel_not_found`, `not_in_channel`, or `archived` for a closed channel.
    """
    if open_dm and name.startswith(("U", "W")):
        if name not in call.workspace.people:
            raise SlackError("channel_not_found")
        return call.workspace.direct_messages(name)
    channel = call.workspace.visible_channel(name)
    if channel.is_archived:
        raise SlackError(archived)
    if call.workspace.bot not in channel.members and "chat:write.public" not in call.scopes:
        raise SlackError("not_in_channel")
    return channel


def _thread(call: Call, channel: Channel) -> str | None:
    """The parent to reply to. Slack posts a plain message when the parent does not exist (any more)."""
    thread_ts = call.arguments.text("thread_ts")
    parent = channel.messages.get(thread_ts)
    if parent is None:
        return thread_ts if thread_ts and channel.replies(thread_ts) else None
    return parent.thread_ts or parent.ts


METHODS = {
    "chat.postMessage": Method(_post_message, ("chat:write",), SPECIAL),
    "chat.postEphemeral": Method(_post_ephemeral, ("chat:write",), TIER_4),
    "chat.update": Method(_update, ("chat:write",), TIER_3),
    "chat.delete": Method(_delete, ("chat:write",), TIER_3),
    "chat.getPermalink": Method(_get_permalink, (), SPECIAL, json_input=False),
    "reactions.add": Method(lambda call: _react(call, add=True), ("reactions:write",), TIER_3),
    "reactions.remove": Method(lambda call: _react(call, add=False), ("reactions:write",), TIER_2),
}
