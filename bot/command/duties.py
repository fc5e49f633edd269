"""Turns on call, made out of the shifts `GET /oncalls` tells; pure.

PagerDuty cuts a rota into shifts by its own rules: a week of office hours is five of them, and one person
alone hands over to themselves every day. People think in turns: from when somebody else had it until somebody
else has it. bot/command/rotas.py joins them with who is linked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.model import OnCall, Reference

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """One person's time in one place: `start` None is always, `end` None has no end.

    `shift` is the first one of it, at the lowest level it serves.
    """

    person: Reference
    shift: OnCall
    start: datetime | None
    end: datetime | None

    def is_running(self, now: datetime) -> bool:
        """On call at this moment, or in a pause between two shifts with nobody else in between."""
        return (self.start is None or self.start <= now) and (self.end is None or self.end > now)

    def is_standing(self, now: datetime, horizon: datetime) -> bool:
        """On call as far as anybody can see: there is no day before it begins."""
        return self.is_running(now) and (self.start is None or self.end is None or self.end >= horizon)


def turns(shifts: Iterable[OnCall]) -> list[Turn]:
    """Everybody's turns, the earliest first. PagerDuty repeats a shift per policy and level: it counts
    once.
    """
    by_place: dict[str, list[OnCall]] = defaultdict(list)
    found: list[Turn] = []
    for shift in sorted(shifts, key=_order):
        if shift.schedule is not None:
            by_place[shift.schedule.id].append(shift)
        elif not any(turn.person.id == shift.person.id and turn.start is None for turn in found):
            found.append(Turn(shift.person, shift, shift.start, shift.end))
    for own in by_place.values():
        distinct = {(shift.person.id, shift.start, shift.end): shift for shift in reversed(own)}
        found += _in_schedule(sorted(distinct.values(), key=_order))
    return sorted(found, key=lambda turn: (turn.start or _EVER, turn.shift.level, turn.person.name))


def _in_schedule(shifts: Sequence[OnCall]) -> Iterator[Turn]:
    for person in dict.fromkeys(shift.person.id for shift in shifts):
        current: Turn | None = None
        for shift in shifts:
            if shift.person.id != person:
                continue
            if current is None:
                current = Turn(shift.person, shift, shift.start, shift.end)
            elif _goes_on(current, shift, shifts):
                current = replace(current, end=_later(current.end, shift.end))
            else:
                yield current
                current = Turn(shift.person, shift, shift.start, shift.end)
        if current is not None:
            yield current


def _goes_on(turn: Turn, shift: OnCall, everybody: Sequence[OnCall]) -> bool:
    """Whether nobody else began between the turn so far and this shift of the same person."""
    if turn.end is None or shift.start is None:
        return True
    return not any(
        other.person.id != turn.person.id and turn.end <= (other.start or _EVER) < shift.start
        for other in everybody
    )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)


def _order(shift: OnCall) -> tuple[datetime, int, str]:
    return shift.start or _EVER, shift.level, shift.policy.name
