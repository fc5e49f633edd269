"""The Events API: validation, deduplication, acknowledge and resolve by event, change events, the v1 form."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.pagerduty import FakePagerDuty
from tests.sandbox.pagerduty.conftest import Api, Receiver, until

KEY = "a1checkout0000000000000000000chk"


def event(action: str = "trigger", **fields: Any) -> dict[str, Any]:
    payload = {
        "summary": "Disk full",
        "source": "node-1",
        "severity": "critical",
        "custom_details": {"free": "0 %"},
    }
    return {"routing_key": KEY, "event_action": action, "payload": payload, **fields}


async def send(api: Api, body: Any, path: str = "/v2/enqueue") -> tuple[int, Any]:
    async with api.session.post(api.pagerduty.origin + path, json=body) as response:
        return response.status, await response.json()


async def test_a_trigger_becomes_an_incident_with_an_alert(api: Api, pagerduty: FakePagerDuty) -> None:
    links = [{"href": "https://wiki.example.com/disk", "text": "Runbook"}]
    status, body = await send(api, event(dedup_key="disk", client="Monitor", links=links))
    assert (status, body) == (202, {"status": "success", "message": "Event processed", "dedup_key": "disk"})
    await until(lambda: len(pagerduty.state.incidents) == 1)
    [incident] = (await api.get("/incidents?incident_key=disk"))["incidents"]
    assert (incident["title"], incident["status"]) == ("Disk full", "triggered")
    [alert] = (await api.get(f"/incidents/{incident['id']}/alerts"))["alerts"]
    assert (alert["alert_key"], alert["severity"]) == ("disk", "critical")
    assert alert["body"]["details"] == {"custom_details": {"free": "0 %"}}
    assert alert["body"]["contexts"][0]["href"] == "https://wiki.example.com/disk"


async def test_the_same_key_is_one_incident_until_it_is_resolved(api: Api, pagerduty: FakePagerDuty) -> None:
    for _ in range(3):
        await send(api, event(dedup_key="disk"))
    await send(api, event("resolve", dedup_key="disk"))
    await send(api, event(dedup_key="disk"))
    await until(lambda: len(pagerduty.state.incidents) == 2)
    assert [i.status for i in pagerduty.state.incidents.values()] == ["resolved", "triggered"]


async def test_events_acknowledge_and_resolve_without_a_person(
    api: Api, pagerduty: FakePagerDuty, receiver: Receiver
) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    await send(api, event(dedup_key="disk", client="Monitor"))
    await send(api, event("acknowledge", dedup_key="disk"))
    await send(api, event("resolve", dedup_key="disk"))
    events = await receiver.expect(3)
    assert receiver.types() == ["incident.triggered", "incident.acknowledged", "incident.resolved"]
    assert {e["agent"]["type"] for e in events} == {"service_reference"}
    assert events[0]["client"]["name"] == "Monitor"


async def test_what_has_no_open_alert_or_another_key_is_dropped_silently(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    await send(api, event(dedup_key="disk"))
    other = "a3search000000000000000000000sea"
    for body in (
        event("resolve", dedup_key="nothing"),
        event("resolve", dedup_key="disk", routing_key=other),
        event(dedup_key="x", routing_key="u" * 32),
    ):
        status, _ = await send(api, body)
        assert status == 202
    await until(lambda: len(pagerduty.state.incidents) == 1)
    assert [i.status for i in pagerduty.state.incidents.values()] == ["triggered"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (event(routing_key="short"), "Length of 'routing_key' is incorrect (should be 32 characters)"),
        (event(routing_key=None), "'routing_key' is missing or blank"),
        (event("explode"), "'event_action' must be one of: trigger, acknowledge, resolve"),
        (event("resolve"), "'dedup_key' is missing or blank"),
        (event(payload=None), "'payload' is missing or blank"),
        (event(payload={"summary": "x", "source": "y"}), "'payload.severity' is missing or blank"),
        (event(dedup_key="k" * 256), "'dedup_key' must be a string of at most 255 characters"),
        ([], "Event must be a JSON object"),
    ],
)
async def test_an_invalid_event_says_what_is_wrong(api: Api, body: Any, error: str) -> None:
    status, answer = await send(api, body)
    assert (status, answer["status"], answer["message"]) == (400, "invalid event", "Event object is invalid")
    assert answer["errors"] == [error]


async def test_a_change_event_makes_no_incident(api: Api, pagerduty: FakePagerDuty) -> None:
    body = {"routing_key": KEY, "payload": {"summary": "Deployed 118", "source": "ci"}}
    status, answer = await send(api, body, "/v2/change/enqueue")
    assert (status, answer["status"]) == (202, "success")
    assert "dedup_key" not in answer
    assert [change["summary"] for change in pagerduty.state.change_events] == ["Deployed 118"]
    assert not pagerduty.state.incidents


async def test_the_old_form_still_works(api: Api, pagerduty: FakePagerDuty) -> None:
    path = "/generic/2010-04-15/create_event.json"
    body = {"service_key": KEY, "event_type": "trigger", "description": "Old but gold", "incident_key": "v1"}
    status, answer = await send(api, body, path)
    assert (status, answer["incident_key"]) == (200, "v1")
    await until(lambda: len(pagerduty.state.incidents) == 1)
    status, answer = await send(api, {"service_key": KEY}, path)
    assert (status, answer["errors"]) == (400, ["Event type is missing or blank"])
