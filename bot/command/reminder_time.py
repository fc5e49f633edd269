"""When somebody is reminded of a turn on call that begins: the day before, by their own clock; pure.

From 10:00 of the calendar day before the turn begins, where the person is. Whoever cannot be told then (the
bot was down, the rota was changed late) is told later, up to the beginning; by night only when no decent hour
is left before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.command.duties import Turn

FIRST = time(10)  # of the day before, local time
MORNING, NIGHT = time(8), time(22)  # later reminders come between these
SOON = timedelta(hours=40)  # before a turn: earlier nobody is reminded, whatever clocks do meanwhile
ALWAYS = "always"


def zone_of(*names: str | None) -> tzinfo:
    """The first of these that is a time zone; UTC when none is."""
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # unknown here, or no name of a zone at all
            continue
    return UTC


def local_day(start: datetime, zone: tzinfo) -> date:
    """The calendar day a turn begins on, where the person is."""
    return start.astimezone(zone).date()


def is_time(start: datetime, zone: tzinfo, now: datetime) -> bool:
    """Whether a turn that begins at `start` (aware) is to be told about now (aware)."""
    first = datetime.combine(local_day(start, zone) - timedelta(days=1), FIRST, zone).astimezone(UTC)
    if not first <= now < start:
        return False
    local = now.astimezone(zone)
    if is_decent(now, zone):
        return True
    day = local.date() if local.time() < MORNING else local.date() + timedelta(days=1)
    return datetime.combine(day, MORNING, zone).astimezone(UTC) >= start


def is_decent(now: datetime, zone: tzinfo) -> bool:
    """Whether a message is not a disturbance, where the person is."""
    return MORNING <= now.astimezone(zone).time() < NIGHT


def due(turns: Sequence[Turn], *, zone: tzinfo, now: datetime, horizon: datetime) -> Turn | None:
    """The turn to remind one person of now: the next that begins, else one that stands for ever."""
    beginning = (turn for turn in turns if turn.start is not None and is_time(turn.start, zone, now))
    standing = (turn for turn in turns if turn.is_standing(now, horizon) and is_decent(now, zone))
    return next(beginning, None) or next(standing, None)


def matter(turn: Turn, *, zone: tzinfo, now: datetime) -> str:
    """What a reminder of this turn is told once for: the day it begins, `always` when it runs already."""
    return ALWAYS if turn.start is None or turn.start <= now else local_day(turn.start, zone).isoformat()
