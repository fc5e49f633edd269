"""What Slack sends to a bot that was killed is no fault once it came, or once nobody was there to take it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.slack.journal import Exchange
from tests.stories.absences import TRIES, Absences, on_their_way, unanswered

DOOR, OTHER = "http://127.0.0.1:1", "http://127.0.0.1:2"
LONG = timedelta(seconds=60)


@pytest.fixture
def absences() -> Absences:
    """One bot was away and is back."""
    found = Absences()
    found.leaves(DOOR)
    found.returns(DOOR)
    (only,) = found._all
    only.until = only.since + LONG
    return found


def sent(seconds: float, status: int = 0, *, door: str = DOOR, event: str | None = "Ev1") -> Exchange:
    """So many seconds after about now."""
    body = {"event_id": event} if event else {"command": "/pager"}
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return Exchange(
        "delivery", at, "POST", f"{door}/slack/events", body=body, status=status, milliseconds=1.0, name="it"
    )


def test_an_event_that_came_when_it_was_sent_again_is_no_fault(absences: Absences) -> None:
    tries = [sent(5), sent(6), sent(90, 200)]
    assert not list(unanswered(tries, absences, DOOR))


def test_until_then_slack_is_waited_for(absences: Absences) -> None:
    tries = [sent(5), sent(6)]
    assert on_their_way(tries, absences, DOOR) == tries == list(unanswered(tries, absences, DOOR))


def test_where_nobody_is_to_come_it_is_not_waited_for(absences: Absences) -> None:
    absences.leaves(DOOR)
    tries = [sent(5), sent(6)]
    assert not on_their_way(tries, absences, DOOR)
    assert not list(unanswered(tries, absences, DOOR))


def test_what_slack_gave_up_in_an_absence_is_no_fault(absences: Absences) -> None:
    assert not list(unanswered([sent(5)] * TRIES, absences, DOOR))


def test_what_was_not_taken_by_who_was_there_is_a_fault(absences: Absences) -> None:
    late = sent(90)
    tries = [sent(5)] * (TRIES - 1) + [late]
    assert late in unanswered(tries, absences, DOOR)
    assert not on_their_way(tries, absences, DOOR)
    elsewhere = sent(5, door=OTHER)
    assert list(unanswered([elsewhere], absences, DOOR)) == [elsewhere]


def test_so_is_a_refusal_and_what_is_never_sent_again(absences: Absences) -> None:
    refused, command = sent(5, 500), sent(5, event=None)
    assert list(unanswered([refused, command], absences, DOOR)) == [refused, command]
    assert not on_their_way([refused, command], absences, DOOR)


def test_a_request_that_was_under_way_as_the_bot_left_counts_as_sent_in_its_absence(
    absences: Absences,
) -> None:
    before = sent(-5)
    assert not absences.cover(before)
    before.milliseconds = 10_000.0
    assert absences.cover(before)
