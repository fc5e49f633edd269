"""Each rule of saving, alone: what an event and a reading change, and what they must not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.model import Change, Level, Reference, Status, Urgency
from bot.store.saving import BEHIND, BURST, Known, after_event, after_reading, newly_wanted
from tests.store.news import (
    BOB,
    P1,
    PLATFORM,
    SEARCH,
    a_note,
    a_reading,
    acknowledged,
    an_event,
    an_incident,
    at,
    resolved,
)

NOW = datetime(
    2026, 8, 1, 13, 0, tzinfo=UTC
)  # the database's clock, which PagerDuty's is never compared with
BEFORE, LATER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


def known(**fields: Any) -> Known:
    usual: dict[str, Any] = {"snapshot": an_incident(), "revision": 4, "event_at": at(0)}
    return Known(id="Q1", now=NOW, **{**usual, **fields})


def acked(seconds: float) -> Any:
    return an_event("acknowledged", seconds, an_incident(status=Status.ACKNOWLEDGED), by=BOB)


# ----------------------------------------------------------------------------------------------------- events


@pytest.mark.parametrize(
    ("event_at", "rest_at", "occurred", "applied"),
    [
        (None, None, 5.0, True),
        (5.0, None, 5.0, True),  # equal: two changes in one millisecond, in PagerDuty's order
        (5.001, None, 5.0, False),
        (4.0, 5.0, 6.0, False),  # REST tells whole seconds: it may have been in there
        (4.0, 5.0, 6.001, True),
        (7.0, 5.0, 6.5, False),
        (None, 5.0, 4.0, False),
    ],
)
def test_an_event_is_applied_when_nothing_newer_is_known(
    event_at: float | None, rest_at: float | None, occurred: float, applied: bool
) -> None:
    before = known(
        event_at=None if event_at is None else at(event_at), rest_at=None if rest_at is None else at(rest_at)
    )
    outcome = after_event(before, acked(occurred))
    assert outcome.applied is applied
    assert outcome.known.snapshot is not None
    assert (outcome.known.snapshot.status is Status.ACKNOWLEDGED) is applied
    assert outcome.known.event_at == (at(occurred) if applied else before.event_at)
    assert outcome.known.is_stale
    assert outcome.known.accepted_at == NOW


def test_a_late_event_changes_nothing_but_has_the_truth_read() -> None:
    before = known(event_at=at(9), rest_at=at(8), touched=True)
    after = after_event(before, acked(5)).known
    assert after == replace(before, accepted_at=NOW, stale_seq=1, read_after=NOW + BURST)


def test_what_an_event_may_have_invalidated_becomes_unknown() -> None:
    before = known(
        snapshot=replace(
            acknowledged(an_incident(), 1), level=Level(1, 2), escalates_at=at(60), snoozed_until=at(90)
        )
    )
    after = after_event(before, an_event("escalated", 5, by=BOB)).known.snapshot
    assert after is not None
    assert (after.acknowledgements, after.level, after.escalates_at, after.snoozed_until) == (None,) * 4


def test_a_note_tells_its_line_and_nothing_else() -> None:
    before = known(rest_at=at(50), touched=True)
    outcome = after_event(before, a_note(3))
    assert (outcome.known, outcome.applied) == (before, False)
    assert outcome.line is not None
    assert (outcome.line.text, outcome.line.in_thread) == ("Looking", True)


def test_an_incident_heard_of_through_a_note_is_to_be_read() -> None:
    heard = Known(id="Q1", now=NOW)
    after = after_event(heard, a_note(3)).known
    assert (after.snapshot, after.is_stale, after.revision) == (None, True, 0)


def test_marks_gather_for_one_read() -> None:
    one = after_event(known(), acked(1)).known
    two = after_event(replace(one, now=LATER), acked(2)).known
    assert (one.stale_seq, two.stale_seq) == (1, 2)
    assert two.read_after == one.read_after == NOW + BURST


def test_marks_do_not_hurry_a_reader_that_was_put_off() -> None:
    put_off = known(stale_seq=3, read_seq=2, read_after=NOW + timedelta(minutes=1))
    assert after_event(put_off, acked(1)).known.read_after == put_off.read_after


@pytest.mark.parametrize(
    ("kind", "by", "touched"), [("acknowledged", BOB, True), ("acknowledged", None, False)]
)
def test_a_person_touches_it_and_automation_does_not(kind: str, by: Reference | None, touched: bool) -> None:
    assert after_event(known(), an_event(kind, 1, by=by)).known.touched is touched


def test_opening_it_by_hand_is_not_touching_it() -> None:
    assert not after_event(Known(id="Q1", now=NOW), an_event(by=BOB)).known.touched


# --------------------------------------------------------------------------------------------------- revision


def test_the_first_sight_is_the_first_revision() -> None:
    assert after_event(Known(id="Q1", now=NOW), an_event()).known.revision == 1


@pytest.mark.parametrize(
    ("change", "grows"),
    [
        ({"title": "Disk fuller"}, True),
        ({"alert_count": 3}, True),
        ({"level": Level(1, 2)}, True),
        ({"incident_key": "a"}, False),
        ({"teams": (PLATFORM,)}, False),
        ({"teams": (PLATFORM,), "urgency": Urgency.LOW}, True),
        ({}, False),
    ],
)
def test_the_revision_grows_only_with_what_a_message_shows(change: dict[str, Any], grows: bool) -> None:
    read = a_reading(5, an_incident(**change))
    after = after_reading(known(), read, began_at=NOW).known
    assert after.revision == (5 if grows else 4)
    assert after.rest_at == at(5)


# --------------------------------------------------------------------------------------------------- readings


@pytest.mark.parametrize(
    ("before", "updated", "saved"),
    [
        (known(), 5.0, True),
        (known(accepted_at=NOW), 5.0, True),  # equal moments of the database's clock
        (known(accepted_at=LATER), 5.0, False),  # it began before the last event was taken
        (known(rest_at=at(5), read_at=BEFORE), 5.0, True),  # equal moments of PagerDuty's clock
        (known(rest_at=at(5), read_at=LATER), 5.0, False),  # of two in one second, the one begun later counts
        (known(rest_at=at(6), read_at=BEFORE), 5.0, False),
        (known(rest_at=at(4), read_at=LATER), 5.0, True),
    ],
)
def test_a_reading_is_saved_when_it_is_not_older(before: Known, updated: float, saved: bool) -> None:
    outcome = after_reading(before, a_reading(updated, an_incident(title="Read")), began_at=NOW)
    assert outcome.saved is saved
    assert outcome.known.snapshot is not None
    assert (outcome.known.snapshot.title == "Read") is saved


def test_pagerdutys_clock_may_be_wrong_by_hours() -> None:
    """Its events and readings are compared with each other, never with the database's clock."""
    before = known(event_at=at(-7200), accepted_at=BEFORE)
    assert after_reading(before, a_reading(-7200), began_at=NOW).saved


