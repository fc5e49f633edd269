"""What is known of an incident after an event."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events import Event, fold
from bot.model import Bridge, Change, Incident, Priority, Reference, Status, Urgency
from tests.events.samples import ALICE, BOB, KNOWN, P1, P2, happens, later
from tests.pagerduty.deliveries import DELIVERIES

ACKED, RESOLVED = Status.ACKNOWLEDGED, Status.RESOLVED
TARGET = Reference("Q9", "#9 Checkout outage")


def after(*events: Event, known: Incident | None = KNOWN) -> Incident:
    for event in events:
        known = fold(known, event)
    assert known is not None
    return known


# ------------------------------------------------------------------------------------------------- properties


@given(st.lists(st.sampled_from([sample.event() for sample in DELIVERIES]), max_size=8))
def test_the_same_event_twice_is_the_same_news(events: list[Event]) -> None:
    known: Incident | None = None
    for event in events:
        known = fold(known, event)
        assert fold(known, event) == known


@given(st.lists(st.sampled_from([sample.event() for sample in DELIVERIES]), max_size=8))
def test_the_status_is_always_the_events(events: list[Event]) -> None:
    known: Incident | None = None
    for event in events:
        known = fold(known, event)
        if event.seen is not None:
            assert known is not None
            assert known.status is event.seen.status
            assert not known.is_open or known.resolved_at is None


def test_a_fold_without_news_is_the_very_same_snapshot() -> None:
    assert fold(KNOWN, happens("annotated", seen=None, text="Looking.")) is KNOWN
    assert fold(KNOWN, replace(happens("resolved"), incident_id="Q2")) is KNOWN
    assert fold(None, happens("annotated", seen=None)) is None


# ----------------------------------------------------------------------------------------------- what happens


def test_a_fresh_incident_is_what_the_event_shows() -> None:
    fresh = after(happens("triggered", by=None), known=None)
    assert (fresh.number, fresh.title, fresh.assignees) == (481, "Disk full", (ALICE,))
    assert fresh.last_change is None
    assert (fresh.acknowledged_at, fresh.resolved_at, fresh.reopened_at) == (None, None, None)


def test_what_events_do_not_carry_stays() -> None:
    now = after(happens("acknowledged", status=ACKED, number=None, url=None))
    assert (now.alert_count, now.opened_by, now.number, now.url) == (3, "Prometheus", 481, KNOWN.url)


def test_what_an_event_may_have_invalidated_is_unknown() -> None:
    now = after(happens("escalated", by=None, assignees=(BOB,)))
    assert (now.acknowledgements, now.level, now.escalates_at, now.snoozed_until) == (None,) * 4


def test_a_priority_moves_nobody() -> None:
    now = after(happens("priority_updated", priority=P1))
    assert (now.level, now.escalates_at) == (KNOWN.level, KNOWN.escalates_at)


def test_an_acknowledgement_has_a_time_and_a_name() -> None:
    now = after(happens("acknowledged", status=ACKED))
    assert (now.acknowledged_at, now.acknowledged_by) == (later(1), "Alice Ames")


def test_the_first_acknowledgement_counts() -> None:
    first = happens("acknowledged", status=ACKED)
    second = happens("acknowledged", status=ACKED, by=BOB, minutes=5, assignees=(ALICE, BOB))
    now = after(first, second)
    assert (now.acknowledged_at, now.acknowledged_by) == (later(1), "Alice Ames")
    assert now.assignees == (ALICE, BOB)


def test_a_lost_acknowledgement_is_forgotten_until_the_next() -> None:
    lost = after(happens("acknowledged", status=ACKED), happens("unacknowledged", by=None, minutes=31))
    assert (lost.acknowledged_at, lost.acknowledged_by) == (None, None)
    again = after(happens("acknowledged", status=ACKED, by=BOB, minutes=40), known=lost)
    assert (again.acknowledged_at, again.acknowledged_by) == (later(40), "Bob Brown")


def test_resolving_keeps_who_had_acknowledged() -> None:
    now = after(
        happens("acknowledged", status=ACKED), happens("resolved", status=RESOLVED, by=BOB, minutes=9)
    )
    assert (now.resolved_at, now.resolved_by) == (later(9), "Bob Brown")
    assert (now.acknowledged_at, now.acknowledged_by) == (later(1), "Alice Ames")


def test_what_automation_resolves_has_no_name() -> None:
    assert after(happens("resolved", status=RESOLVED, by=None)).resolved_by is None


def test_a_merge_is_known_by_its_target() -> None:
    now = after(happens("resolved", status=RESOLVED, merged_into=TARGET))
    assert now.merged_into == TARGET


def test_reopening_begins_a_new_life() -> None:
    over = after(
        happens("acknowledged", status=ACKED),
        happens("resolved", status=RESOLVED, merged_into=TARGET, minutes=2),
    )
    now = after(happens("reopened", minutes=3), known=over)
    assert now.reopened_at == later(3)
    assert (now.resolved_at, now.resolved_by, now.merged_into) == (None, None, None)
    assert (now.acknowledged_at, now.acknowledged_by) == (None, None)


def test_the_bridge_is_replaced_or_taken_away() -> None:
    bridge = Bridge("+1 555 0100", "https://meet.example/x")
    given = replace(happens("conference_bridge.updated"), seen=None, bridge=bridge)
    now = after(given)
    assert now.bridge == bridge
    assert now.last_change == Change("conference bridge", later(1), by="Alice Ames")
    assert after(replace(given, bridge=None), known=now).bridge is None


# ------------------------------------------------------------------------------------------------ last change


@pytest.mark.parametrize(
    ("event", "change"),
    [
        (happens("escalated", by=None, assignees=(BOB,)), ("escalated", "Alice Ames", "Bob Brown", None)),
        (happens("reassigned", assignees=(BOB,)), ("reassigned", "Alice Ames", "Bob Brown", "Alice Ames")),
        (
            happens("delegated", policy=Reference("E2", "Database")),
            ("handed over", "Checkout primary", "Database", "Alice Ames"),
        ),
        (happens("priority_updated", priority=P1), ("priority raised", "P2", "P1", "Alice Ames")),
        (
            happens("priority_updated", priority=Priority("PR3", "P3", 2)),
            ("priority lowered", "P2", "P3", "Alice Ames"),
        ),
        (happens("priority_updated", priority=None), ("priority lowered", "P2", None, "Alice Ames")),
        (
            happens("priority_updated", priority=Priority("PX", "Odd")),
            ("priority", "P2", "Odd", "Alice Ames"),
        ),
        (
            happens("service_updated", service=Reference("S2", "Payments")),
            ("service", "Checkout", "Payments", "Alice Ames"),
        ),
        (happens("incident_type.changed", new="major"), ("type", None, "major", "Alice Ames")),
        (happens("triggered", by=None, urgency=Urgency.LOW), ("urgency", "high", "low", None)),
        (
            happens("acknowledged", status=ACKED, title="Disk on fire"),
            ("title", "Disk full", "Disk on fire", None),
        ),
    ],
    ids=lambda value: value.type if isinstance(value, Event) else "",
)
def test_the_last_change_is_told_from_what_was_known(
    event: Event, change: tuple[str, str | None, str | None, str | None]
) -> None:
    what, old, new, by = change
    assert after(event).last_change == Change(what, event.occurred_at, old, new, by)


def test_a_change_that_was_read_before_its_event_came_keeps_what_was() -> None:
    read = replace(KNOWN, priority=P1, last_change=Change("priority raised", later(1), "P2", "P1"))
    now = after(happens("priority_updated", to=read), known=read)
    assert now.last_change == Change("priority raised", later(1), "P2", "P1", "Alice Ames")


def test_a_priority_keeps_its_rank_when_the_list_is_not_at_hand() -> None:
    assert after(happens("acknowledged", status=ACKED, priority=Priority("PR2", "P2"))).priority == P2
