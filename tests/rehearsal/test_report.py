"""A game day's report: what is good, what is not, for people and for machines."""

from __future__ import annotations

import json

import pytest

from bot.rehearsal import budgets
from bot.rehearsal.budgets import Budget
from bot.rehearsal.report import Report, Result, Step, judged

TEN = Budget(10.0, "for this test")


def report(*steps: Step) -> Report:
    return Report("outage", "Search", "#checkout", list(steps))


@pytest.mark.parametrize(
    ("took", "result"),
    [(0.4, Result.OK), (10.0, Result.OK), (10.1, Result.LATE), (39.0, Result.LATE), (None, Result.MISSING)],
)
def test_a_thing_is_judged_by_its_budget(took: float | None, result: Result) -> None:
    assert judged("shown", TEN, took).result is result


def test_what_takes_longer_for_a_reason_is_given_longer() -> None:
    assert judged("shown", TEN.longer_by(30.0), 39.0).result is Result.OK


def test_every_budget_says_why() -> None:
    found = [one for one in vars(budgets).values() if isinstance(one, Budget)]
    assert found
    assert all(one.seconds > 0 and len(one.why) > 20 for one in found)


def test_all_within_their_budgets_is_0() -> None:
    good = report(judged("shown", TEN, 0.5), Step("escalated", Result.SKIPPED, detail="one level"))
    assert (good.status, good.is_good) == (0, True)
    assert "All within their budgets, and cleaned up." in str(good)


@pytest.mark.parametrize("took", [12.0, None])
def test_late_or_missing_is_1(took: float | None) -> None:
    bad = report(judged("shown", TEN, 0.5), judged("told", TEN, took))
    assert bad.status == 1
    assert "1 of 2 late or missing" in str(bad)
    assert "docs/gameday.md" in str(bad)


def test_what_could_not_be_cleaned_up_is_named_and_is_1() -> None:
    unclean = report(judged("shown", TEN, 0.5))
    unclean.left.append("#12 Game day: resolve it in PagerDuty")
    assert unclean.status == 1
    assert "Not cleaned up: #12 Game day: resolve it in PagerDuty" in str(unclean)


def test_stopped_early_is_1_even_when_nothing_was_late() -> None:
    early = report(judged("shown", TEN, 0.5))
    early.stopped = "it was told to"
    assert early.status == 1
    assert "Stopped early: it was told to" in str(early)
    assert report().status == 1  # nothing was seen at all


def test_machines_get_every_row() -> None:
    told = json.loads(report(judged("shown", TEN, 0.512), judged("told", TEN, None, "no message")).as_json())
    assert told["ok"] is False
    assert told["steps"] == [
        {"what": "shown", "result": "ok", "budget_seconds": 10, "took_seconds": 0.51, "detail": ""},
        {
            "what": "told",
            "result": "missing",
            "budget_seconds": 10,
            "took_seconds": None,
            "detail": "no message",
        },
    ]


def test_rows_stand_below_each_other() -> None:
    rows = str(
        report(judged("shown", TEN, 0.5), judged("escalated is told in the channel, once", TEN, 3))
    ).split("\n")
    (head, first, second) = rows[2:5]
    assert head.index("took") + len("took") == first.index("0.5 s") + len("0.5 s")
    assert first.index("ok") == second.index("ok")
