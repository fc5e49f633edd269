"""What Slack's journal says of a message that stands twice: what calls it came from; for truth.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.slack.journal import Exchange
from bot.sandbox.slack.state import Message
from bot.slack.marks import read_mark

POST, LOOK_UP = "chat.postMessage", "conversations.history"
AROUND = timedelta(seconds=10)
MOST = 20


def how_they_came(journal: Iterable[Exchange], channel: str, stand: Sequence[Message]) -> str:
    """The posts of this message and the look-ups in its channel, ten seconds around, a line for each."""
    moments = [datetime.fromtimestamp(float(one.ts), UTC) for one in stand]
    first, last = min(moments) - AROUND, max(moments) + AROUND
    told = [
        f"  {call.at:%H:%M:%S.%f} {call.api_method} {call.fault or ''} {call.status}"
        for call in journal
        if first <= call.at <= last and _is_about(call, channel, stand[0])
    ]
    return "\n".join(["", *told[:MOST]])


def _is_about(call: Exchange, channel: str, message: Message) -> bool:
    given: dict[str, Any] = call.body if isinstance(call.body, dict) else call.query
    if given.get("channel") != channel:
        return False
    if call.api_method == LOOK_UP:
        return True
    ours, its = read_mark(message.metadata), read_mark(given.get("metadata"))
    if call.api_method != POST or ours is None or its is None:
        return False
    return (its.kind, its.row) == (ours.kind, ours.row)
