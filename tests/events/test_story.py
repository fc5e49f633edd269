"""What an incident's thread and timeline tell of an event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.events import StoryLine, story_line
from bot.model import Incident, Priority, Reference, Status, Urgency
from bot.render.thread import line_in_words
from tests.events.samples import ALICE, BOB, KNOWN, P1, happens, later
from tests.pagerduty.deliveries import DELIVERIES, NAMES, Delivery, delivery


def told(name: str, known: Incident | None = KNOWN, **fields: object) -> StoryLine:
    line = story_line(known, happens(name, **fields))  # type: ignore[arg-type]
    assert line is not None
    return line


def in_channel_and_thread(line: StoryLine) -> tuple[bool, bool]:
    return line.broadcast, line.in_thread


BROADCAST, THREAD, TIMELINE = (True, True), (False, True), (False, False)


@pytest.mark.parametrize("name", ["escalated", "reopened"])
def test_what_must_be_noticed_is_broadcast_and_calls(name: str) -> None:
    line = told(name, by=ALICE, assignees=(BOB,), minutes=7)
    assert in_channel_and_thread(line) == BROADCAST
    assert (line.at, line.by, line.calls, line.names) == (later(7), "Alice Ames", (BOB,), ("Bob Brown",))


def test_nobody_is_called_at_low_urgency_nor_by_themselves() -> None:
    assert told("escalated", assignees=(BOB,), urgency=Urgency.LOW).calls == ()
    assert told("escalated", by=BOB, assignees=(BOB,)).calls == ()
    assert told("reopened", assignees=(BOB,), status=Status.ACKNOWLEDGED).calls == ()


def test_a_priority_is_loud_only_when_it_rises() -> None:
    raised = told("priority_updated", priority=P1)
    assert in_channel_and_thread(raised) == BROADCAST
    assert (raised.old, raised.new) == ("P2", "P1")
    for other in (Priority("PR3", "P3", 2), Priority("PX", "Unranked"), None):
        assert in_channel_and_thread(told("priority_updated", priority=other)) == THREAD
    assert told("priority_updated", priority=None).new == "none"


def test_a_first_priority_is_raised_from_none() -> None:
    unset = replace(KNOWN, priority=None)
    line = told("priority_updated", known=unset, to=unset, priority=P1)
    assert (line.old, line.new, line.broadcast) == (None, "P1", True)


@pytest.mark.parametrize(
    "name",
    [
        "annotated",
        "status_update_published",
        "responder.added",
        "responder.replied",
        "reassigned",
        "delegated",
        "unacknowledged",
        "conference_bridge.updated",
        "service_updated",
    ],
)
def test_other_news_is_a_quiet_thread_line(name: str) -> None:
    assert in_channel_and_thread(told(name)) == THREAD


@pytest.mark.parametrize(
    "name", ["triggered", "acknowledged", "resolved", "incident_type.changed", "custom_field_values.updated"]
)
def test_what_the_message_shows_itself_is_for_the_timeline(name: str) -> None:
    assert in_channel_and_thread(told(name)) == TIMELINE


def test_a_merge_is_a_quiet_line_that_names_where_it_goes_on() -> None:
    line = told("resolved", status=Status.RESOLVED, merged_into=Reference("Q9", "#9 Checkout outage"))
    assert (line.kind, line.names, in_channel_and_thread(line)) == ("merged", ("#9 Checkout outage",), THREAD)
    assert line_in_words(line, KNOWN) == "Merged into #9 Checkout outage by Alice Ames: #481 Disk full."


def test_whoever_gets_a_page_by_reassigning_is_called() -> None:
    assert told("reassigned", assignees=(ALICE, BOB)).calls == (BOB,)


def test_a_note_is_its_text() -> None:
    note = story_line(None, delivery("15").event())
    assert note is not None
    assert (note.text, note.by) == ("Rolled back build 118", "Dana Responder")
    resolution = story_line(None, delivery("16").event())
    assert resolution is not None
    assert (resolution.text, in_channel_and_thread(resolution)) == (
        "Resolution Note: fixed by rollback",
        THREAD,
    )


def test_who_answers_is_named_once() -> None:
    event = happens("responder.replied", seen=None, by=BOB, names=("Bob Brown",), state="joined")
    line = story_line(KNOWN, event)
    assert line is not None
    assert line_in_words(line, KNOWN) == "Answer from Bob Brown: joined: #481 Disk full."


def test_services_and_pings_have_no_story() -> None:
    assert story_line(None, delivery("pagey.ping").event()) is None
    assert story_line(None, delivery("service.created").event()) is None


@pytest.mark.parametrize("sample", DELIVERIES, ids=NAMES)
def test_every_line_can_be_said_in_words(sample: Delivery) -> None:
    line = story_line(None, sample.event())
    if line is not None:
        words = line_in_words(line, KNOWN)
        assert "None" not in words
        assert words.endswith((".", '"'))