def test_a_reading_answers_the_mark_it_was_begun_for() -> None:
    before = known(stale_seq=3, read_seq=1, accepted_at=BEFORE)
    assert not after_reading(before, a_reading(5), began_at=NOW, seen=3).known.is_stale


def test_a_reading_never_clears_a_mark_set_meanwhile() -> None:
    before = known(stale_seq=4, read_seq=1, accepted_at=BEFORE, read_after=LATER)
    outcome = after_reading(before, a_reading(5), began_at=NOW, seen=3)
    assert outcome.saved
    assert outcome.known.is_stale
    assert outcome.known.read_after == NOW + BURST


def test_a_reading_for_another_purpose_leaves_the_marks() -> None:
    before = known(stale_seq=4, read_seq=1, accepted_at=BEFORE)
    assert after_reading(before, a_reading(5), began_at=NOW).known.is_stale


@pytest.mark.parametrize(
    ("before", "read", "asks"),
    [
        (None, an_incident(), True),
        (None, an_incident(level=Level(1, 2)), False),
        (None, an_incident(assignees=()), False),
        (None, an_incident(follows_policy=False), False),
        (None, replace(an_incident(), status=Status.RESOLVED), False),
        (an_incident(level=Level(1, 2)), an_incident(assignees=(BOB,)), True),
        (an_incident(level=Level(1, 2)), an_incident(), False),  # whose it is, and so its level, are known
        (an_incident(), an_incident(), False),  # it was asked for, and nobody could tell
    ],
)
def test_a_reading_that_does_not_tell_a_new_level_has_it_worked_out(
    before: Any, read: Any, asks: bool
) -> None:
    outcome = after_reading(known(snapshot=before), a_reading(5, read), began_at=NOW)
    assert (outcome.saved, outcome.known.is_stale) == (True, asks)
    again = after_reading(known(snapshot=before), a_reading(5, read), began_at=NOW, seen=0)
    assert not again.known.is_stale  # a re-read asked


