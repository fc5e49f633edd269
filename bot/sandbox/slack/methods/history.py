"""`conversations.history` and `conversations.replies`: what was said, newest first or by thread."""

from __future__ import annotations

import re

from bot.sandbox.slack import shapes
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.arguments import page
from bot.sandbox.slack.method import TIER_3, Call, Method
from bot.sandbox.slack.state import Channel, Message

_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_TS = re.compile(r"\d{1,12}(\.\d{1,6})?")


def _history(call: Call) -> Json:
    channel = _channel(call)
    found = [m for m in channel.messages.values() if not m.is_reply or m.broadcast]
    return _answer(call, _between(call, found)[::-1], 100)


def _replies(call: Call) -> Json:
    channel = _channel(call)
    message = channel.messages.get(call.arguments.required("ts"))
    if message is None:
        raise SlackError("thread_not_found")
    if message.is_reply:
        return _answer(call, [message], 1000)
    return _answer(call, [message, *_between(call, channel.replies(message.ts))], 1000)


def _channel(call: Call) -> Channel:
    channel = call.workspace.visible_channel(call.arguments.required("channel"))
    call.history_of(channel)
    return channel


def _between(call: Call, messages: list[Message]) -> list[Message]:
    """The messages between `oldest` and `latest`; the bounds themselves only when `inclusive`."""
    oldest, latest = _bound(call, "oldest", "0"), _bound(call, "latest", "999999999999")
    if call.arguments.flag("inclusive"):
        return [m for m in messages if oldest <= _key(m.ts) <= latest]
    return [m for m in messages if oldest < _key(m.ts) < latest]


def _bound(call: Call, name: str, default: str) -> tuple[int, int]:
    value = call.arguments.text(name) or default
    if not _TS.fullmatch(value):
        raise SlackError(f"invalid_ts_{name}")
    return _key(value)


def _key(ts: str) -> tuple[int, int]:
    seconds, _, micros = ts.partition(".")
    return int(seconds), int((micros or "0").ljust(6, "0"))


def _answer(call: Call, messages: list[Message], default: int) -> Json:
    some, cursor = page(messages, call.arguments, default, 999)
    with_metadata = call.arguments.flag("include_all_metadata")
    answer: Json = {
        "messages": [shapes.message(call.workspace, m, with_metadata=with_metadata) for m in some],
        "has_more": bool(cursor),
    }
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


METHODS = {
    "conversations.history": Method(_history, _HISTORY, TIER_3),
    "conversations.replies": Method(_replies, _HISTORY, TIER_3, json_input=False),
}
