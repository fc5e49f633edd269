"""`incident`, `oncall` and `api` as a script runs them: an API key, no Slack, no database, nothing left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.sandbox.pagerduty.server import FakePagerDuty
from tests.cli.conftest import Call, Cli
from tests.contract.pagerduty_openapi import available, check_exchange

ALICE = ("--from", "alice@acme.example")
NOBODY = {"PAGERDUTY_API_KEY": "x" * 20, "PAGERDUTY_API_URL": "http://127.0.0.1:9"}


def one_key(pagerduty: FakePagerDuty) -> dict[str, str]:
    """The key; and where PagerDuty is, which follows the region outside tests."""
    return {"PAGERDUTY_API_KEY": pagerduty.api_key, "PAGERDUTY_API_URL": pagerduty.origin}


def as_documented(pagerduty: FakePagerDuty) -> None:
    """Every exchange is as PagerDuty's documents say, where those are present."""
    if available():
        assert [problem for one in pagerduty.journal for problem in check_exchange(one)] == []


async def test_an_incident_from_get_to_update(process: Cli, pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    settings = one_key(pagerduty)
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    outcome = await process(
        "incident", "get", str(incident.number), "--notes", "--log", "--changes", "--json", settings=settings
    )
    assert (outcome.status, outcome.err) == (0, "")
    told = json.loads(outcome.out)
    assert (told["id"], told["status"], told["level"]) == (incident.id, "triggered", {"number": 1, "of": 3})
    assert [one["kind"] for one in told["log"]] == ["trigger"]
    assert (told["notes"], told["changes"]) == ([], [])
    words = ("--status", "acknowledged", "--title", "Disk nearly full", "--priority", "p1", *ALICE, "--json")
    outcome = await process("incident", "update", incident.id, *words, settings=settings)
    assert (outcome.status, outcome.err) == (0, "")
    told = json.loads(outcome.out)
    assert (told["outcome"], told["changed"]) == ("updated", ["status", "title", "priority"])
    assert told["incident"]["priority"] == "P1"
    truth = pagerduty.state.incidents[incident.id]
    assert (truth.status, truth.title) == ("acknowledged", "Disk nearly full")
    assert truth.acknowledgements[0].agent.id == "PALICE1"
    outcome = await process(
        "incident", "update", incident.id, "--title", "Disk nearly full", settings=settings
    )
    assert (outcome.status, outcome.out) == (0, "#1234 is so already; nothing was done.\n")
    assert list((tmp_path / "checkout").iterdir()) == []
    as_documented(pagerduty)


async def test_what_is_for_people_is_a_few_lines(process: Cli, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("PSVCCHK", "Disk \x1b[31mfull")
    outcome = await process("incident", "get", incident.id, "--log", settings=one_key(pagerduty))
    lines = outcome.out.splitlines()
    assert lines[1] == "triggered · Checkout · high urgency"
    assert lines[2] == "Assigned to Alice Anderson, level 1 of 3"
    assert "\x1b" not in outcome.out


async def test_a_resolution_is_noted(process: Cli, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    words = ("--status", "resolved", "--resolution", "Cleaned up", *ALICE)
    outcome = await process("incident", "update", incident.id, *words, settings=one_key(pagerduty))
    assert (outcome.status, outcome.out) == (0, "Updated #1234: status resolved.\n")
    outcome = await process(
        "incident", "update", incident.id, "--status", "acknowledged", *ALICE, settings=one_key(pagerduty)
    )
    assert outcome.status == 1
    assert "would reopen it" in outcome.err
    assert pagerduty.state.incidents[incident.id].status == "resolved"


async def test_without_a_person_it_says_who_is_missing(process: Cli, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    words = ("incident", "update", incident.id, "--urgency", "low", "--json")
    outcome = await process(*words, settings=one_key(pagerduty))
    assert outcome.status == 1
    assert "Give --from" in outcome.err
    assert outcome.err.count("\n") == 1
    assert json.loads(outcome.out)["error"]["status"] == 400


async def test_who_is_on_call_with_every_option(process: Cli, pagerduty: FakePagerDuty) -> None:
    words = (
        "oncall",
        "--policy",
        "checkout primary",
        "--user",
        "alice@acme.example",
        "--schedule",
        "PSCHCHK",
    )
    more = ("--since", "now", "--until", "30d", "--time-zone", "Europe/Berlin", "--earliest", "--limit", "1")
    include = ("--include", "users", "--include", "schedules", "--include", "escalation_policies", "--total")
    outcome = await process(*words, *more, *include, "--json", settings=one_key(pagerduty))
    assert (outcome.status, outcome.err) == (0, "")
    told = json.loads(outcome.out)
    (entry,) = told["oncalls"]
    assert (entry["user"]["name"], entry["escalation_level"]) == ("Alice Anderson", 1)
    assert entry["user"]["details"]["email"] == "alice@acme.example"
    assert entry["schedule"]["details"]["time_zone"] == "Europe/Berlin"
    assert entry["escalation_policy"]["details"]["escalation_rules"]
    assert entry["end"].endswith(("+01:00", "+02:00"))
    assert (told["total"], told["more"], told["time_zone"]) == (1, False, "Europe/Berlin")
    (asked,) = [one for one in pagerduty.journal if one.path == "/oncalls"]
    assert asked.query["schedule_ids[]"] == ["PSCHCHK"]
    assert asked.query["earliest"] == ["true"]
    as_documented(pagerduty)


async def test_any_call_is_made(process: Cli, pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    settings = one_key(pagerduty)
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    words = ("api", "GET", "/incidents?limit=1", "--query", "statuses[]=triggered", "--header", "X-Mine: yes")
    outcome = await process(*words, "--json", settings=settings)
    told = json.loads(outcome.out)
    assert (outcome.status, told["status"]) == (0, 200)
    assert told["body"]["incidents"][0]["id"] == incident.id
    assert told["request_id"]
    assert pagerduty.journal[-1].headers["x-mine"] == "yes"
    body = tmp_path / "note.json"
    body.write_text('{"note": {"content": "Rebooted"}}')
    words = ("api", "post", f"incidents/{incident.id}/notes", "--body", f"@{body}", *ALICE)
    outcome = await process(*words, settings=settings)
    assert json.loads(outcome.out)["note"]["content"] == "Rebooted"
    outcome = await process("api", "GET", "/incidents/Q404404", "--json", settings=settings)
    assert outcome.status == 1
    assert json.loads(outcome.out)["error"]["code"] == 2100
    assert outcome.err == "Not Found (404).\n"


async def test_a_write_that_may_have_happened_is_not_repeated(process: Cli, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    pagerduty.outage("drop_after", paths=["/incidents"], methods=["POST"])
    words = ("api", "POST", f"/incidents/{incident.id}/notes", "--body", '{"note": {"content": "x"}}', *ALICE)
    outcome = await process(*words, "--json", settings=one_key(pagerduty))
    assert outcome.status == 1
    assert json.loads(outcome.out)["error"]["maybe_done"] is True
    assert "look before you try again" in outcome.err
    assert len(pagerduty.state.incidents[incident.id].notes) == 1


async def test_a_wrong_key_says_what_to_look_at(process: Cli, pagerduty: FakePagerDuty) -> None:
    settings = one_key(pagerduty) | {"PAGERDUTY_API_KEY": "not-the-right-key-00"}
    outcome = await process("oncall", settings=settings)
    assert outcome.status == 1
    assert "PAGERDUTY_REGION" in outcome.err
    assert outcome.err.count("\n") == 1
    assert "not-the-right-key" not in outcome.err


def test_without_a_key_it_says_what_is_missing(call: Call) -> None:
    for words in (("oncall",), ("incident", "get", "1"), ("api", "GET", "/abilities"), ("watch",)):
        outcome = call(*words)
        assert outcome.status == 2
        assert outcome.err.startswith("PAGERDUTY_API_KEY is missing")
        assert "SLACK" not in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("incident", "get", "whatever"), "is no incident"),
        (("incident", "update", "1"), "Say what to change"),
        (("incident", "update", "1", "--title", " "), "cannot be empty"),
        (("incident", "update", "1", "--title", "x" * 1025), "1,024 fit"),
        (("incident", "update", "1", "--status", "closed"), "invalid choice"),
        (("incident", "update", "1", "--level", "0"), "is no level"),
        (("incident", "update", "1", "--level", "2", "--status", "resolved"), "not both"),
        (("incident", "update", "1", "--urgency", "low", "--resolution", "x"), "goes with the status"),
        (("oncall", "--until", "91d"), "next 90 days"),
        (("oncall", "--since", "2d", "--until", "1d"), "ends before it begins"),
        (("oncall", "--since", "soon"), "is no time"),
        (("oncall", "--time-zone", "../etc/passwd"), "is no time zone"),
        (("oncall", "--limit", "0"), "is no number"),
        (("api", "GET", "https://evil.example/"), "the path alone"),
        (("api", "GET", "/a/..%2fb"), "without “..”"),
        (("api", "POST", "/incidents", "--body", "{"), "no JSON"),
        (("api", "POST", "/incidents", "--body", "@nowhere"), "cannot be read"),
        (("api", "GET", "/x", "--header", "Host: evil.example"), "mine to write"),
        (("watch", "--since", "soon"), "is no time"),
        (("watch", "--every", "0"), "is no number"),
    ],
)
def test_what_is_misspelt_is_a_line_and_status_2(call: Call, words: tuple[str, ...], said: str) -> None:
    outcome = call(*words, settings=NOBODY)
    assert outcome.status == 2
    assert said in outcome.err


async def test_names_that_fit_twice_or_not_at_all_name_what_does(
    process: Cli, pagerduty: FakePagerDuty
) -> None:
    outcome = await process("oncall", "--schedule", "rota", settings=one_key(pagerduty))
    assert outcome.status == 1
    assert "Checkout rota (PSCHCHK), Platform rota (PSCHPLT)" in outcome.err
    outcome = await process("incident", "get", "999", settings=one_key(pagerduty))
    assert (outcome.status, outcome.err) == (1, "There is no incident #999. Check the number.\n")
