"""`conversations.*` but for what was said in them: which exist, who is in them, joining and opening them."""

from __future__ import annotations

from bot.sandbox.slack import shapes
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.arguments import page
from bot.sandbox.slack.events import joined
from bot.sandbox.slack.method import TIER_2, TIER_3, TIER_4, Call, Method
from bot.sandbox.slack.state import Channel

_TYPES = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
_SCOPES = {"public": "channels:read", "private": "groups:read", "im": "im:read", "mpim": "mpim:read"}
_ANY_READ = tuple(_SCOPES.values())


def _info(call: Call) -> Json:
    channel = call.workspace.visible_channel(call.arguments.required("channel"))
    call.readable(channel)
    member_count = call.arguments.flag("include_num_members")
    return {"channel": shapes.conversation(call.workspace, channel, member_count=member_count)}


def _list(call: Call) -> Json:
    found = _of_types(call)
    shown = [c for c in found if c.kind == "public" or call.workspace.bot in c.members]
    return _paged(call, shown, member_count=True)


def _of_user(call: Call) -> Json:
    user = call.arguments.text("user", call.workspace.bot)
    call.workspace.person(user)
    found = [c for c in _of_types(call) if user in c.members]
    shown = [c for c in found if c.kind == "public" or call.workspace.bot in c.members]
    return _paged(call, shown, member_count=False)


def _of_types(call: Call) -> list[Channel]:
    kinds = set()
    for name in call.arguments.text("types", "public_channel").split(","):
        if name.strip() not in _TYPES:
            raise SlackError("invalid_types")
        kinds.add(_TYPES[name.strip()])
    for kind in sorted(kinds):
        call.need(_SCOPES[kind])
    without_archived = call.arguments.flag("exclude_archived")
    found = [c for c in call.workspace.channels.values() if c.kind in kinds]
    return [c for c in found if not (without_archived and c.is_archived)]


def _paged(call: Call, channels: list[Channel], *, member_count: bool) -> Json:
    some, cursor = page(channels, call.arguments, 100, 999)
    return {
        "channels": [shapes.conversation(call.workspace, c, member_count=member_count) for c in some],
        "response_metadata": {"next_cursor": cursor},
    }


def _members(call: Call) -> Json:
    channel = call.workspace.visible_channel(call.arguments.required("channel"))
    call.readable(channel)
    some, cursor = page(channel.members, call.arguments, 100, 999)
    return {"members": some, "response_metadata": {"next_cursor": cursor}}


def _join(call: Call) -> Json:
    channel = call.workspace.visible_channel(call.arguments.required("channel"))
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    answer: Json = {}
    if call.workspace.bot in channel.members:
        answer = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    else:
        channel.members.append(call.workspace.bot)
        call.workspace.changes.publish("channel", channel=channel.id)
        call.events.append(joined(call.workspace, channel, call.workspace.bot, None))
    return {"channel": shapes.conversation(call.workspace, channel), **answer}


def _leave(call: Call) -> Json:
    channel = call.workspace.visible_channel(call.arguments.required("channel"))
    if call.workspace.bot not in channel.members:
        return {"not_in_channel": True}
    channel.members.remove(call.workspace.bot)
    call.workspace.changes.publish("channel", channel=channel.id)
    return {}


def _open(call: Call) -> Json:
    if "channel" in call.arguments:
        channel = call.workspace.visible_channel(call.arguments.text("channel"))
        if channel.kind != "im":
            raise SlackError("method_not_supported_for_channel_type")
    else:
        channel = _with_user(call)
    shape = {"id": channel.id}
    if call.arguments.flag("return_im"):
        shape = shapes.conversation(call.workspace, channel)
    return {"channel": shape}


def _with_user(call: Call) -> Channel:
    users = [u.strip() for u in call.arguments.text("users").split(",") if u.strip()]
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        raise SlackError("too_many_users")
    if call.workspace.person(users[0]).kind == "deleted":
        raise SlackError("user_disabled")
    return call.workspace.direct_messages(users[0])


METHODS = {
    "conversations.info": Method(_info, _ANY_READ, TIER_3, json_input=False),
    "conversations.list": Method(_list, _ANY_READ, TIER_2, json_input=False),
    "conversations.members": Method(_members, _ANY_READ, TIER_4, json_input=False),
    "conversations.join": Method(_join, ("channels:join",), TIER_3),
    "conversations.leave": Method(_leave, ("channels:manage", "groups:write"), TIER_3),
    "conversations.open": Method(_open, ("im:write",), TIER_3),
    "users.conversations": Method(_of_user, _ANY_READ, TIER_3, json_input=False),
}
