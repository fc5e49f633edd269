"""What tests and the page do to the fake: `/control`, outages, webhook disorder, journal, live stream."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from bot.sandbox.pagerduty import FakePagerDuty
from tests.sandbox.pagerduty.conftest import Api, Receiver, until


async def control(api: Api, verb: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    async with api.session.post(f"{api.pagerduty.origin}/control/{verb}", json=body or {}) as response:
        answer = await response.json()
        return response.status, answer.get("result", answer)


async def test_the_verbs_work_over_http(api: Api) -> None:
    _, incident = await control(api, "trigger", {"service": "Checkout", "title": "boom", "priority": "P2"})
    assert (incident["incident_number"], incident["priority"]["summary"]) == (1234, "P2")
    _, incident = await control(api, "act", {"incident": 1234, "verb": "acknowledge", "by": "PBOB002"})
    assert incident["status"] == "acknowledged"
    _, made = await control(api, "storm", {"count": 5, "services": ["PSVCSEA"]})
    assert len(made) == 5
    _, state = await control(api, "state")
    assert [i["escalation_level"] for i in state["incidents"]] == [1] * 6


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("trigger", {"service": "Nowhere", "title": "x"}),
        ("trigger", {"title": "x"}),
        ("act", {"incident": 1, "verb": "resolve", "by": "PALICE1"}),
        ("act", {"incident": 1234, "verb": "explode", "by": "PALICE1"}),
        ("act", {"incident": 1234, "verb": "note", "by": "PALICE1"}),
        ("outage", {"mode": "upside down"}),
        ("webhooks", {"mode": "pigeon"}),
    ],
)
async def test_a_wrong_order_is_answered_with_what_is_wrong(
    api: Api, verb: str, body: dict[str, Any]
) -> None:
    api.pagerduty.trigger("Checkout", "boom")
    status, answer = await control(api, verb, body)
    assert status == 400
    assert answer["error"]["errors"]


# ── outages ──


async def test_down_for_so_many_requests(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.outage("down", count=2)
    statuses = [(await api.call("GET", "/abilities"))[0] for _ in range(3)]
    assert statuses == [503, 503, 200]


async def test_limited_on_some_paths_only(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.outage("limited", paths=("/oncalls",))
    status, body = await api.call("GET", "/oncalls")
    assert (status, body["error"]["code"], api.last_headers["ratelimit-remaining"]) == (429, 2020, "0")
    await api.get("/abilities")
    pagerduty.outage("off")
    await api.get("/oncalls")


async def test_some_limits_come_without_a_word(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.outage("limited", bare=True, count=1)
    status, body = await api.call("GET", "/abilities")
    assert (status, body) == (429, "")
    assert "ratelimit-reset" not in api.last_headers


async def test_slow_is_slow_and_still_true(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.outage("slow", seconds=0.1, count=1)
    await api.get("/abilities")
    assert pagerduty.journal[-1].milliseconds >= 100


async def test_a_dropped_connection_may_hide_a_write_that_happened(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    path, note = f"/incidents/{incident.id}/notes", {"note": {"content": "Looking"}}
    pagerduty.outage("drop_before", count=1)
    with pytest.raises(aiohttp.ClientError):
        await api.call("POST", path, note)
    assert incident.notes == []
    pagerduty.outage("drop_after", count=1)
    with pytest.raises(aiohttp.ClientError):
        await api.call("POST", path, note)
    assert [n.content for n in incident.notes] == ["Looking"]
    assert [e.status for e in pagerduty.journal] == [None, None]


async def test_an_error_of_choice(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.outage("error", status=402, code=2014, count=1)
    status, body = await api.call("GET", "/priorities")
    assert (status, body["error"]["code"]) == (402, 2014)


# ── webhook disorder ──


async def test_held_webhooks_come_when_released(
    api: Api, pagerduty: FakePagerDuty, receiver: Receiver
) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    await control(api, "webhooks", {"mode": "hold"})
    pagerduty.storm(3)
    assert pagerduty.webhooks.waiting() == 3
    _, released = await control(api, "webhooks", {"mode": "release"})
    await receiver.expect(3)
    assert released == 3


async def test_duplicates_carry_the_same_id(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    pagerduty.webhooks.set_mode("duplicate")
    pagerduty.trigger("Checkout", "boom")
    await receiver.expect(2)
    assert len({headers["x-webhook-id"] for headers, _ in receiver.got}) == 1


async def test_dropped_webhooks_never_come(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    pagerduty.webhooks.set_mode("drop")
    pagerduty.trigger("Checkout", "lost")
    pagerduty.webhooks.set_mode("deliver")
    pagerduty.trigger("Checkout", "heard")
    events = await receiver.expect(1)
    assert [e["data"]["title"] for e in events] == ["heard"]


async def test_shuffled_webhooks_come_out_of_order(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    pagerduty.webhooks.set_mode("shuffle", seconds=0.2)
    incident = pagerduty.trigger("Checkout", "boom")
    for number in range(8):
        pagerduty.act(incident.id, "note", "PALICE1", text=str(number))
    events = await receiver.expect(9)
    ids = [e["id"] for e in events]
    occurred = [e["occurred_at"] for e in events]
    assert len(set(ids)) == 9
    assert receiver.types() != ["incident.triggered"] + ["incident.annotated"] * 8 or occurred != sorted(
        occurred
    )


async def test_a_secret_can_be_replaced_outright(
    api: Api, pagerduty: FakePagerDuty, receiver: Receiver
) -> None:
    subscription, _ = pagerduty.subscribe_webhook(receiver.url)
    order = {"subscription": subscription, "secret": "new", "keep_old": False}
    status, _ = await control(api, "rotate_secret", order)
    pagerduty.trigger("Checkout", "boom")
    await receiver.expect(1)
    assert status == 200
    assert receiver.got[0][0]["x-pagerduty-signature"].count("v1=") == 1
    assert pagerduty.subscription(subscription).secrets == ["new"]


async def test_any_event_can_be_sent_as_it_is(api: Api, pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    incident = pagerduty.trigger("Checkout", "boom")
    data = {
        "type": "incident_task",
        "id": "PTASK1",
        "incident": {"id": incident.id, "type": "incident_reference"},
    }
    status, _ = await control(api, "send", {"event_type": "incident.task.created", "data": data})
    events = await receiver.expect(2)
    assert status == 200
    assert sorted(e["event_type"] for e in events) == ["incident.task.created", "incident.triggered"]


# ── journal and live stream ──


async def test_the_journal_shows_what_happened_and_no_secret(
    api: Api, pagerduty: FakePagerDuty, receiver: Receiver
) -> None:
    _, secret = pagerduty.subscribe_webhook(receiver.url)
    incident = pagerduty.trigger("Checkout", "boom")
    await api.put_incident(incident.id, {"status": "acknowledged"}, by="bob")
    await until(lambda: len(receiver.got) == 2 and pagerduty.webhooks.waiting() == 0)
    put = next(e for e in pagerduty.journal if e.direction == "in")
    assert (put.method, put.status, put.actor) == ("PUT", 200, "PBOB002")
    assert put.headers["authorization"] == "Token token=•••"
    assert put.body["incident"]["status"] == "acknowledged"
    out = [e for e in pagerduty.journal if e.direction == "out"]
    assert [e.status for e in out] == [202, 202]
    _, journal = await control(api, "journal")
    text = json.dumps(journal)
    assert pagerduty.api_key not in text
    assert secret not in text


async def test_listeners_hear_acts_edits_and_deliveries(pagerduty: FakePagerDuty, receiver: Receiver) -> None:
    pagerduty.subscribe_webhook(receiver.url)
    listener = pagerduty.listen()
    incident = pagerduty.trigger("Checkout", "boom")
    pagerduty.act(incident.id, "title", "PALICE1", text="Boom!")
    kinds = []
    async with asyncio.timeout(30):
        async for change in listener:
            kinds.append(change.kind)
            assert change.incident == incident.id
            if change.kind == "webhook.delivered":
                break
    assert kinds == ["incident.triggered", "incident.edited", "webhook.delivered"]