def test_a_reading_that_began_too_early_is_tried_again_at_once() -> None:
    before = known(stale_seq=4, read_seq=1, accepted_at=LATER, read_after=LATER + timedelta(minutes=1))
    outcome = after_reading(before, a_reading(5), began_at=NOW, seen=3)
    assert (outcome.saved, outcome.known.read_after, outcome.known.read_seq) == (False, NOW + BURST, 1)


def test_a_copy_of_pagerdutys_that_is_behind_is_given_a_moment() -> None:
    before = known(stale_seq=4, read_seq=1, rest_at=at(9), read_at=BEFORE)
    outcome = after_reading(before, a_reading(5), began_at=NOW, seen=4)
    assert (outcome.saved, outcome.known.read_after, outcome.known.is_stale) == (False, NOW + BEHIND, True)


def test_a_refused_reading_that_may_know_more_asks_for_another() -> None:
    before = known(rest_at=at(3), accepted_at=LATER)
    assert after_reading(before, a_reading(5), began_at=NOW).known.is_stale
    assert not after_reading(before, a_reading(3), began_at=NOW).known.is_stale


def test_the_answer_to_our_write_keeps_earlier_reads_out() -> None:
    sent = NOW - timedelta(milliseconds=300)
    written = after_reading(
        known(), a_reading(5, acknowledged(an_incident(), 5)), began_at=sent, written=True, by_person=True
    ).known
    assert (written.accepted_at, written.touched) == (NOW, True)
    sweep = after_reading(written, a_reading(5), began_at=sent + timedelta(milliseconds=100))
    assert not sweep.saved


def test_a_person_has_touched_it_even_when_an_event_came_first() -> None:
    outcome = after_reading(
        known(accepted_at=LATER), a_reading(5), began_at=NOW, written=True, by_person=True
    )
    assert (outcome.saved, outcome.known.touched) == (False, True)


def test_a_reading_keeps_what_only_events_know() -> None:
    acked_then = replace(
        acknowledged(an_incident(), 2),
        last_change=Change("escalated", at(1), by="Bob Brown"),
        reopened_at=at(1),
        opened_by="Nagios",
    )
    before = known(snapshot=acked_then, accepted_at=BEFORE)
    read = after_reading(before, a_reading(9, resolved(an_incident(), 9)), began_at=NOW).known.snapshot
    assert read is not None
    assert (read.status, read.resolved_by) == (Status.RESOLVED, "Bob Brown")
    assert (read.acknowledged_at, read.acknowledged_by) == (at(2), "Bob Brown")
    assert (read.reopened_at, read.opened_by) == (at(1), "Nagios")
    assert read.last_change is not None


# ----------------------------------------------------------------------------------------------- who wants it


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (None, an_incident(), True),
        (None, an_incident(status=Status.RESOLVED), False),  # first seen resolved: nothing to tell
        (an_incident(), an_incident(title="Other"), False),
        (an_incident(), an_incident(service=SEARCH), True),
        (an_incident(), an_incident(priority=P1), True),
        (an_incident(), an_incident(urgency=Urgency.LOW), True),
        (an_incident(), an_incident(teams=(PLATFORM,)), True),
        (an_incident(status=Status.RESOLVED), an_incident(), True),
        (an_incident(), an_incident(status=Status.RESOLVED, priority=P1), False),
        (an_incident(), None, False),
    ],
)
def test_channels_are_asked_when_others_may_want_it(before: Any, after: Any, wanted: bool) -> None:
    assert newly_wanted(before, after) is wanted
