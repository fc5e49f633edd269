"""What a storm's messages say of an incident, also when a page became the summary between two looks."""

from __future__ import annotations

from dataclasses import replace

from bot.model import Status
from bot.rehearsal.storm import is_page, is_summary, last_word
from bot.render.storm import render_fold
from bot.slack.client import Found
from bot.slack.marks import Mark
from tests.rehearsal.test_view import FIRST, SECOND, page, text
from tests.store.seeding import NOON

SUMMARY = Found("1", Mark("page", 1), text=render_fold([FIRST, SECOND], NOON, NOON).text)
OWN = Found("2", Mark("incident", 2, "Q1"), text=text(replace(FIRST, status=Status.ACKNOWLEDGED)))


def test_a_page_becomes_the_summary() -> None:
    assert is_page(page(FIRST))
    assert not is_summary(page(FIRST))
    assert is_summary(SUMMARY)
    assert not is_page(OWN)


def test_whom_nobody_names_when_it_is_over_was_resolved() -> None:
    assert last_word([page(FIRST)], SECOND) == ""
    assert last_word([SUMMARY], SECOND) == "Resolved"


def test_whoever_is_named_is_what_that_says() -> None:
    assert last_word([OWN, SUMMARY], FIRST) == "Acknowledged"
