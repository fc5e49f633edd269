"""Answers of `update`, `api` and `oncall` with options: within Slack's limits, harmless, complete."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.declaration import Reply
from bot.model import OnCall
from bot.render.api_answer import ask_before_call, call_answered, call_refused
from bot.render.limits import TOTAL_TEXT, text_length
from bot.render.oncall_list import ListedShift, on_call_list
from bot.render.updated import already_so, left_alone, updated
from bot.sandbox.slack.blocks import problems
from tests.render.conftest import Drawn
from tests.render.samples import ALICE, BOB, FRESH, HOSTILE, PRIMARY, ROTA, T0

WEEK = timedelta(days=7)
SHIFTS = [
    ListedShift(OnCall(ALICE, PRIMARY, 1, ROTA, T0, T0 + WEEK)),
    ListedShift(OnCall(BOB, PRIMARY, 2), {"user": {"email": "bob@acme.example", "time_zone": "UTC"}}),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def is_taken(reply: Reply) -> None:
    """By Slack."""
    blocks = json.loads(json.dumps(reply.blocks))
    assert problems(blocks, "message") == []
    assert text_length(blocks) <= TOTAL_TEXT


def told(reply: Reply) -> str:
    return json.dumps(reply.blocks, ensure_ascii=False)


def test_golden_list(golden: Callable[[str, Drawn], None]) -> None:
    golden("oncall-list", on_call_list(SHIFTS, more=True, total=7, zone=ZoneInfo("Europe/Berlin")))


def test_golden_question(golden: Callable[[str, Drawn], None]) -> None:
    golden(
        "api-ask", ask_before_call("PUT /incidents/Q1", {"incident": {"urgency": "low"}}, ["X-Mine"], "api x")
    )


def test_a_list_is_complete_as_plain_text() -> None:
    reply = on_call_list(SHIFTS, more=False, total=None, zone=None)
    assert reply.text == (
        "On call: Alice Anderson for Checkout primary level 1, "
        "from Jan 15, 09:40 UTC until Jan 22, 09:40 UTC; Bob Brown for Checkout primary level 2, always."
    )
    assert "Nobody is on call" in on_call_list([], more=False, total=None, zone=None).text


def test_a_long_list_fits() -> None:
    is_taken(on_call_list(SHIFTS * 50, more=True, total=100, zone=None))


@given(JSON, st.text(max_size=300), st.lists(st.text(max_size=60), max_size=5))
def test_whatever_pagerduty_answers_slack_takes(body: Any, call: str, words: list[str]) -> None:
    is_taken(call_answered(call, 200, body))
    is_taken(call_refused(call, 400, call, words))
    is_taken(ask_before_call(call, body, words, "api {}"))


def test_a_long_answer_is_cut_where_its_escapes_end() -> None:
    for body in ({"x": "<" * 20_000}, {"x": "&`" * 20_000}, {"x": "y" * 40_000}, ["line"] * 5_000):
        reply = call_answered("GET /x", 200, body)
        is_taken(reply)
        codes = [block["text"]["text"] for block in reply.blocks if block["type"] == "section"][1:]
        assert codes
        assert all(code.startswith("```") and code.endswith("```") for code in codes)
        assert "Cut after" in told(reply)
    assert "Cut after" not in told(call_answered("GET /x", 200, {"x": "y" * 100}))


def test_nothing_from_outside_mentions_or_formats() -> None:
    reply = call_answered("GET /x", 200, {"title": "<!channel> ```*b*``` <@U0BOB>"})
    assert "<!channel>" not in told(reply)
    assert told(reply).count("```") == 2
    for reply in (
        updated(HOSTILE, [("title", HOSTILE.title)]),
        already_so(HOSTILE),
        left_alone(HOSTILE, HOSTILE.title),
    ):
        is_taken(reply)
        assert "<!channel>" not in told(reply) + reply.text


def test_what_was_changed_is_said_with_its_value() -> None:
    assert updated(FRESH, [("status", "acknowledged"), ("title", "x")]).text == (
        f"Updated {FRESH.label}: status acknowledged, title “x”."
    )
