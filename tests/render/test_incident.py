from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Acknowledgement, Incident, Level, Reference, Status, Urgency
from bot.render.incident import render_incident
from bot.render.limits import Rendered
from bot.sandbox.slack.blocks import problems
from tests.render.conftest import Drawn
from tests.render.samples import (
    ACKNOWLEDGED,
    ALICE,
    BOB,
    BUTTONS,
    FRESH,
    HOSTILE,
    LAST_LEVEL,
    MERGED,
    RESOLVED,
    SAMPLES,
    TRIGGERED,
    at,
)


def words(drawn: Drawn) -> str:
    """All mrkdwn of a message."""
    return json.dumps(drawn.blocks, ensure_ascii=False)


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_messages(name: str, golden: Callable[[str, Drawn], None]) -> None:
    golden(f"incident-{name}", render_incident(SAMPLES[name], BUTTONS))


def test_golden_first_post_of_a_high_urgency_incident(golden: Callable[[str, Drawn], None]) -> None:
    golden("incident-first-post", first_post(TRIGGERED))


def first_post(incident: Incident) -> Rendered:
    return render_incident(incident, BUTTONS, mentions={ALICE.id: "U0ALICE"}, mention_assignee=True)


def test_only_the_first_post_of_a_high_urgency_incident_mentions_its_assignee() -> None:
    assert "<@U0ALICE>" in words(first_post(TRIGGERED))
    assert "Alice Anderson" in first_post(TRIGGERED).text
    assert "<@" not in words(first_post(replace(TRIGGERED, urgency=Urgency.LOW)))
    assert "<@" not in words(first_post(ACKNOWLEDGED))
    assert "<@" not in words(render_incident(TRIGGERED, BUTTONS, mentions={ALICE.id: "U0ALICE"}))


def test_assignees_we_know_in_slack_are_mentioned_and_the_others_named() -> None:
    told = words(first_post(replace(TRIGGERED, assignees=(BOB, ALICE))))
    assert "<@U0ALICE>, *Bob Brown*" in told


def test_a_hostile_incident_mentions_nobody_and_links_nowhere_else() -> None:
    drawn = render_incident(HOSTILE, BUTTONS, mention_assignee=True)
    for told in (words(drawn), drawn.text):
        tags = re.findall("<([^>]*)>", told)
        assert all(tag.startswith(("!date^", "https://acme.pagerduty.com/")) for tag in tags), tags
        assert "javascript:" not in told
        assert "boo" in told


def test_a_resolved_message_is_two_lines_without_dead_buttons() -> None:
    drawn = render_incident(RESOLVED, BUTTONS)
    (block,) = drawn.blocks
    assert block["text"]["text"].count("\n") == 1
    assert [option["value"] for option in block["accessory"]["options"]] == ["note Q1ABCDEF"]
    (bare,) = render_incident(RESOLVED, []).blocks
    assert "accessory" not in bare


def test_a_merged_message_points_to_its_target() -> None:
    drawn = render_incident(MERGED, BUTTONS)
    assert "*Merged into* <https://acme.pagerduty.com/incidents/Q1ABCDEF|#1234" in words(drawn)
    assert drawn.text.startswith("Merged into #1234")


def test_the_last_level_starts_over_instead_of_naming_somebody() -> None:
    assert "starts over <!date^" in words(render_incident(LAST_LEVEL, BUTTONS))


def test_a_level_not_known_yet_is_left_out() -> None:
    assert "level" not in words(render_incident(FRESH, BUTTONS))
    told = words(render_incident(replace(FRESH, escalates_at=at(10)), BUTTONS))
    assert "escalates <!date^" in told


def test_everybody_who_acknowledged_is_named() -> None:
    both = (Acknowledgement(ALICE, at(2)), Acknowledgement(BOB, at(3)), Acknowledgement(ALICE, at(4)))
    drawn = render_incident(replace(ACKNOWLEDGED, acknowledgements=both), BUTTONS)
    assert "*Acknowledged* by *Alice Anderson* and *Bob Brown*" in words(drawn)


def test_a_clock_that_ran_behind_makes_no_negative_duration() -> None:
    drawn = render_incident(replace(ACKNOWLEDGED, acknowledged_at=at(-1)), BUTTONS)
    assert "after" not in words(drawn) + drawn.text


def test_nothing_on_a_message_depends_on_when_it_is_drawn() -> None:
    assert render_incident(TRIGGERED, BUTTONS).hash == render_incident(TRIGGERED, BUTTONS).hash
    assert " ago" not in words(render_incident(TRIGGERED, BUTTONS))


def test_the_plain_text_says_all_that_matters() -> None:
    assert render_incident(TRIGGERED, BUTTONS).text == (
        "Triggered: #1234 Checkout API p99 latency above 2 s (P1, high urgency). Checkout, "
        "assigned to Alice Anderson (level 1 of 3), escalates to Bob Brown at 09:50 UTC."
    )


NASTY = st.text(
    st.sampled_from(list("<>&!@#|*_~` \nab")) | st.characters(exclude_categories=["Cs"]), max_size=400
)
REFERENCES = st.builds(Reference, st.just("P1"), NASTY, st.none() | NASTY)
INCIDENTS = st.builds(
    Incident,
    id=st.just("Q1"),
    title=NASTY,
    status=st.sampled_from(Status),
    urgency=st.sampled_from(Urgency),
    service=REFERENCES,
    created_at=st.just(at(0)),
    number=st.none() | st.integers(0, 10**12),
    url=st.none() | NASTY,
    policy=st.none() | REFERENCES,
    assignees=st.lists(REFERENCES, max_size=6).map(tuple),
    acknowledgements=st.none()
    | st.lists(st.builds(Acknowledgement, REFERENCES, st.just(at(1))), max_size=4).map(tuple),
    level=st.none()
    | st.builds(Level, st.integers(1, 9), st.integers(1, 9), st.lists(REFERENCES, max_size=4).map(tuple)),
    escalates_at=st.none() | st.just(at(9)),
    snoozed_until=st.none() | st.just(at(99)),
    opened_by=st.none() | NASTY,
    acknowledged_at=st.none() | st.just(at(2)),
    acknowledged_by=st.none() | NASTY,
    resolved_at=st.none() | st.just(at(0) + timedelta(days=400)),
    resolved_by=st.none() | NASTY,
    reopened_at=st.none() | st.just(at(60)),
    merged_into=st.none() | REFERENCES,
)


@given(INCIDENTS)
def test_any_incident_makes_a_message_slack_takes(incident: Incident) -> None:
    drawn = render_incident(incident, BUTTONS)
    blocks: Any = json.loads(words(drawn))
    assert problems(blocks, "message") == []
    assert drawn.text
    for tag in re.findall("<([^>]*)>", words(drawn) + drawn.text):
        assert tag.startswith(("!date^", "http://", "https://", "HTTP", "Http")), tag
