"""What the channel says of an incident, and how that differs from what is true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Incident, Reference, Status
from bot.rehearsal.view import differs, told_last
from bot.render.incident import render_incident
from bot.render.storm import Trend, render_news, render_page
from bot.slack.client import Found
from bot.slack.marks import Mark
from tests.store.seeding import NOON, an_incident

FIRST = an_incident("Q1", title="Game day, nothing is broken (1 of 3)")
SECOND = replace(an_incident("Q2", title="Game day, nothing is broken (2 of 3)"), number=123)
THIRD = replace(an_incident("Q3", title="Game day, nothing is broken (3 of 3)"), number=12345)


def text(incident: Incident) -> str:
    """The plain text of its message."""
    return render_incident(incident, ()).text


@pytest.mark.parametrize("status", list(Status))
def test_our_own_message_says_what_is_true(status: Status) -> None:
    incident = replace(FIRST, status=status)
    assert differs(text(incident), incident) == ""


def test_an_old_state_differs() -> None:
    now = replace(FIRST, status=Status.ACKNOWLEDGED)
    assert differs(text(FIRST), now) == "it says 'Triggered', not 'Acknowledged'"


def test_another_number_differs() -> None:
    assert "#1234" in differs(text(SECOND), FIRST)
    assert "#1234" in differs(text(THIRD), FIRST)  # of which its own is the beginning


def test_who_has_it_differs() -> None:
    now = replace(FIRST, assignees=(Reference("PCAROL3", "Carol Chen"),))
    assert differs(text(FIRST), now) == "it does not say that Carol Chen has it"
    assert differs(text(replace(FIRST, status=Status.RESOLVED)), replace(now, status=Status.RESOLVED)) == ""


def page(*incidents: Incident) -> Found:
    states = [one.status for one in incidents]
    trend = Trend(
        since=NOON,
        at=NOON,
        triggered=states.count(Status.TRIGGERED),
        acknowledged=states.count(Status.ACKNOWLEDGED),
        resolved=states.count(Status.RESOLVED),
    )
    return Found("1", Mark("page", 1), text=render_page(incidents, trend, verb=None).text)


def test_a_page_tells_the_state_of_each() -> None:
    told = [page(FIRST, replace(SECOND, status=Status.ACKNOWLEDGED), replace(THIRD, status=Status.RESOLVED))]
    assert [told_last(told, one) for one in (FIRST, SECOND, THIRD)] == [
        "Triggered",
        "Acknowledged",
        "Resolved",
    ]


def test_news_below_a_page_is_the_newer_word() -> None:
    over = replace(FIRST, status=Status.RESOLVED)
    news = Found("2", Mark("news", 2), text=render_news([over], NOON).text)
    assert told_last([news, page(FIRST, SECOND)], FIRST) == "Resolved"
    assert told_last([news, page(FIRST, SECOND)], SECOND) == "Triggered"


def test_what_stands_nowhere_has_no_state() -> None:
    assert told_last([page(FIRST)], SECOND) == ""
    assert told_last([], FIRST) == ""
