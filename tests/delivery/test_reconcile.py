"""Which call makes a message true, and which call goes first: a table of cases, no database and no Slack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.reconcile import (
    LOOK_BACK,
    Call,
    LookUp,
    Post,
    Settled,
    Update,
    line_worth,
    next_call,
    settle,
    worth,
)
from bot.delivery.storm import Tuning
from bot.events import StoryLine
from bot.model import Status, Urgency
from bot.store.rows import Candidate, Message, Shown, Standing, ThreadLine
from tests.store.seeding import CHECKOUT

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
SETTLED = timedelta(seconds=20)
OPEN = Standing(revision=3, status=Status.TRIGGERED)
OVER = Standing(revision=3, status=Status.RESOLVED)
LONG_AGO, JUST_NOW = NOW - SETTLED, NOW - timedelta(seconds=1)


def a_message(**values: Any) -> Message:
    return Message(id=7, channel=CHECKOUT, incident_id="Q1", **values)


@pytest.mark.parametrize(
    ("message", "standing", "shown", "call"),
    [
        pytest.param(a_message(), OPEN, None, Post(), id="wanted"),
        pytest.param(a_message(), OVER, None, Post(), id="wanted, resolved before it was posted"),
        pytest.param(a_message(posting_since=JUST_NOW), OPEN, None, None, id="being posted"),
        pytest.param(
            a_message(posting_since=LONG_AGO), OPEN, None, LookUp(LONG_AGO - LOOK_BACK), id="unknown outcome"
        ),
        pytest.param(a_message(ts="1.1"), OPEN, None, Update("1.1"), id="not known what it shows"),
        pytest.param(a_message(ts="1.1"), OPEN, Shown(2, "x"), Update("1.1"), id="behind"),
        pytest.param(a_message(ts="1.1"), OPEN, Shown(3, "x"), None, id="true"),
        pytest.param(a_message(ts="1.1"), OPEN, Shown(4, "x"), None, id="newer than asked"),
        pytest.param(
            a_message(ts="1.1", posting_since=JUST_NOW),
            OPEN,
            Shown(2, "x"),
            Update("1.1"),
            id="behind, an extra is suspected",
        ),
        pytest.param(
            a_message(ts="1.1", posting_since=LONG_AGO),
            OPEN,
            Shown(2, "x"),
            Update("1.1"),
            id="behind, an extra is to be looked for afterwards",
        ),
        pytest.param(
            a_message(ts="1.1", posting_since=LONG_AGO),
            OPEN,
            Shown(3, "x"),
            LookUp(LONG_AGO - LOOK_BACK),
            id="true, an extra is looked for",
        ),
        pytest.param(a_message(gone=LONG_AGO), OPEN, None, Post(), id="deleted while open"),
        pytest.param(a_message(gone=LONG_AGO), OVER, None, None, id="deleted, resolved"),
        pytest.param(a_message(gone=LONG_AGO, reposts=1), OPEN, None, None, id="deleted again"),
        pytest.param(a_message(reposts=1), OPEN, None, Post(), id="not taken again while open"),
        pytest.param(a_message(reposts=1), OVER, None, None, id="not taken again, resolved"),
        pytest.param(a_message(ts="1.1", gone=LONG_AGO), OPEN, Shown(1, "x"), None, id="given up"),
    ],
)
def test_the_next_call(message: Message, standing: Standing, shown: Shown | None, call: Call | None) -> None:
    assert next_call(message, standing, shown, now=NOW, settled_after=SETTLED) == call


def candidate(standing: Standing, *, waited: float = 1.0, **values: Any) -> Candidate:
    since = NOW - timedelta(seconds=waited)
    return Candidate(message=a_message(**values), standing=standing, shown=None, since=since, asked_at=NOW)


def test_the_order_of_calls() -> None:
    """Clicks, first posts by urgency, edits by what they save, what is said to all, the first post of what is
    over already, and thread lines.
    """

    def standing(**values: Any) -> Standing:
        return Standing(**{"revision": 1, "status": Status.TRIGGERED, **values})

    line = ThreadLine(
        message_id=7,
        event_id=1,
        channel=CHECKOUT,
        incident_id="Q1",
        thread_ts="1.1",
        posting_since=None,
        story=StoryLine(kind="annotated", at=NOW),
        since=NOW,
    )
    to_all = replace(line, story=StoryLine(kind="reopened", at=NOW, broadcast=True))
    ordered = [
        worth(candidate(standing(touched=True), ts="1.1"), Update("1.1"), Tuning()),
        worth(candidate(standing(rank=0)), Post(), Tuning()),
        worth(candidate(standing(rank=1)), Post(), Tuning()),
        worth(candidate(standing(), waited=9), Post(), Tuning()),
        worth(candidate(standing(), waited=2), Post(), Tuning()),
        worth(candidate(standing(urgency=Urgency.LOW), waited=99), Post(), Tuning()),
        worth(candidate(standing(), waited=60, ts="1.1"), Update("1.1"), Tuning()),
        worth(candidate(standing(rank=0), waited=5, ts="1.1"), Update("1.1"), Tuning()),
        line_worth(to_all, NOW),
        worth(candidate(standing(status=Status.RESOLVED, rank=0), waited=500), Post(), Tuning()),
        line_worth(line, NOW),
    ]
    assert ordered == sorted(ordered)


def test_in_a_storm_the_edit_of_a_message_that_counts_goes_before_an_older_one() -> None:
    """The older one's incident stands on a page, which tells the truth already."""

    def in_storm(standing: Standing, waited: float) -> tuple[float, ...]:
        found = replace(candidate(standing, waited=waited, ts="1.1"), in_storm=True)
        return worth(found, Update("1.1"), Tuning())

    assert in_storm(replace(OPEN, rank=0), waited=5) < in_storm(OPEN, waited=60)
    assert in_storm(OPEN, waited=60) < in_storm(OPEN, waited=5)


def test_an_edit_answers_a_click_only_while_its_news_is_fresh() -> None:
    touched = replace(OPEN, touched=True)
    assert candidate(touched, waited=2, ts="1.1").answers_a_click
    assert not candidate(touched, waited=10, ts="1.1").answers_a_click
    assert not candidate(OPEN, waited=2, ts="1.1").answers_a_click


@pytest.mark.parametrize(
    ("found", "known", "settled"),
    [
        ([], None, Settled(None)),
        ([], "1.1", Settled("1.1")),
        (["1.1"], None, Settled("1.1")),
        (["1.1"], "1.1", Settled("1.1")),
        (["10.2", "9.1"], None, Settled("9.1", ("10.2",))),
        (["10.2", "9.1"], "10.2", Settled("10.2", ("9.1",))),
        (["9.1"], "10.2", Settled("10.2", ("9.1",))),
    ],
)
def test_one_of_several_is_kept(found: list[str], known: str | None, settled: Settled) -> None:
    assert settle(found, known) == settled


@given(
    st.lists(st.from_regex(r"1[0-9]{9}\.[0-9]{6}", fullmatch=True)), st.none() | st.just("1000000000.000001")
)
def test_everything_found_is_kept_or_deleted(found: list[str], known: str | None) -> None:
    settled = settle(found, known)
    kept = {settled.keep} - {None}
    assert kept | set(settled.extras) == set(found) | ({known} - {None})
    assert settled.keep not in settled.extras
