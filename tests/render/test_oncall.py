from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.declaration import Reply, Visibility
from bot.model import OnCall, Policy, Reference, Rule
from bot.render.oncall import on_call, on_call_person, on_call_schedule
from tests.render.conftest import Drawn
from tests.render.samples import ALICE, BOB, CAROL, CHECKOUT, POLICY, PRIMARY, ROTA, T0

WEEK = timedelta(days=7)
ALICE_NOW = OnCall(ALICE, PRIMARY, 1, ROTA, T0 - WEEK / 2, T0 + WEEK / 2)
BOB_NEXT = OnCall(BOB, PRIMARY, 1, ROTA, T0 + WEEK / 2, T0 + WEEK)
BOB_ALWAYS = OnCall(BOB, PRIMARY, 2)
CAROL_ALWAYS = OnCall(CAROL, PRIMARY, 3)
SHIFTS = [BOB_NEXT, CAROL_ALWAYS, ALICE_NOW, BOB_ALWAYS]


def told(reply: Reply) -> str:
    return json.dumps(reply.blocks, ensure_ascii=False)


def for_checkout(*shifts: OnCall) -> Reply:
    return on_call(CHECKOUT, [POLICY], shifts, now=T0)


def test_golden_answer(golden: Callable[[str, Drawn], None]) -> None:
    golden("oncall", on_call(CHECKOUT, [POLICY], SHIFTS, now=T0, share="oncall share PSVCCHK"))


def test_golden_team_with_an_empty_policy(golden: Callable[[str, Drawn], None]) -> None:
    empty = Policy("PX", "Platform on-call", (Rule((), (ROTA,), 5),))
    golden("oncall-team", on_call(Reference("PT", "Payments"), [POLICY, empty], SHIFTS, now=T0))


def test_levels_in_order_until_when_and_who_is_next() -> None:
    assert for_checkout(*SHIFTS).text == (
        "On call for Checkout: Level 1: Alice Anderson until Jan 18, 21:40 UTC, then Bob Brown. "
        "Level 2: Bob Brown, always. Level 3: Carol Chen, always."
    )


def test_nobody_is_said_plainly_with_what_to_do() -> None:
    reply = for_checkout()
    assert reply.text.startswith("On call for Checkout: Level 1: nobody.")
    assert "would page no one" in told(reply)
    assert "would page no one" not in told(for_checkout(*SHIFTS))


def test_a_gap_before_the_next_shift_is_shown() -> None:
    late = replace(BOB_NEXT, start=T0 + WEEK * 0.75)
    assert "then nobody, then Bob Brown from Jan 20" in for_checkout(ALICE_NOW, late).text
    assert "Level 1: nobody, Bob Brown from Jan 20" in for_checkout(late).text


def test_two_shifts_of_one_person_in_a_row_are_one_turn() -> None:
    again = replace(BOB_NEXT, person=ALICE)
    last = replace(BOB_NEXT, start=again.end, end=T0 + 2 * WEEK)
    assert (
        "Alice Anderson until Jan 22, 09:40 UTC, then Bob Brown" in for_checkout(ALICE_NOW, again, last).text
    )


def test_somebody_told_twice_is_on_call_once() -> None:
    assert for_checkout(ALICE_NOW, replace(ALICE_NOW)).text.count("Alice Anderson") == 1


def test_a_service_without_a_policy_pages_nobody() -> None:
    assert "has no escalation policy" in on_call(CHECKOUT, [], [], now=T0).text


def test_a_shared_answer_is_for_the_channel_and_has_no_button() -> None:
    private = on_call(CHECKOUT, [POLICY], SHIFTS, now=T0, share="oncall share PSVCCHK")
    shared = on_call(CHECKOUT, [POLICY], SHIFTS, now=T0, shared_by="<!here> Dana")
    assert private.visibility is Visibility.PRIVATE
    assert '"oncall share PSVCCHK"' in told(private)
    assert shared.visibility is Visibility.CHANNEL
    assert "actions" not in told(shared)
    assert "<!here>" not in told(shared)


def test_a_person(golden: Callable[[str, Drawn], None]) -> None:
    golden("oncall-person", on_call_person(BOB, SHIFTS, now=T0, share="oncall share PBOB002"))
    assert on_call_person(ALICE, SHIFTS, now=T0).text == (
        "Alice Anderson is on call: Level 1 of Checkout primary (Checkout rota), until Jan 18, 21:40 UTC."
    )
    assert (
        on_call_person(Reference("PX", "Dana Diaz"), SHIFTS, now=T0).text == "Dana Diaz is not on call now."
    )


def test_a_schedule_counts_a_shift_on_two_policies_once() -> None:
    twice = [*SHIFTS, replace(ALICE_NOW, policy=Reference("PX", "Other"))]
    told_ = on_call_schedule(ROTA, twice, now=T0).text
    assert told_ == "On call in Checkout rota: Alice Anderson until Jan 18, 21:40 UTC, then Bob Brown."
