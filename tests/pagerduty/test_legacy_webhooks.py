"""What the webhooks from before V3 tell: the same events as V3, with an id that makes repeats harmless."""

from __future__ import annotations

from typing import Any

import pytest

from bot.events import EVENTS, fold
from bot.model import Status, Urgency
from bot.pagerduty.legacy_webhooks import V3_TYPES, read_legacy
from tests.pagerduty.legacy_samples import TYPES, V1, body, incident, message


def only(raw: bytes) -> Any:
    found = read_legacy(raw, {})
    assert found is not None
    (event,) = found.events
    return event


def test_every_type_is_one_of_v3() -> None:
    assert V3_TYPES.keys() == TYPES.keys()
    assert set(V3_TYPES.values()) <= EVENTS.keys()


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_becomes_its_v3_event(kind: str) -> None:
    event = only(body(message(kind)))
    assert (event.id, event.type) == (f"v2:2f9a-{kind}", V3_TYPES[kind])
    assert (event.incident_id, event.agent.name) == ("Q2LEGACY", "Bob Brown")
    assert (event.subscription_id, event.webhook_id) == (None, None)
    if kind == "incident.annotate":
        assert (event.seen, event.text) == (None, "Restarting the cache")
        return
    snapshot = fold(None, event)
    assert snapshot is not None
    assert (snapshot.number, snapshot.title, snapshot.service.name) == (812, "Cart is slow", "Checkout")
    assert (snapshot.status, snapshot.urgency) == (Status(TYPES[kind]), Urgency.HIGH)
    assert [one.name for one in snapshot.assignees] == ([] if kind == "incident.resolve" else ["Bob Brown"])
    if kind == "incident.acknowledge":
        assert snapshot.acknowledged_by == "Bob Brown"
    if kind == "incident.resolve":
        assert snapshot.resolved_by == "Bob Brown"


def test_a_merge_names_its_target() -> None:
    reason = {"type": "merge_resolve_reason", "incident": {"id": "Q9", "summary": "[#9] The real one"}}
    event = only(body(message("incident.resolve", incident=incident("resolved", resolve_reason=reason))))
    assert event.merged_into.name == "#9 The real one"


def test_an_unknown_type_is_kept_and_its_incident_is_read() -> None:
    event = only(body(message("incident.snooze")))
    assert event.type == "incident.snooze"
    assert event.incident_id == "Q2LEGACY"


def test_a_message_without_an_id_has_the_same_one_each_time() -> None:
    raw = body(message(id=None))
    first, again = only(raw), only(raw)
    other = only(body(message(id=None, created_on="2026-03-01T09:05:01Z")))
    assert first.id == again.id
    assert first.id.startswith("v2:")
    assert first.id != other.id


def test_several_messages_are_several_events_and_strange_ones_are_counted() -> None:
    found = read_legacy(
        body(
            message(), message("incident.acknowledge"), 7, {}, message(incident={}), message(created_on="x")
        ),
        {},
    )
    assert found is not None
    assert [one.type for one in found.events] == ["incident.triggered", "incident.acknowledged"]
    assert found.strange == 4


def test_v1_is_recognised() -> None:
    found = read_legacy(V1, {})
    assert found is not None
    assert (found.generation, found.events) == (1, ())


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b'{"event": {}}', b'{"messages": 3}', b'{"messages": [', b'{"messages": ' + b"[" * 100_000],
    ids=range(6),
)
def test_anything_else_is_not_of_the_old_kind(raw: bytes) -> None:
    assert read_legacy(raw, {}) is None
