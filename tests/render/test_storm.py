"""Pages, news and the fold: every incident on them, the worst first, within Slack's limits whatever comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model import Incident, Priority, Reference, Status, Urgency
from bot.render.limits import TOP_TEXT, TOTAL_TEXT, text_length
from bot.render.storm import Trend, render_fold, render_news, render_page, row_length
from bot.sandbox.slack.blocks import problems
from tests.render.conftest import Drawn
from tests.render.samples import ACME, ALICE, BOB, FRESH, HOSTILE, T0

TREND = Trend(
    since=T0,
    at=T0 + timedelta(minutes=7),
    triggered=38,
    acknowledged=19,
    resolved=5,
    opened_lately=31,
    acknowledged_lately=12,
    resolved_lately=5,
)
P1 = Priority("PP1", "P1", 0)
SERVICES = ("Checkout", "Search", "Login")
TITLES = ("Payment provider timeouts", "5xx above 1 %", "Queue depth above 10,000", "Pod restarts")


def an_incident(number: int, status: Status = Status.TRIGGERED, *, p1: bool = False) -> Incident:
    name = SERVICES[number % 3]
    return replace(
        FRESH,
        id=f"Q0STORM{number:04}",
        number=1200 + number,
        url=f"{ACME}/incidents/Q0STORM{number:04}",
        title=TITLES[number % 4],
        status=status,
        service=Reference(f"PSVC{name}", name, f"{ACME}/service-directory/PSVC{name}"),
        priority=P1 if p1 else None,
        urgency=Urgency.HIGH if number % 4 else Urgency.LOW,
        created_at=T0 + timedelta(seconds=number),
        assignees=(ALICE if number % 2 else BOB,),
        acknowledged_by="Bob Brown" if status is Status.ACKNOWLEDGED else None,
        resolved_by="Bob Brown" if status is Status.RESOLVED else None,
    )


MIXED = [
    *(an_incident(number, p1=number == 4) for number in range(8)),
    *(an_incident(number, Status.ACKNOWLEDGED) for number in range(8, 13)),
    *(an_incident(number, Status.RESOLVED) for number in range(13, 20)),
]


def test_golden_page(golden: Callable[[str, Drawn], None]) -> None:
    golden("storm-page", render_page(MIXED, TREND, verb="ack-all"))


def test_golden_news(golden: Callable[[str, Drawn], None]) -> None:
    golden("storm-news", render_news(MIXED[5:16], TREND.at))
    many = [an_incident(number, Status.ACKNOWLEDGED) for number in range(40)]
    golden("storm-news-many", render_news(many, TREND.at))


def test_golden_summary(golden: Callable[[str, Drawn], None]) -> None:
    golden("storm-summary", render_fold(MIXED, T0, T0 + timedelta(minutes=42)))


def test_the_worst_stands_first() -> None:
    page = render_page(MIXED, TREND, verb=None)
    drawn = json.dumps(page.blocks)
    assert drawn.index("|#1204>") == min(drawn.index(f"|{one.label}>") for one in MIXED)
    assert page.text.index("#1204") == min(page.text.index(one.label) for one in MIXED)


def test_buttons_carry_words_that_mean_the_same_to_everybody() -> None:
    page = render_page(MIXED, TREND, verb="ack-all")
    row = next(block for block in page.blocks if block["type"] == "actions")
    assert [one["value"] for one in row["elements"]][:2] == ["ack-all mine", "ack-all service PSVCSearch"]
    over = [replace(one, status=Status.RESOLVED) for one in MIXED]
    assert all(block["type"] != "actions" for block in render_page(over, TREND, verb="ack-all").blocks)


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize(
    "title", ["", "x" * 300, "<!channel> *down* & `out` <https://evil.example|here>", "\n"]
)
@pytest.mark.parametrize("services", [1, 40])
def test_every_incident_is_named_whatever_it_is_called(status: Status, title: str, services: int) -> None:
    incidents = [
        replace(
            an_incident(number, status),
            title=title,
            service=Reference(f"P{number % services}", f"{title}{number % services}", f"{ACME}/s"),
        )
        for number in range(75)
    ]
    page = render_page(incidents, TREND, verb="ack-all")
    drawn = json.dumps(page.blocks)
    for one in incidents:
        assert f"{one.label}>" in drawn
        assert one.label in page.text
    assert len(page.text) <= TOP_TEXT
    assert text_length(list(map(dict, page.blocks))) <= TOTAL_TEXT
    assert "<!channel>" not in drawn + page.text
    assert problems(list(page.blocks)) == []


def test_hostile_words_do_nothing() -> None:
    for drawn in (
        render_page([HOSTILE], TREND, verb="ack-all"),
        render_news([HOSTILE], T0),
        render_fold([replace(HOSTILE, priority=P1)], T0, T0),
    ):
        assert "<!channel>" not in drawn.text + json.dumps(drawn.blocks)
        assert problems(list(drawn.blocks)) == []


def test_news_of_many_fits() -> None:
    news = render_news([an_incident(number, Status.RESOLVED) for number in range(120)], T0)
    drawn = json.dumps(news.blocks)
    assert all(f"#{1200 + number}>" in drawn for number in range(120))
    assert len(news.text) <= TOP_TEXT


def test_a_row_takes_what_it_says() -> None:
    assert 80 < row_length(an_incident(1)) < 200
