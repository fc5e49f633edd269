"""`/control` over HTTP: the verbs, and a sentence for what cannot be done."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.sandbox.slack import FakeSlack
from tests.sandbox.slack.listening_bot import ListeningBot


async def ask(slack: FakeSlack, verb: str, body: Any = None) -> tuple[int, Any]:
    url = f"{slack.acting.origin}/control/{verb}"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        return answer.status, await answer.json()


async def test_a_verb_answers_what_the_bot_answered(slack: FakeSlack, bot: ListeningBot) -> None:
    bot.answer = {"text": "hello"}
    status, answer = await ask(slack, "command", {"user": "U0ALICE", "channel": "C0CHECK", "text": "list"})
    assert status == 200
    assert (answer["status"], answer["body"], answer["failure"]) == (200, {"text": "hello"}, None)
    assert answer["milliseconds"] > 0


async def test_state_shows_channels_and_the_journal_what_went_over_the_wire(
    slack: FakeSlack, bot: ListeningBot
) -> None:
    await ask(slack, "message", {"user": "U0ALICE", "channel": "C0CHECK", "text": "hi"})
    _, state = await ask(slack, "state", {})
    checkout = next(c for c in state["channels"] if c["id"] == "C0CHECK")
    assert [m["text"] for m in checkout["messages"]] == ["hi"]
    await ask(slack, "mention", {"user": "U0ALICE", "channel": "C0CHECK", "text": "ack"})
    _, journal = await ask(slack, "journal", {})
    assert journal["exchanges"][-1]["name"] == "app_mention"


async def test_switches(slack: FakeSlack) -> None:
    await ask(slack, "history_scope", {"granted": False})
    assert "channels:history" not in slack.tokens.scopes
    await ask(slack, "rate_limits", {"enabled": True})
    assert slack.limits.enabled
    await ask(slack, "fault", {"method": "chat.update", "mode": "drop_after", "count": 2})
    assert slack.faults.waiting[0].count == 2


@pytest.mark.parametrize(
    ("verb", "body", "status", "says"),
    [
        ("dance", {}, 404, "command"),
        ("command", {"user": "U0ALICE"}, 400, "channel"),
        ("command", {"user": "U0NOBODY", "channel": "C0CHECK"}, 400, "user_not_found"),
        ("invite", {"channel": "C0CHECK"}, 400, "already_in_channel"),
        ("submit", {"user": "U0ALICE"}, 400, "no modal"),
        ("fault", {"method": "*", "mode": "explode"}, 400, "explode"),
        ("action", {"user": "U0ALICE", "action_id": "x"}, 400, "where"),
        ("state", [], 400, "object"),
    ],
)
async def test_what_cannot_be_done_is_said(
    slack: FakeSlack, verb: str, body: Any, status: int, says: str
) -> None:
    got, answer = await ask(slack, verb, body)
    assert got == status
    assert says in answer["error"]
