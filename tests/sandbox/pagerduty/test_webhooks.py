"""Webhooks: PagerDuty's envelope and shapes, signatures, order, retries, drops, a disabled subscription."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.pagerduty import FakePagerDuty
from tests.sandbox.pagerduty.conftest import Api, Receiver, until

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "pagerduty" / "webhook-v3.json"


def sample(event_type: str) -> Any:
    deliveries = json.loads(SAMPLES.read_text("utf-8"))["deliveries"]
    events = [json.loads(d["raw_body"])["event"] for d in deliveries]
    return next(e for e in events if e["event_type"] == event_type)


def v1(secret: str, body: bytes) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


# ── what is sent ──


async def test_each_act_sends_its_event_with_the_person_as_agent(
    pagerduty: FakePagerDuty, receiver: Receiver
) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    incident = pagerduty.trigger("Checkout", "boom")
    to = incident.id
    pagerduty.act(to, "escalate", "PBOB002")
    pagerduty.act(to, "acknowledge", "PBOB002")
    pagerduty.act(to, "unacknowledge", "PBOB002")
    pagerduty.act(to, "reassign", "PBOB002", users=["PCAROL3"])
    pagerduty.act(to, "reassign", "PBOB002", policy="PEPPLAT")
    pagerduty.act(to, "priority", "PBOB002", value="P1")
    pagerduty.act(to, "bridge", "PBOB002", number="+1 555 0100")
    pagerduty.act(to, "note", "PBOB002", text="Looking")
    pagerduty.act(to, "status_update", "PBOB002", text="We are on it")
    pagerduty.act(to, "responders", "PBOB002", users=["PCAROL3"])
    pagerduty.act(to, "join", "PCAROL3")
    pagerduty.act(to, "service", "PBOB002", id="PSVCSEA")
    pagerduty.act(to, "incident_type", "PBOB002", name="security")
    pagerduty.act(to, "resolve", "PBOB002", resolution="Rolled back")
    pagerduty.act(to, "reopen", "PBOB002")
    events = await receiver.expect(17)
    assert [e["event_type"].removeprefix("incident.") for e in events] == [
        "triggered",
        "escalated",
        "acknowledged",
        "unacknowledged",
        "reassigned",
        "delegated",
        "priority_updated",
        "conference_bridge.updated",
        "annotated",
        "status_update_published",
        "responder.added",
        "responder.replied",
        "service_updated",
        "incident_type.changed",
        "resolved",
        "annotated",
        "reopened",
    ]
    agents = [e["agent"]["summary"] for e in events[1:]]
    assert agents == ["Bob Brown"] * 10 + ["Carol Chen"] + ["Bob Brown"] * 5
    assert events[15]["data"]["content"] == "Resolution Note: Rolled back"
    for event in events:
        expected = sample(event["event_type"])
        assert set(event) == set(expected)
        # A reopened incident keeps its reopened_at; nothing else may differ from the documented shape.
        assert set(event["data"]) - {"reopened_at"} == set(expected["data"]) - {"reopened_at"}, event
        assert event["data"]["type"] == expected["data"]["type"]


async def test_the_webhook_incident_is_not_the_rest_incident(
    pagerduty: FakePagerDuty, receiver: Receiver
) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    pagerduty.trigger("Checkout", "boom")
    [event] = await receiver.expect(1)
    data = event["data"]
    assert (data["number"], data["title"]) == (1234, "boom")
    assert [a["summary"] for a in data["assignees"]] == ["Alice Anderson"]
    assert (data["priority"], data["conference_bridge"], data["resolve_reason"]) == (None, None, None)
    assert not {"incident_number", "assignments", "acknowledgements", "reopened_at"} & set(data)
    assert event["occurred_at"].endswith("Z")
    assert "." in event["occurred_at"]


async def test_a_merge_says_where_the_source_went(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    target, source = pagerduty.storm(2, ["Checkout"])
    pagerduty.subscribe_webhook(receiver.url)
    pagerduty.act(source.id, "merge", "PALICE1", into=target.id)
    [event] = await receiver.expect(1)
    assert event["event_type"] == "incident.resolved"
    assert event["data"]["resolve_reason"]["type"] == "merge_resolve_reason"
    assert event["data"]["resolve_reason"]["incident"]["id"] == target.id
    assert event["data"]["assignees"] == []


async def test_urgency_title_and_snooze_send_nothing(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    pagerduty.subscribe_webhook(receiver.url)
    pagerduty.act(incident.id, "urgency", "PALICE1", value="low")
    pagerduty.act(incident.id, "title", "PALICE1", text="Boom!")
    pagerduty.act(incident.id, "acknowledge", "PALICE1")
    pagerduty.act(incident.id, "snooze", "PALICE1", seconds=60)
    pagerduty.act(incident.id, "note", "PALICE1", text="last")
    await receiver.expect(2)
    assert receiver.types() == ["incident.acknowledged", "incident.annotated"]


async def test_long_text_arrives_trimmed(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    pagerduty.subscribe_webhook(receiver.url, events=["incident.annotated"])
    pagerduty.act(incident.id, "note", "PALICE1", text="x" * 30_000)
    [event] = await receiver.expect(1)
    assert event["data"]["trimmed"] is True
    assert len(event["data"]["content"]) < 30_000


# ── how it is signed ──


async def test_the_headers_are_pagerdutys_and_the_raw_body_is_signed(
    pagerduty: FakePagerDuty, receiver: Receiver
) -> None:
    subscription, secret = pagerduty.subscribe_webhook(receiver.url, secret="s3cret")
    pagerduty.trigger("Métriques", "café ☕")
    await receiver.expect(1)
    headers, body = receiver.got[0]
    assert headers["user-agent"] == "PagerDuty-Webhook/V3.0"
    assert headers["x-webhook-subscription"] == subscription
    assert headers["x-pagerduty-signature"] == v1(secret, body)
    assert headers["x-webhook-id"]
    assert "café ☕".encode() in body


async def test_while_a_secret_is_rotated_both_sign(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    subscription, old = pagerduty.subscribe_webhook(receiver.url)
    pagerduty.rotate_webhook_secret(subscription, "new")
    pagerduty.trigger("Checkout", "boom")
    await receiver.expect(1)
    headers, body = receiver.got[0]
    assert headers["x-pagerduty-signature"] == f"{v1(old, body)},{v1('new', body)}"


# ── delivery ──


@pytest.mark.parametrize("failure", [500, 503, 429])
async def test_a_failure_is_retried_and_later_events_of_the_incident_wait(
    fast: FakePagerDuty, receiver: Receiver, failure: int
) -> None:
    fast.subscribe_webhook(receiver.url, events=["incident.triggered", "incident.annotated"])
    receiver.script = [failure, failure, 202]
    incident = fast.trigger("Checkout", "boom")
    fast.act(incident.id, "note", "PALICE1", text="Looking")
    await receiver.expect(4)
    assert receiver.types() == ["incident.triggered"] * 3 + ["incident.annotated"]
    ids = [headers["x-webhook-id"] for headers, _ in receiver.got]
    assert len(set(ids[:3])) == 1, "a retry keeps its id"
    assert ids[3] != ids[0]


async def test_other_incidents_do_not_wait(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    receiver.script = [503]
    pagerduty.trigger("Checkout", "stuck")
    await receiver.expect(1)
    pagerduty.trigger("Checkout", "free")
    events = await receiver.expect(2)
    assert events[1]["data"]["title"] == "free"


async def test_no_answer_in_time_is_a_failure(fast: FakePagerDuty, receiver: Receiver) -> None:
    fast.webhooks.timeout = 0.05
    fast.subscribe_webhook(receiver.url, events=["incident.triggered"])
    receiver.hang = asyncio.Event()
    fast.trigger("Checkout", "boom")
    await receiver.expect(2)
    receiver.hang.set()
    await until(lambda: fast.webhooks.waiting() == 0)


async def test_a_client_error_drops_the_event_at_once(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    subscription, _ = pagerduty.subscribe_webhook(receiver.url)
    receiver.script = [400, 401, 202, 404]
    pagerduty.storm(4, ["Checkout"])
    await until(lambda: len(receiver.got) == 4 and pagerduty.webhooks.waiting() == 0)
    assert not pagerduty.subscription(subscription).temporarily_disabled, "a success in between starts anew"


async def test_three_drops_in_a_row_disable_the_subscription_until_enabled(
    api: Api, pagerduty: FakePagerDuty, receiver: Receiver
) -> None:
    subscription, _ = pagerduty.subscribe_webhook(receiver.url)
    receiver.script = [400, 400, 400]
    incident = pagerduty.trigger("Checkout", "boom")
    for text in ("one", "two", "lost with the queue"):
        pagerduty.act(incident.id, "note", "PALICE1", text=text)
    await until(lambda: pagerduty.subscription(subscription).temporarily_disabled)
    pagerduty.trigger("Checkout", "lost too")
    path = f"/webhook_subscriptions/{subscription}"
    body = (await api.get(path))["webhook_subscription"]
    assert body["delivery_method"]["temporarily_disabled"] is True
    assert pagerduty.webhooks.waiting() == 0
    status, body = await api.call("POST", f"{path}/enable")
    assert (status, body["webhook_subscription"]["delivery_method"]["temporarily_disabled"]) == (200, False)
    pagerduty.trigger("Checkout", "heard again")
    events = await receiver.expect(4)
    assert events[3]["data"]["title"] == "heard again"
    assert len(receiver.got) == 4


# ── subscriptions over REST ──


def subscription_body(url: str, **fields: Any) -> dict[str, Any]:
    return {
        "webhook_subscription": {
            "type": "webhook_subscription",
            "delivery_method": {"type": "http_delivery_method", "url": url},
            "description": "Pagerline",
            "events": ["incident.triggered"],
            "filter": {"type": "account_reference"},
            **fields,
        }
    }


async def test_the_secret_is_only_in_the_answer_that_creates(api: Api, receiver: Receiver) -> None:
    status, body = await api.call("POST", "/webhook_subscriptions", subscription_body(receiver.url))
    made = body["webhook_subscription"]
    assert (status, bool(made["delivery_method"]["secret"])) == (201, True)
    path = f"/webhook_subscriptions/{made['id']}"
    assert (await api.get(path))["webhook_subscription"]["delivery_method"]["secret"] is None
    status, body = await api.call(
        "PUT", path, subscription_body("http://elsewhere.example/", description="Ours")
    )
    assert body["webhook_subscription"]["description"] == "Ours"
    assert body["webhook_subscription"]["delivery_method"]["url"] == receiver.url, (
        "the address cannot be changed"
    )
    assert made["delivery_method"]["secret"] not in str(api.pagerduty.journal)
    status, _ = await api.call("DELETE", path)
    assert status == 204
    assert (await api.get("/webhook_subscriptions"))["webhook_subscriptions"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"events": []},
        {"events": ["incident.exploded"]},
        {"filter": {"type": "service_reference"}},
        {"filter": {"type": "planet_reference"}},
        {"delivery_method": {"type": "http_delivery_method", "url": "ftp://x"}},
    ],
)
async def test_a_malformed_subscription_is_refused(api: Api, fields: dict[str, Any]) -> None:
    status, _ = await api.call(
        "POST", "/webhook_subscriptions", subscription_body("http://x.example/", **fields)
    )
    assert status == 400


async def test_filters_hold_back_what_is_not_theirs(
    api: Api, pagerduty: FakePagerDuty, receiver: Receiver
) -> None:
    for filter_ in (
        {"type": "service_reference", "id": "PSVCSEA"},
        {"type": "team_reference", "id": "PTEAMPL"},
    ):
        status, _ = await api.call(
            "POST", "/webhook_subscriptions", subscription_body(receiver.url, filter=filter_)
        )
        assert status == 201
    pagerduty.trigger("Checkout", "for nobody")
    pagerduty.trigger("Login", "for the team")
    pagerduty.trigger("Search", "for both")
    events = await receiver.expect(3)
    assert sorted(e["data"]["title"] for e in events) == ["for both", "for both", "for the team"]


async def test_a_ping_greets(api: Api, receiver: Receiver) -> None:
    subscription, _ = api.pagerduty.subscribe_webhook(receiver.url, events=["incident.resolved"])
    status, _ = await api.call("POST", f"/webhook_subscriptions/{subscription}/ping")
    [event] = await receiver.expect(1)
    assert status == 202
    assert (event["event_type"], event["resource_type"]) == ("pagey.ping", "pagey")
    assert event["data"] == {"message": "Hello from your friend Pagey!", "type": "ping"}
