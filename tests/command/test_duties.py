"""Turns on call, as people think of them, out of shifts as PagerDuty cuts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.command.duties import Turn, turns
from bot.model import OnCall, Reference

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ALICE, BOB = Reference("PALICE1", "Alice Anderson"), Reference("PBOB002", "Bob Brown")
PRIMARY, OTHER = Reference("PEPCHK", "Checkout primary"), Reference("PEPOTH", "Other")
ROTA, PLATFORM = Reference("PSCHCHK", "Checkout rota"), Reference("PSCHPLT", "Platform rota")


def shift(
    who: Reference,
    day: float,
    days: float = 1,
    *,
    on: Reference = ROTA,
    level: int = 1,
    policy: Reference = PRIMARY,
) -> OnCall:
    start = MONDAY + day * DAY
    return OnCall(who, policy, level, on, start, start + days * DAY)


def told(found: list[Turn]) -> list[tuple[str, float, float]]:
    """Whose, from which day to which, counted from Monday."""
    return [
        (one.person.name[0], (one.start - MONDAY) / DAY, (one.end - MONDAY) / DAY)
        for one in found
        if one.start and one.end
    ]


def test_each_hand_over_begins_a_turn() -> None:
    week = [shift(ALICE, 0, 7), shift(BOB, 7, 7), shift(ALICE, 14, 7)]
    assert told(turns(week)) == [("A", 0, 7), ("B", 7, 14), ("A", 14, 21)]


def test_a_week_of_office_hours_is_one_turn() -> None:
    days = [shift(ALICE, day, 1 / 3) for day in range(5)] + [shift(BOB, 7, 1 / 3)]
    assert told(turns(reversed(days))) == [("A", 0, 4 + 1 / 3), ("B", 7, 7 + 1 / 3)]


def test_handing_over_to_oneself_is_no_new_turn() -> None:
    assert told(turns([shift(ALICE, day) for day in range(14)])) == [("A", 0, 14)]


def test_every_other_day_is_a_turn_each() -> None:
    found = told(turns([shift(ALICE, 0), shift(BOB, 1), shift(ALICE, 2)]))
    assert found == [("A", 0, 1), ("B", 1, 2), ("A", 2, 3)]


def test_two_at_once_do_not_cut_each_others_turns() -> None:
    both = [shift(who, day, 1 / 3) for day in range(3) for who in (ALICE, BOB)]
    assert told(turns(both)) == [("A", 0, 2 + 1 / 3), ("B", 0, 2 + 1 / 3)]


def test_a_shift_on_several_policies_and_levels_counts_once_at_its_lowest() -> None:
    found = turns(
        [shift(ALICE, 0, level=3), shift(ALICE, 0, level=2, policy=OTHER), shift(ALICE, 0, level=2)]
    )
    assert told(found) == [("A", 0, 1)]
    assert (found[0].shift.level, found[0].shift.policy) == (2, PRIMARY)


def test_two_rotas_are_two_turns() -> None:
    assert told(turns([shift(ALICE, 0), shift(ALICE, 1, on=PLATFORM)])) == [("A", 0, 1), ("A", 1, 2)]


def test_named_in_policies_directly_is_one_turn_for_ever() -> None:
    found = turns([OnCall(BOB, PRIMARY, 2), OnCall(BOB, OTHER, 1), shift(BOB, 0)])
    assert [(one.start, one.shift.level) for one in found] == [(None, 1), (MONDAY, 1)]
    assert found[0].is_standing(MONDAY, MONDAY + 14 * DAY)


def test_a_turn_that_outlasts_what_is_known_stands() -> None:
    (turn,) = turns([shift(ALICE, 0, 7), shift(ALICE, 7, 7)])
    assert turn.is_standing(MONDAY + DAY, MONDAY + 14 * DAY)
    assert not turn.is_standing(MONDAY + DAY, MONDAY + 15 * DAY)
    assert not turn.is_standing(MONDAY - DAY, MONDAY + 7 * DAY)
    assert [turn.is_running(MONDAY + day * DAY) for day in (-1, 0, 13, 14)] == [False, True, True, False]
