"""Every event type of PagerDuty's is decided, and those to come are not lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.events import EVENTS, News, marks_stale, rule_of, story_line
from tests.pagerduty.deliveries import DELIVERIES, delivery

# PagerDuty's webhook documentation, "Event types".
DOCUMENTED = {
    *(
        f"incident.{name}"
        for name in [
            "triggered",
            "acknowledged",
            "unacknowledged",
            "delegated",
            "escalated",
            "reassigned",
            "reopened",
            "resolved",
            "priority_updated",
            "service_updated",
            "incident_type.changed",
            "annotated",
            "status_update_published",
            "responder.added",
            "responder.replied",
            "conference_bridge.updated",
            "custom_field_values.updated",
            "role.assigned",
            "task.created",
            "task.updated",
            "task.completed",
            "action_invocation.created",
            "action_invocation.updated",
            "action_invocation.terminated",
            "workflow.started",
            "workflow.completed",
        ]
    ),
    "service.created",
    "service.updated",
    "service.deleted",
    "service.custom_field_values.updated",
}


def test_all_documented_types_and_the_ping_are_decided() -> None:
    assert len(DOCUMENTED) == 30
    assert set(EVENTS) == DOCUMENTED | {"pagey.ping"}


def test_there_is_a_sample_of_every_type() -> None:
    assert {sample.event().type for sample in DELIVERIES} >= set(EVENTS)


def test_what_does_nothing_says_why() -> None:
    for name, rule in EVENTS.items():
        does_something = rule.changes or rule.moves or rule.stale or rule.news is not News.NOT
        assert does_something != bool(rule.why), name


def test_what_shows_the_whole_incident_changes_it() -> None:
    for sample in DELIVERIES:
        event = sample.event()
        assert rule_of(event.type).changes == (event.seen is not None or "bridge" in event.type), sample.name


def test_whatever_moves_responders_is_read_again() -> None:
    assert all(rule.stale and rule.changes for rule in EVENTS.values() if rule.moves)


@pytest.mark.parametrize("name", ["incident.triggered", "incident.priority_updated", "some_future_event"])
def test_what_events_do_not_carry_is_read(name: str) -> None:
    event = delivery(name).event()
    assert marks_stale(event)
    assert not marks_stale(replace(event, incident_id=None))


@pytest.mark.parametrize("name", ["incident.annotated", "incident.task.created", "pagey.ping"])
def test_what_changes_nothing_costs_no_reading(name: str) -> None:
    assert not marks_stale(delivery(name).event())


def test_a_type_to_come_is_kept_for_the_timeline() -> None:
    line = story_line(None, delivery("some_future_event").event())
    assert line is not None
    assert (line.kind, line.in_thread) == ("some_future_event", False)
