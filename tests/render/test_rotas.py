"""Who on the rotas is not linked, and the message that reminds one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.declaration import Reply
from bot.model import OnCall, Reference
from bot.render.reminder import reminder
from bot.render.rotas import NotReminded, OnRota, reminded, team_links
from tests.render.conftest import Drawn
from tests.render.samples import ALICE, BOB, CAROL, PRIMARY, ROTA, T0

UMA = Reference("PUMA007", "Uma Ueda", "https://acme.pagerduty.com/users/PUMA007")
DAY = timedelta(days=1)
UMA_SOON = OnCall(UMA, PRIMARY, 1, ROTA, T0 + DAY, T0 + 8 * DAY)
BOB_NOW = OnCall(BOB, PRIMARY, 1, ROTA, T0 - DAY, T0 + DAY)
CAROL_ALWAYS = OnCall(CAROL, PRIMARY, 3)
URL = "https://pager.example.com/pagerduty/link?ticket=t1cket"


def told(drawn: Drawn) -> str:
    return json.dumps(drawn.blocks, ensure_ascii=False)


def linked_or_not(**more: Any) -> Reply:
    given: Mapping[str, Any] = {
        "unlinked": [OnRota(BOB_NOW, "U0BOB"), OnRota(UMA_SOON, "U0UMA")],
        "unknown": [OnRota(CAROL_ALWAYS)],
        "linked": ["Alice Anderson", "Olive Ortiz"],
        "now": T0,
        "remind": "team-links remind",
        "reminds": True,
    }
    return team_links(**{**given, **more})


def test_golden_team_links(golden: Callable[[str, Drawn], None]) -> None:
    golden("team-links", linked_or_not())


def test_golden_all_are_linked(golden: Callable[[str, Drawn], None]) -> None:
    golden("team-links-all", linked_or_not(unlinked=[], unknown=[], about="Checkout"))


def test_golden_matched_by_email(golden: Callable[[str, Drawn], None]) -> None:
    golden("team-links-email", linked_or_not(unlinked=[], by_email=True, remind="", reminds=False))


def test_golden_reminded(golden: Callable[[str, Drawn], None]) -> None:
    why = [
        NotReminded("Bob Brown", "reminded less than a day ago"),
        NotReminded("Gus Guest", "may not use me: a guest, deactivated, or of another organisation"),
    ]
    golden("team-links-reminded", reminded(["Uma Ueda"], why))


def test_golden_reminder(golden: Callable[[str, Drawn], None]) -> None:
    shift = replace(UMA_SOON, start=datetime(2026, 10, 26, 9, 0, tzinfo=ZoneInfo("Europe/Berlin")))
    golden(
        "reminder", reminder(shift, now=datetime(2026, 10, 25, 10, 0, tzinfo=UTC), url=URL, ticket="t1cket")
    )


def test_the_plain_text_of_a_reminder_says_it_by_the_persons_own_clock() -> None:
    shift = replace(UMA_SOON, start=datetime(2026, 10, 26, 9, 0, tzinfo=ZoneInfo("Europe/Berlin")))
    drawn = reminder(shift, now=datetime(2026, 10, 25, 10, 0, tzinfo=UTC), url=URL, ticket="t1cket")
    assert drawn.text.startswith(
        "You go on call Mon Oct 26, 09:00 (Europe/Berlin), level 1 of Checkout primary (Checkout rota)."
    )
    assert drawn.text.endswith("Press the button, or type /pager link.")


def test_a_reminder_of_what_runs_already_says_so() -> None:
    assert reminder(BOB_NOW, now=T0, url=URL, ticket="t1cket").text.startswith(
        "You are on call until Fri Jan 16"
    )
    assert reminder(CAROL_ALWAYS, now=T0, url=URL, ticket="t1cket").text.startswith(
        "You are on call, always, level 3"
    )


def test_the_plain_text_names_who_is_missing_and_how_many_are_not() -> None:
    assert linked_or_not().text == (
        "3 of 5 people on the rotas of the next two weeks are not linked: "
        "Bob Brown, now, until Jan 16, 09:40 UTC, level 1 of Checkout primary (Checkout rota); "
        "Uma Ueda, from Jan 16, 09:40 UTC, level 1 of Checkout primary (Checkout rota). "
        "Not found in Slack: Carol Chen, always, level 3 of Checkout primary. "
        "Nobody here has the e-mail address of their PagerDuty login, so I cannot write to them. "
        "Ask them to type /pager link. 2 are linked."
    )


def test_an_empty_rota_is_a_warning_with_what_to_do() -> None:
    reply = linked_or_not(unlinked=[], unknown=[], linked=[])
    assert reply.text.startswith("Nobody is on the rotas of the next two weeks.")
    assert "page no one" in reply.text


def test_hundreds_are_counted_not_listed() -> None:
    many = [OnRota(replace(UMA_SOON, person=Reference(f"P{n}", f"Person {n}")), f"U{n}") for n in range(400)]
    reply = linked_or_not(unlinked=many)
    assert "… and 370 more." in told(reply)
    assert "Remind them" in told(reply)


def test_a_name_from_outside_calls_nobody() -> None:
    evil = replace(UMA_SOON, person=Reference("PX", "<!here> *x*"), policy=replace(PRIMARY, name="<@U0BOB>"))
    reply = linked_or_not(unlinked=[OnRota(evil, "U0UMA")], linked=["<!channel>"])
    assert "<!here>" not in told(reply) + reply.text
    assert "<@U0BOB>" not in told(reply) + reply.text
    assert "<!channel>" not in told(reply) + reply.text
    drawn = reminder(evil, now=T0, url=URL, ticket="t1cket")
    assert "<@U0BOB>" not in told(drawn) + drawn.text


def test_one_person_reads_well() -> None:
    assert linked_or_not(unlinked=[], unknown=[], linked=[ALICE.name]).text == (
        "The one person on the rotas of the next two weeks is linked. 1 is linked."
    )
