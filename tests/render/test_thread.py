from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bot.events import StoryLine
from bot.render.limits import Rendered
from bot.render.thread import render_call, render_line
from tests.render.conftest import Drawn
from tests.render.samples import ALICE, BOB, T0, TRIGGERED

MENTIONS = {BOB.id: "U0BOB"}

LINES = {
    "note": StoryLine(
        "annotated", T0, by="Bob Brown", text="Looking at <!channel>\n> *now*, see https://x.example/a?b&c"
    ),
    "note-trimmed": StoryLine("annotated", T0, by="Bob Brown", text="Looking at", trimmed=True),
    "escalated": StoryLine("escalated", T0, names=("Bob Brown",), calls=(BOB,), broadcast=True),
    "escalated-by": StoryLine("escalated", T0, by="Alice Anderson", names=("Bob Brown",), broadcast=True),
    "reopened": StoryLine("reopened", T0, by="Alice Anderson", names=("Bob Brown",), broadcast=True),
    "priority-raised": StoryLine("priority_updated", T0, by="Bob Brown", old="P3", new="P1", broadcast=True),
    "priority-set": StoryLine("priority_updated", T0, by="Bob Brown", new="P4"),
    "responder-added": StoryLine(
        "responder.added", T0, by="Alice Anderson", calls=(BOB,), text="The database"
    ),
    "responder-replied": StoryLine("responder.replied", T0, names=("Bob Brown",), new="joined"),
    "role": StoryLine("role.assigned", T0, names=("Incident commander",), old="Bob Brown", new="Carol Chen"),
    "bridge": StoryLine("conference_bridge.updated", T0, by="Alice Anderson"),
    "status-update": StoryLine("status_update_published", T0, by="Alice Anderson", text="We are on it."),
    "task": StoryLine("task.completed", T0, names=("Read the logs",), by="Bob Brown"),
    "unknown": StoryLine("incident.some_new.thing", T0, by="Bob Brown"),
}


@pytest.mark.parametrize("name", LINES)
def test_golden_lines(name: str, golden: Callable[[str, Drawn], None]) -> None:
    golden(f"thread-{name}", render_line(LINES[name], TRIGGERED, MENTIONS))


def told(drawn: Rendered) -> str:
    return json.dumps(drawn.blocks, ensure_ascii=False)


def test_a_line_in_the_channel_names_its_incident_and_one_in_the_thread_does_not() -> None:
    assert "#1234" in told(render_line(LINES["escalated"], TRIGGERED))
    assert "#1234" not in told(render_line(LINES["priority-set"], TRIGGERED))


def test_people_are_mentioned_only_when_the_line_calls_them() -> None:
    assert "<@U0BOB>" in told(render_line(LINES["escalated"], TRIGGERED, MENTIONS))
    assert "Bob Brown" not in told(render_line(LINES["escalated"], TRIGGERED, MENTIONS))
    assert "<@" not in told(render_line(LINES["escalated-by"], TRIGGERED, MENTIONS))
    assert "*Bob Brown*" in told(render_line(LINES["escalated"], TRIGGERED))


def test_a_note_that_was_cut_says_so_and_where_the_rest_is() -> None:
    assert "Read all of it in PagerDuty" in told(render_line(LINES["note-trimmed"], TRIGGERED))
    assert "Read all of it" in told(render_line(StoryLine("annotated", T0, text="x" * 4000), TRIGGERED))
    assert "Read all of it" not in told(render_line(LINES["note"], TRIGGERED))


def test_the_late_call_mentions_the_assignee() -> None:
    assert "<@U0ALICE>, this one is assigned to you." in told(render_call(TRIGGERED, {ALICE.id: "U0ALICE"}))
