"""A message that stands twice is told with the calls it came from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.slack.journal import Exchange, Journal
from bot.sandbox.slack.state import Message
from bot.slack.marks import Mark
from tests.chaos.witness import how_they_came

AT = datetime(2026, 11, 22, 6, 49, 27, tzinfo=UTC)
CHANNEL = "C0SEARCH"


def call(seconds: float, method: str, mark: Mark | None = None, channel: str = CHANNEL) -> Exchange:
    given: dict[str, Any] = {"channel": channel}
    made = Exchange("api", AT + timedelta(seconds=seconds), "POST", f"/api/{method}", api_method=method)
    if mark is None:
        made.query = given
    else:
        made.body = given | {"metadata": mark.metadata()}
    return made


def test_its_posts_and_the_looks_between_them_are_told() -> None:
    ours, other = Mark("incident", 7, "Q1"), Mark("incident", 8, "Q2")
    journal = Journal()
    journal.append(call(-60, "conversations.history"))
    journal.append(call(0, "chat.postMessage", ours))
    journal.append(call(1, "chat.postMessage", other))
    journal.append(call(2, "conversations.history"))
    journal.append(call(2, "conversations.history", channel="C0CHECK"))
    journal.append(call(3.5, "chat.postMessage", ours))
    journal[1].fault = "drop_after"
    stand = [
        Message(
            CHANNEL, f"{(AT + timedelta(seconds=at)).timestamp():.6f}", "U0BOT", "", metadata=ours.metadata()
        )
        for at in (0, 3.5)
    ]
    assert how_they_came(journal, CHANNEL, stand).split("\n")[1:] == [
        "  06:49:27.000000 chat.postMessage drop_after 0",
        "  06:49:29.000000 conversations.history  0",
        "  06:49:30.500000 chat.postMessage  0",
    ]
