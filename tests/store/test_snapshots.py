"""What is written to the database can be read again, by this release and its neighbours."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.events import StoryLine
from bot.model import Acknowledgement, Bridge, Change, Level, Priority, Reference
from bot.store.snapshots import (
    dump_incident,
    dump_line,
    load_incident,
    load_line,
    storable,
    storable_event,
)
from tests.store.news import ALICE, BOB, PLATFORM, an_event, an_incident, at

TEXT = st.text(st.characters())  # halves of surrogate pairs and NUL too
FULL = an_incident(
    url="https://acme.pagerduty.com/incidents/Q1",
    priority=Priority("P", "P1", 0),
    teams=(PLATFORM,),
    assignees=(ALICE, BOB),
    acknowledgements=(Acknowledgement(BOB, at(1)),),
    level=Level(1, 2, (ALICE,)),
    escalates_at=at(60.123456),
    bridge=Bridge("+1", "https://bridge.example"),
    merged_into=Reference("Q2", "Other"),
    last_change=Change("priority", at(2), "P2", "P1", "Bob"),
)


def test_an_incident_comes_back_as_it_was() -> None:
    assert load_incident(dump_incident(FULL)) == FULL
    assert load_incident(dump_incident(an_incident())) == an_incident()


def test_a_line_comes_back_as_it_was() -> None:
    line = StoryLine("escalated", at(3), by="Bob", names=("A", "B"), calls=(ALICE,), in_thread=True)
    assert load_line(dump_line(line)) == line


def test_what_a_newer_release_adds_is_passed_over() -> None:
    newer = {
        **json.loads(dump_incident(FULL)),
        "mood": "tense",
        "level": {"number": 1, "of": 2, "by": "tomorrow"},
    }
    assert load_incident(json.dumps(newer)).id == "Q1"


def test_what_an_older_release_did_not_write_is_not_known() -> None:
    older = json.loads(dump_incident(FULL))
    del older["last_change"], older["level"]
    assert load_incident(json.dumps(older)).level is None


@given(TEXT, TEXT)
def test_hostile_text_can_always_be_written(title: str, name: str) -> None:
    incident = storable(an_incident(title=title, assignees=(Reference("P", name),)))
    assert load_incident(dump_incident(incident)) == incident
    assert "\x00" not in incident.title
    assert len(incident.title) == len(title)


@given(TEXT)
def test_an_events_own_texts_are_made_fit_when_its_body_shows_need(text: str) -> None:
    event = storable_event(an_event(incident=an_incident(title=text), raw=json.dumps({"title": text})))
    assert event.seen is not None
    event.seen.title.encode()
    assert "\x00" not in event.seen.title


def test_what_is_fit_is_left_alone() -> None:
    event = an_event()
    assert storable_event(event) is event
    values: list[Any] = [FULL, "plain", ("a", "b"), 3, None, event]
    assert [storable(value) for value in values] == values
    assert storable(FULL) is FULL
