"""Who is on call when: rotations computed from the clock, so that "now" and "next" are always true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.state import State

HANDOVER_HOUR = 9


@dataclass(frozen=True)
class Shift:
    user: str
    start: datetime
    end: datetime


class Rota:
    """Turns schedules into shifts.

    The first turn of each schedule began at the last 09:00 of its time zone before the sandbox started, so
    the first person named stays on call for at least six days and nobody's demo changes hands in the
    middle.
    """

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._anchors: dict[str, datetime] = {}
        for schedule in state.schedules.values():
            local = clock().astimezone(ZoneInfo(schedule.tz))
            start = local.replace(hour=HANDOVER_HOUR, minute=0, second=0, microsecond=0)
            if start > local:
                start -= timedelta(days=1)
            self._anchors[schedule.id] = start.astimezone(UTC)

    def anchor(self, schedule: str) -> datetime:
        return self._anchors[schedule]

    def rearrange(
        self, schedule: str, people: tuple[str, ...] | None = None, hand_over_in: timedelta | None = None
    ) -> None:
        """Change who rotates (an empty tuple: nobody is on call), or when the present turn ends."""
        found = self._state.schedules[schedule]
        if people is not None:
            self._state.schedules[schedule] = replace(found, people=people)
        if hand_over_in is not None:
            self._anchors[schedule] = self._clock() + hand_over_in - timedelta(days=found.turn_days)

    def shifts(self, schedule: str, since: datetime, until: datetime) -> Iterator[Shift]:
        """The shifts that touch since..until, in order, with their true start and end, not cut to it."""
        found = self._state.schedules[schedule]
        if not found.people:
            return
        turn = timedelta(days=found.turn_days)
        anchor = self._anchors[schedule]
        number = (since - anchor) // turn
        if len(found.people) == 1:
            number_of_turns = (until - anchor) // turn - number + 1
            yield Shift(found.people[0], anchor + number * turn, anchor + (number + number_of_turns) * turn)
            return
        start = anchor + number * turn
        while start < until or start <= since:
            yield Shift(found.people[number % len(found.people)], start, start + turn)
            number, start = number + 1, start + turn

    def on_call(self, schedule: str, at: datetime | None = None) -> Shift | None:
        at = at or self._clock()
        return next((s for s in self.shifts(schedule, at, at) if s.start <= at < s.end), None)

    def people_at(self, policy: str, level: int) -> list[str]:
        """The people that a policy's level reaches now; empty when its schedules are."""
        rule = self._state.policies[policy].rules[level - 1]
        found: dict[str, None] = {}
        for target in rule.targets:
            if target.kind == "user":
                found[target.id] = None
            elif shift := self.on_call(target.id):
                found[shift.user] = None
        return list(found)

    def first_staffed_level(self, policy: str, start: int = 1) -> int | None:
        levels = range(start, len(self._state.policies[policy].rules) + 1)
        return next((level for level in levels if self.people_at(policy, level)), None)
