"""`event` and `change` as a script runs them: one setting, no Slack, no database, nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.sandbox.pagerduty.server import FakePagerDuty
from bot.sandbox.world import acme
from tests.cli.conftest import Call, Cli

KEY = next(one.routing_key for one in acme().services if one.id == "PSVCCHK")


def one_setting(pagerduty: FakePagerDuty, key: str = KEY) -> dict[str, str]:
    """The key; and where PagerDuty is, which follows the region outside tests."""
    return {"PAGERDUTY_ROUTING_KEY": key, "PAGERDUTY_EVENTS_URL": pagerduty.origin}


async def test_an_alert_from_trigger_to_resolve(
    process: Cli, pagerduty: FakePagerDuty, tmp_path: Path
) -> None:
    setting = one_setting(pagerduty)
    words = ("event", "trigger", "Disk full on db-1", "--source", "db-1", "--severity", "warning", "--json")
    more = ("--detail", "free=1%", "--link", "https://ci.example.com/7 Build 7", "--class", "disk")
    outcome = await process(*words, *more, settings=setting)
    assert (outcome.status, outcome.err) == (0, "")
    told = json.loads(outcome.out)
    assert (told["outcome"], told["action"]) == ("taken", "trigger")
    [incident] = pagerduty.state.incidents.values()
    assert (incident.title, incident.incident_key) == ("Disk full on db-1", told["dedup_key"])
    assert incident.alerts[0].details == {"custom_details": {"free": "1%"}}
    for action, status in (("ack", "acknowledged"), ("resolve", "resolved")):
        outcome = await process("event", action, told["dedup_key"], settings=setting)
        assert (outcome.status, outcome.err) == (0, "")
        assert incident.status == status
    assert list((tmp_path / "checkout").iterdir()) == []


async def test_a_change_of_a_deploy_script(process: Cli, pagerduty: FakePagerDuty) -> None:
    words = ("change", "Deployed checkout 4.2", "--source", "deploy", "--detail", '{"build": 42}')
    outcome = await process(*words, settings=one_setting(pagerduty))
    assert (outcome.status, outcome.out, outcome.err) == (0, "PagerDuty took the change in.\n", "")
    [change] = pagerduty.state.change_events
    assert (change["summary"], change["custom_details"]) == ("Deployed checkout 4.2", {"build": 42})


async def test_the_key_may_come_from_a_file(process: Cli, pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    setting = {"PAGERDUTY_EVENTS_URL": pagerduty.origin}
    words = ("event", "trigger", "x", "--dedup-key", "mine", "--api", "v1")
    outcome = await process(*words, "--routing-key-file", str(file), settings=setting)
    assert outcome.status == 0
    assert "dedup key mine" in outcome.out
    assert [one.path for one in pagerduty.journal] == ["/generic/2010-04-15/create_event.json"]


async def test_it_tries_until_pagerduty_takes_it(process: Cli, pagerduty: FakePagerDuty) -> None:
    pagerduty.outage("down", paths=["/v2/enqueue"], count=1)
    outcome = await process("event", "trigger", "x", "--json", settings=one_setting(pagerduty))
    assert outcome.status == 0
    assert json.loads(outcome.out)["outcome"] == "taken"
    assert len(pagerduty.state.incidents) == 1


@pytest.mark.parametrize("verb", [("event", "trigger", "x"), ("change", "x")])
async def test_it_gives_up_and_says_so(process: Cli, pagerduty: FakePagerDuty, verb: tuple[str, ...]) -> None:
    pagerduty.outage("limited", paths=["/v2/enqueue", "/v2/change/enqueue"])
    words = (*verb, "--give-up-after", "0", "--json")
    outcome = await process(*words, settings=one_setting(pagerduty))
    assert outcome.status == 1
    told = json.loads(outcome.out)
    assert (told["outcome"], told["status"]) == ("unavailable", 429)
    assert "too many events" in told["message"]
    assert told["message"] in outcome.err


async def test_pagerdutys_refusal_is_told(process: Cli, pagerduty: FakePagerDuty) -> None:
    pagerduty.outage("error", paths=["/v2/enqueue"], status=400)
    outcome = await process("event", "trigger", "x", settings=one_setting(pagerduty))
    assert outcome.status == 1
    assert outcome.err.startswith("PagerDuty did not take the event: ")
    assert KEY not in outcome.out + outcome.err


async def test_a_long_summary_is_cut_and_said(process: Cli, pagerduty: FakePagerDuty) -> None:
    outcome = await process("event", "trigger", "x" * 1025, settings=one_setting(pagerduty))
    assert (outcome.status, outcome.err) == (0, "The summary was cut to 1,024 characters.\n")
    [incident] = pagerduty.state.incidents.values()
    assert incident.title == "x" * 1023 + "…"


def test_without_a_key_it_says_what_is_missing(call: Call) -> None:
    outcome = call("change", "x")
    assert outcome.status == 2
    assert outcome.err.startswith("PAGERDUTY_ROUTING_KEY is missing")
    assert "--routing-key-file" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("event", "trigger", "x", "--routing-key", "short"), "no routing key"),
        (("event", "trigger", "x", "--routing-key-file", "nowhere"), "cannot be read"),
        (("event", "trigger", "x", "--routing-key", KEY, "--routing-key-file", "-"), "not both"),
        (("event", "trigger", " ", "--routing-key", KEY), "needs a summary"),
        (("event", "trigger", "x", "--routing-key", KEY, "--dedup-key", "k" * 256), "256 characters"),
        (("event", "trigger", "x", "--routing-key", KEY, "--image", "http://x.example.com"), "https address"),
        (("event", "trigger", "x", "--routing-key", KEY, "--detail", "free"), "no detail"),
        (("change", "x", "--routing-key", KEY, "--timestamp", "soon"), "no time"),
    ],
)
def test_what_is_wrong_is_a_line_and_nothing_is_sent(call: Call, words: tuple[str, ...], said: str) -> None:
    outcome = call(*words, settings={"PAGERDUTY_EVENTS_URL": "http://127.0.0.1:9"})
    assert outcome.status == 1
    assert said in outcome.err
    assert "short" not in outcome.err.replace("shorter", "")


def test_help_says_that_events_carry_no_person(call: Call) -> None:
    for words in (("event", "--help"), ("event", "ack", "--help")):
        assert "carries no person" in call(*words).out
