"""The fake Slack knows no method, no scope and no way to call that Slack does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.slack.journal import Exchange
from bot.sandbox.slack.method import SPECIAL, TIER_2, TIER_3, TIER_4
from bot.sandbox.slack.methods import METHODS
from tests.conftest import SHARED_ABSENT
from tests.contract.slack_methods import CONTRACT, SlackMethods

pytestmark = pytest.mark.skipif(
    not CONTRACT.exists(), reason=f"{SHARED_ABSENT}: it holds Slack's list of methods"
)

TIERS = {"t2": TIER_2, "t3": TIER_3, "t4": TIER_4, "t5": SPECIAL}


@pytest.fixture(scope="module")
def contract() -> Any:
    return json.loads(CONTRACT.read_text(encoding="utf-8"))["x-methods"]


def call(name: str, **arguments: Any) -> Exchange:
    now = datetime.now(UTC)
    return Exchange("api", now, "POST", f"/api/{name}", body=arguments, api_method=name)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_each_method_is_slacks(contract: Any, name: str) -> None:
    theirs, ours = contract[name], METHODS[name]
    allowed = {s for group in (theirs.get("scope") or {}).values() for s in group}
    assert set(ours.scopes) <= allowed
    assert bool(theirs.get("json_input_supported")) == ours.json_input
    assert ours.per_minute == TIERS[theirs["rate_limits"]]


def test_good_calls_pass_and_bad_ones_are_named() -> None:
    methods = SlackMethods()
    assert methods.check_call(call("chat.postMessage", channel="C1", text="x", team_id="T1")) == []
    assert methods.check_call(call("chat.update", channel="C1", text="x")) == ["chat.update: ts is missing"]
    assert methods.check_call(call("auth.test", colour="red")) == ["auth.test: colour is no argument"]
    assert methods.check_call(call("chat.postMassage")) == ["chat.postMassage: Slack has no such method"]
