"""REST's JSON as our values: everything that is told, and nothing that breaks on what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Bridge, OnCall, Priority, Reading, Reference, Status, Urgency
from bot.pagerduty import fields, payloads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, 15, hour, minute, tzinfo=UTC)


def ref(id_: str, name: str, kind: str = "user") -> dict[str, Any]:
    url = f"https://acme.pagerduty.com/{id_}"
    return {"id": id_, "type": f"{kind}_reference", "summary": name, "html_url": url}


def incident(**other: Any) -> dict[str, Any]:
    """One as REST tells it; `other` replaces keys."""
    return {
        "id": "Q1",
        "incident_number": 1234,
        "title": "Disk full",
        "summary": "[#1234] Disk full",
        "status": "triggered",
        "urgency": "high",
        "html_url": "https://acme.pagerduty.com/incidents/Q1",
        "created_at": "2026-01-15T09:00:00Z",
        "updated_at": "2026-01-15T09:05:00Z",
        "last_status_change_at": "2026-01-15T09:04:00Z",
        "service": ref("PSVC", "Checkout", "service"),
        "assignments": [{"at": "2026-01-15T09:00:00Z", "assignee": ref("PALICE", "Alice")}],
        "assigned_via": "escalation_policy",
        "escalation_policy": ref("PEP", "Checkout primary", "escalation_policy"),
        "teams": [ref("PTEAM", "Payments", "team")],
        "priority": {**ref("PP2", "P2", "priority"), "name": "P2"},
        "acknowledgements": [],
        "pending_actions": [{"type": "escalate", "at": "2026-01-15T09:30:00Z"}],
        "alert_counts": {"all": 3, "triggered": 2, "resolved": 1},
        "incident_key": "key",
        **other,
    }


def read(**other: Any) -> Reading:
    found = payloads.reading(incident(**other), {"PP1": 0, "PP2": 1})
    assert found is not None
    return found


def test_an_incident_is_read_whole() -> None:
    reading = read()
    one = reading.incident
    assert reading.updated_at == at(9, 5)
    assert (one.id, one.number, one.title) == ("Q1", 1234, "Disk full")
    assert (one.status, one.urgency) == (Status.TRIGGERED, Urgency.HIGH)
    assert one.service == Reference("PSVC", "Checkout", "https://acme.pagerduty.com/PSVC")
    assert [person.name for person in one.assignees] == ["Alice"]
    assert one.policy is not None
    assert one.policy.name == "Checkout primary"
    assert one.follows_policy is True
    assert one.priority == Priority("PP2", "P2", 1)
    assert [team.name for team in one.teams] == ["Payments"]
    assert one.escalates_at == at(9, 30)
    assert one.alert_count == 3
    assert one.acknowledgements == ()
    assert one.level is None


def test_whoever_acknowledged_first_did_it() -> None:
    entries = [
        {"at": "2026-01-15T09:20:00Z", "acknowledger": ref("PBOB", "Bob")},
        {"at": "2026-01-15T09:10:00+00:00", "acknowledger": ref("PALICE", "Alice")},
    ]
    one = read(status="acknowledged", acknowledgements=entries).incident
    assert (one.acknowledged_at, one.acknowledged_by) == (at(9, 10), "Alice")
    assert one.acknowledgements is not None
    assert [entry.by.name for entry in one.acknowledgements] == ["Bob", "Alice"]


def test_a_snooze_ends_when_it_is_unacknowledged() -> None:
    one = read(pending_actions=[{"type": "unacknowledge", "at": "2026-01-15T18:00:00Z"}]).incident
    assert (one.snoozed_until, one.escalates_at) == (at(18), None)


def test_who_resolved_is_the_last_who_changed_the_status() -> None:
    done = {"status": "resolved", "resolved_at": "2026-01-15T10:00:00Z", "assignments": []}
    by_alice = read(**done, last_status_change_by=ref("PALICE", "Alice")).incident
    assert (by_alice.resolved_by, by_alice.resolved_at) == ("Alice", at(10))
    itself = read(**done, last_status_change_by=ref("PSVC", "Checkout", "service")).incident
    assert itself.resolved_by is None
    assert read(last_status_change_by=ref("PALICE", "Alice")).incident.resolved_by is None


def test_a_merged_one_points_to_its_target() -> None:
    target = {"id": "Q9", "type": "incident_reference", "summary": "[#1240] Checkout outage"}
    reason = {"type": "merge_resolve_reason", "incident": target}
    one = read(status="resolved", resolve_reason=reason).incident
    assert one.merged_into == Reference("Q9", "#1240 Checkout outage")
    assert read(status="resolved", resolve_reason={"type": "other"}).incident.merged_into is None


def test_given_to_people_by_name_it_follows_no_policy() -> None:
    assert read(assigned_via="direct_assignment").incident.follows_policy is False
    assert read(assigned_via=None).incident.follows_policy is None


@pytest.mark.parametrize(
    ("told", "bridge"),
    [
        (None, None),
        ({"conference_number": "", "conference_url": None}, None),
        ({"conference_number": "+1 555", "conference_url": None}, Bridge("+1 555")),
        ({"conference_url": "https://meet.example"}, Bridge(None, "https://meet.example")),
    ],
)
def test_a_bridge_has_a_number_or_an_address(told: Any, bridge: Bridge | None) -> None:
    assert read(conference_bridge=told).incident.bridge == bridge


@pytest.mark.parametrize(
    ("entry", "opened_by"),
    [
        ({"agent": ref("PALICE", "Alice")}, "Alice"),
        ({"agent": ref("PSVC", "Checkout", "service"), "channel": {"client": "Datadog"}}, "Datadog"),
        ({"agent": ref("PSVC", "Checkout", "service"), "channel": {"type": "api"}}, None),
        ({"id": "R1", "type": "trigger_log_entry_reference", "summary": "Triggered."}, None),
        (None, None),
    ],
)
def test_who_opened_it(entry: Any, opened_by: str | None) -> None:
    assert read(first_trigger_log_entry=entry).incident.opened_by == opened_by


def test_the_title_is_the_summary_without_its_number_when_need_be() -> None:
    assert read(title=None).incident.title == "Disk full"


def test_an_urgency_we_do_not_know_is_high() -> None:
    assert read(urgency="severe").incident.urgency is Urgency.HIGH
    assert read(urgency="low").incident.urgency is Urgency.LOW


@pytest.mark.parametrize("other", [{"id": None}, {"status": "paused"}, {"status": None}, {"status": []}])
def test_what_cannot_be_shown_is_no_incident(other: dict[str, Any]) -> None:
    assert payloads.reading(incident(**other)) is None


def test_almost_nothing_is_enough() -> None:
    reading = payloads.reading({"id": "Q1", "status": "resolved"})
    assert reading is not None
    assert reading.incident.service.name == "unknown service"
    assert reading.updated_at == payloads.EPOCH


@pytest.mark.parametrize("key", sorted(incident()))
def test_every_key_may_be_missing_null_or_something_else(key: str) -> None:
    strange: Any
    for strange in (None, [], {}, "x", 7, [None], [[]], [{"at": 5}], {"id": 5}, True):
        payloads.reading(incident(**{key: strange}))
    whole = incident()
    del whole[key]
    payloads.reading(whole)


@given(st.dictionaries(st.sampled_from(sorted(incident())), JSON))
def test_nothing_breaks_the_reading_of_an_incident(other: dict[str, Any]) -> None:
    reading = payloads.reading(incident(**other))
    assert reading is None or reading.updated_at.utcoffset() is not None


@given(JSON)
def test_nothing_breaks_the_others(told: Any) -> None:
    payloads.note(told)
    payloads.log_entry(told)
    payloads.person(told)
    payloads.service(told)
    payloads.policy(told)
    payloads.oncall(told)
    payloads.priority(told, 0)
    payloads.named(told)


def test_a_policys_levels_stand_in_order() -> None:
    rule = {"escalation_delay_in_minutes": 10, "targets": [ref("PSCH", "Rota", "schedule")]}
    second = {"escalation_delay_in_minutes": 5, "targets": [ref("PBOB", "Bob"), None, {"id": None}]}
    policy = payloads.policy({"id": "PEP", "name": "Checkout", "escalation_rules": [rule, second]})
    assert policy is not None
    assert [(len(one.users), len(one.schedules), one.delay_minutes) for one in policy.rules] == [
        (0, 1, 10),
        (1, 0, 5),
    ]


def test_a_shift_without_an_end_is_always() -> None:
    told = {
        "user": ref("PBOB", "Bob"),
        "escalation_policy": ref("PEP", "Checkout"),
        "escalation_level": 2,
        "schedule": None,
        "start": None,
        "end": None,
    }
    shift = payloads.oncall(told)
    assert isinstance(shift, OnCall)
    assert (shift.level, shift.schedule, shift.start, shift.end) == (2, None, None, None)


def test_a_person_a_note_and_a_log_entry() -> None:
    told = {"id": "PALICE", "name": "Alice", "email": "a@acme.example", "role": "limited_user"}
    who = payloads.person(told)
    assert who is not None
    assert (who.name, who.email, who.role) == ("Alice", "a@acme.example", "limited_user")
    note = payloads.note({"id": "N1", "content": "hello", "user": ref("PALICE", "Alice")})
    assert note is not None
    assert (note.content, note.by) == ("hello", "Alice")
    told = {"id": "R1", "type": "escalate_log_entry", "created_at": "2026-01-15T09:00:00Z"}
    entry = payloads.log_entry(told)
    assert entry is not None
    assert (entry.kind, entry.summary, entry.by) == ("escalate", "escalate", None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("café ☕", "café ☕"),
        ("a\0b", "ab"),
        ("lone \ud800", "lone \ufffd"),
        ("", None),
        ("\0", None),
        (5, None),
    ],
)
def test_text_is_what_a_database_takes(value: Any, text: str | None) -> None:
    assert fields.text(value) == text


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-15T09:00:00Z", at(9)),
        ("2026-01-15T10:00:00+01:00", at(9)),
        ("2026-01-15T09:00:00", at(9)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (1_768_467_600, None),
    ],
)
def test_moments_are_in_utc(value: Any, moment: datetime | None) -> None:
    assert fields.moment(value) == moment


@pytest.mark.parametrize(("value", "whole"), [(7, 7), (True, None), (-1, None), (2**70, None), ("7", None)])
def test_numbers_are_what_a_database_takes(value: Any, whole: int | None) -> None:
    assert fields.whole(value) == whole
