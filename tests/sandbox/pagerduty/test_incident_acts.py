"""Changing incidents over REST: PagerDuty's status rules, its error codes, and its all-or-nothing bulk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from tests.sandbox.pagerduty.conftest import Api, running

CHECKOUT = {"id": "PSVCCHK", "type": "service_reference"}


def error_code(body: Any) -> int:
    code: int = body["error"]["code"]
    return code


def new_incident(**fields: Any) -> dict[str, Any]:
    return {"incident": {"type": "incident", "title": "Cards declined", "service": CHECKOUT, **fields}}


# ── create ──


async def test_a_new_incident_goes_to_whoever_is_on_call(api: Api) -> None:
    details = {"type": "incident_body", "details": "Since the deploy"}
    priority = {"id": "PPRIO02", "type": "priority_reference"}
    status, body = await api.call("POST", "/incidents", new_incident(body=details, priority=priority))
    incident = body["incident"]
    assert status == 201
    assert (incident["incident_number"], incident["summary"]) == (1234, "[#1234] Cards declined")
    assert incident["status"] == "triggered"
    assert [a["assignee"]["id"] for a in incident["assignments"]] == ["PALICE1"]
    assert incident["priority"]["summary"] == "P2"
    assert [a["type"] for a in incident["pending_actions"]] == ["escalate"]
    assert incident["body"]["details"] == "Since the deploy"
    assert incident["html_url"].startswith("https://acme.pagerduty.com/incidents/")


async def test_an_incident_assigned_to_its_maker_starts_acknowledged(api: Api) -> None:
    mine = [{"assignee": {"id": "PBOB002", "type": "user_reference"}}]
    _, body = await api.call("POST", "/incidents", new_incident(assignments=mine), by="bob")
    assert body["incident"]["status"] == "acknowledged"
    assert body["incident"]["assigned_via"] == "direct_assignment"


async def test_an_open_incident_key_is_refused_and_a_closed_one_is_not(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    _, first = await api.call("POST", "/incidents", new_incident(incident_key="from-slack"))
    status, body = await api.call("POST", "/incidents", new_incident(incident_key="from-slack"))
    assert (status, error_code(body)) == (400, 2002)
    assert "matching dedup key" in body["error"]["errors"][0]
    pagerduty.act(first["incident"]["id"], "resolve", "PALICE1")
    status, _ = await api.call("POST", "/incidents", new_incident(incident_key="from-slack"))
    assert status == 201


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title": ""}, 2001),
        ({"type": "incident_reference"}, 2001),
        ({"service": {"id": "PNOSUCH", "type": "service_reference"}}, 2001),
        ({"urgency": "dire"}, 2001),
        ({"priority": {}}, 2001),
        ({"priority": {"id": "PNOSUCH"}}, 1020),
        ({"escalation_policy": {"id": "PNOSUCH"}}, 1014),
        ({"assignments": [{"assignee": {"id": "PNOSUCH"}}]}, 1007),
        ({"body": {"type": "incident_body", "details": {"an": "object"}}}, 2001),
    ],
)
async def test_what_cannot_be_created_is_refused(api: Api, fields: dict[str, Any], code: int) -> None:
    status, body = await api.call("POST", "/incidents", new_incident(**fields))
    assert (status, error_code(body)) == (400, code)


async def test_nobody_on_call_at_any_level_is_1015(session: aiohttp.ClientSession) -> None:
    world = acme()
    first_levels = tuple(replace(policy, rules=policy.rules[:1]) for policy in world.policies)
    async with running(FakePagerDuty(replace(world, policies=first_levels))) as pagerduty:
        api = Api(session, pagerduty)
        pagerduty.control.rotate("PSCHCHK", people=[])
        status, body = await api.call("POST", "/incidents", new_incident())
        assert (status, error_code(body)) == (400, 1015)


async def test_a_disabled_service_takes_no_incidents(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.control.set_service_status("Checkout", "disabled")
    status, body = await api.call("POST", "/incidents", new_incident())
    assert (status, body["error"]["errors"]) == (400, ["Incident could not be created"])


# ── acknowledge, resolve, reopen ──


async def test_acknowledging_takes_the_incident_and_stops_the_escalation(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    status, body = await api.put_incident(incident.id, {"status": "acknowledged"}, by="bob")
    after = body["incident"]
    assert (status, after["status"]) == (200, "acknowledged")
    assert [a["acknowledger"]["id"] for a in after["acknowledgements"]] == ["PBOB002"]
    assert [a["assignee"]["id"] for a in after["assignments"]] == ["PBOB002"]
    assert [a["type"] for a in after["pending_actions"]] == ["unacknowledge"]
    assert after["last_status_change_by"]["id"] == "PBOB002"


async def test_resolving_empties_who_has_it(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    _, body = await api.put_incident(
        incident.id, {"status": "resolved", "resolution": "Rolled back"}, by="bob"
    )
    after = body["incident"]
    assert (after["assignments"], after["acknowledgements"], after["pending_actions"]) == ([], [], [])
    assert after["last_status_change_by"]["summary"] == "Bob Brown"
    assert after["resolved_at"]
    assert after["alert_counts"] == {"all": 1, "triggered": 0, "resolved": 1}
    log = (await api.get(f"/incidents/{incident.id}/log_entries"))["log_entries"]
    assert (log[0]["type"], log[0]["note"]) == ("resolve_log_entry", "Rolled back")
    assert (await api.get(f"/incidents/{incident.id}/notes"))["notes"] == []


async def test_resolving_twice_is_1001(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    pagerduty.act(incident.id, "resolve", "PALICE1")
    status, body = await api.put_incident(incident.id, {"status": "resolved"})
    assert (status, error_code(body)) == (400, 1001)


@pytest.mark.parametrize(("sent", "assignee"), [("acknowledged", "PBOB002"), ("triggered", "PALICE1")])
async def test_acknowledging_or_triggering_a_resolved_incident_reopens_it(
    api: Api, pagerduty: FakePagerDuty, sent: str, assignee: str
) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    pagerduty.act(incident.id, "resolve", "PALICE1")
    status, body = await api.put_incident(incident.id, {"status": sent}, by="bob")
    assert (status, body["incident"]["status"]) == (200, sent)
    assert [a["assignee"]["id"] for a in body["incident"]["assignments"]] == [assignee]
    assert body["incident"]["resolved_at"] is None


async def test_acknowledging_again_is_accepted_and_triggered_takes_it_back(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    for _ in range(2):
        status, body = await api.put_incident(incident.id, {"status": "acknowledged"})
        assert (status, len(body["incident"]["acknowledgements"])) == (200, 1)
    _, body = await api.put_incident(incident.id, {"status": "triggered"})
    assert (body["incident"]["status"], body["incident"]["acknowledgements"]) == ("triggered", [])


async def test_an_unknown_status_is_1003(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    status, body = await api.put_incident(incident.id, {"status": "snoozed"})
    assert (status, error_code(body)) == (400, 1003)


# ── escalate, reassign, delegate ──


async def test_escalation_goes_to_an_absolute_level(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    _, body = await api.put_incident(incident.id, {"escalation_level": 3})
    assert [a["assignee"]["id"] for a in body["incident"]["assignments"]] == ["PCAROL3"]
    assert incident.level == 3


@pytest.mark.parametrize(("urgency", "level"), [("high", 4), ("high", 0), ("low", 2)])
async def test_an_impossible_escalation_is_1006(
    api: Api, pagerduty: FakePagerDuty, urgency: Any, level: int
) -> None:
    incident = pagerduty.trigger("Checkout", "boom", urgency=urgency)
    status, body = await api.put_incident(incident.id, {"escalation_level": level})
    assert (status, error_code(body)) == (400, 1006)


async def test_a_resolved_incident_cannot_be_escalated_or_reassigned(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    pagerduty.act(incident.id, "resolve", "PALICE1")
    to_bob = [{"assignee": {"id": "PBOB002", "type": "user_reference"}}]
    for fields in ({"escalation_level": 2}, {"assignments": to_bob}):
        status, body = await api.put_incident(incident.id, fields)
        assert (status, error_code(body)) == (400, 1001)


async def test_reassigning_leaves_the_policy(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    to_carol = [{"assignee": {"id": "PCAROL3", "type": "user_reference"}}]
    _, body = await api.put_incident(incident.id, {"assignments": to_carol})
    assert body["incident"]["assigned_via"] == "direct_assignment"
    assert body["incident"]["pending_actions"] == []


async def test_delegating_starts_the_other_policy_at_its_first_level(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    pagerduty.act(incident.id, "escalate", "PALICE1")
    other = {"id": "PEPPLAT", "type": "escalation_policy_reference"}
    _, body = await api.put_incident(incident.id, {"escalation_policy": other})
    assert [a["assignee"]["id"] for a in body["incident"]["assignments"]] == ["PBOB002"]
    assert incident.level == 1


# ── bulk ──


def entries(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"incidents": [{"type": "incident_reference", **f} for f in fields]}


async def test_bulk_changes_all(api: Api, pagerduty: FakePagerDuty) -> None:
    made = pagerduty.storm(3)
    body = entries(*({"id": i.id, "status": "acknowledged"} for i in made))
    status, answer = await api.call("PUT", "/incidents", body)
    assert status == 200
    assert [i["status"] for i in answer["incidents"]] == ["acknowledged"] * 3


async def test_bulk_is_all_or_nothing(api: Api, pagerduty: FakePagerDuty) -> None:
    first, second, third = pagerduty.storm(3)
    pagerduty.act(third.id, "resolve", "PALICE1")
    body = entries(*({"id": i.id, "status": "resolved"} for i in (first, second, third)))
    status, answer = await api.call("PUT", "/incidents", body)
    assert (status, error_code(answer)) == (400, 1001)
    assert {first.status, second.status} == {"triggered"}


async def test_bulk_takes_at_most_250(api: Api, pagerduty: FakePagerDuty) -> None:
    made = pagerduty.storm(251)
    body = entries(*({"id": i.id, "status": "acknowledged"} for i in made))
    status, _ = await api.call("PUT", "/incidents", body)
    assert status == 413
    body["incidents"].pop()
    status, _ = await api.call("PUT", "/incidents", body)
    assert status == 200


async def test_bulk_names_an_unknown_incident(api: Api) -> None:
    status, body = await api.call("PUT", "/incidents", entries({"id": "QNOSUCH", "status": "resolved"}))
    assert (status, error_code(body)) == (400, 1004)


# ── fields, notes, snooze, merge ──


async def test_fields_can_be_set_together(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    bridge = {"conference_number": "+1 555 0100", "conference_url": "https://meet.example.com/1"}
    fields = {"title": "Boom!", "urgency": "low", "priority": "p1", "conference_bridge": bridge}
    _, body = await api.put_incident(incident.id, fields)
    after = body["incident"]
    assert (after["title"], after["urgency"]) == ("Boom!", "low")
    assert (after["priority"]["id"], after["conference_bridge"]) == ("PPRIO01", bridge)
    assert after["pending_actions"] == [], "low urgency does not escalate"
    status, body = await api.put_incident(incident.id, {"priority": {}})
    assert (status, body["error"]["errors"]) == (400, ["Priority id cannot be empty"])
    _, body = await api.put_incident(incident.id, {"priority": None})
    assert body["incident"]["priority"] is None


async def test_only_the_single_form_moves_an_incident_to_another_service(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    search = {"id": "PSVCSEA", "type": "service_reference"}
    await api.call("PUT", "/incidents", entries({"id": incident.id, "service": search}))
    assert incident.service == "PSVCCHK"
    await api.put_incident(incident.id, {"service": search})
    assert incident.service == "PSVCSEA"


async def test_notes_are_kept_with_their_writer(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    status, body = await api.call(
        "POST", f"/incidents/{incident.id}/notes", {"note": {"content": "Looking"}}, by="bob"
    )
    assert (status, body["note"]["user"]["summary"]) == (200, "Bob Brown")
    assert [n["content"] for n in (await api.get(f"/incidents/{incident.number}/notes"))["notes"]] == [
        "Looking"
    ]
    status, body = await api.call("POST", f"/incidents/{incident.id}/notes", {"note": {"content": " "}})
    assert (status, error_code(body)) == (400, 2001)


async def test_snooze_needs_an_acknowledged_incident_and_a_sane_duration(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    path = f"/incidents/{incident.id}/snooze"
    status, body = await api.call("POST", path, {"duration": 60})
    assert (status, error_code(body)) == (400, 1012)
    pagerduty.act(incident.id, "acknowledge", "PALICE1")
    for duration in (0, 604_801, "60", True):
        status, body = await api.call("POST", path, {"duration": duration})
        assert (status, error_code(body)) == (400, 1013)
    status, body = await api.call("POST", path, {"duration": 60})
    assert (status, body["incident"]["status"]) == (201, "acknowledged")
    assert [a["type"] for a in body["incident"]["pending_actions"]] == ["unacknowledge"]


async def test_merging_resolves_the_source_into_the_target(api: Api, pagerduty: FakePagerDuty) -> None:
    target, source = pagerduty.storm(2, ["Checkout"])
    body = {"source_incidents": [{"id": source.id, "type": "incident_reference"}]}
    status, answer = await api.call("PUT", f"/incidents/{target.id}/merge", body)
    assert (status, answer["incident"]["id"]) == (200, target.id)
    merged = await api.incident(source.id)
    assert merged["resolve_reason"]["incident"]["id"] == target.id
    assert (await api.incident(target.id))["alert_counts"]["all"] == 2
    status, answer = await api.call("PUT", f"/incidents/{target.id}/merge", body)
    assert (status, error_code(answer)) == (400, 1019)
