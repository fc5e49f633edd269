"""On-calls as a list, for `oncall` with options: one line each, in the order PagerDuty tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.declaration import Reply
from bot.model import OnCall
from bot.render import text
from bot.render.blocks import Block, context, section
from bot.render.limits import reply
from bot.render.lists import sections
from bot.render.text import bold, line, plural

_ICON = ":telephone_receiver:"


@dataclass(frozen=True, slots=True)
class ListedShift:
    """A shift, and PagerDuty's own entry where whole objects were asked for."""

    shift: OnCall
    told: Mapping[str, Any] = field(default_factory=dict)


def on_call_list(
    shifts: Sequence[ListedShift], *, more: bool, total: int | None, zone: ZoneInfo | None
) -> Reply:
    """`zone` None: times as each reader's own clock shows them. `total`: how many there are, where asked."""
    if not shifts:
        told = "Nobody is on call there and then."
        return reply(told, [section(f"{_ICON}  {told} Widen the time, or name another policy.")])
    blocks: list[Block] = [section(f"{_ICON}  {bold('On call')}")]
    blocks += sections([_row(one, zone) for one in shifts])
    quiet = [f"Times in {line(zone.key, 60)}."] if zone else []
    if total is not None:
        quiet.append(f"{plural(total, 'line')} in all.")
    if more:
        quiet.append("There are more: raise `limit=`, or narrow it.")
    if quiet:
        blocks.append(context(" ".join(quiet)))
    words = "; ".join(_plain(one.shift, zone) for one in shifts)
    return reply(" ".join([f"On call: {words}.", *quiet]), blocks)


def _row(one: ListedShift, zone: ZoneInfo | None) -> str:
    """Ends with an empty line: several lines belong together."""
    shift = one.shift
    rota = f" ({line(shift.schedule.name, 60)})" if shift.schedule else ""
    place = f"{line(shift.policy.name, 80)}, level {shift.level}{rota}"
    first = f"{bold(line(shift.person.name, 60))}  {_when(shift, zone)}"
    return "\n".join(part for part in (first, place, _details(one.told)) if part) + "\n"


def _plain(shift: OnCall, zone: ZoneInfo | None) -> str:
    place = f"{line(shift.policy.name, 80)} level {shift.level}"
    return f"{line(shift.person.name, 60)} for {place}, {_when(shift, zone, plain=True)}"


def _when(shift: OnCall, zone: ZoneInfo | None, *, plain: bool = False) -> str:
    if shift.start is None and shift.end is None:
        return "always"

    def at(moment: datetime | None, lead: str) -> str:
        if moment is None:
            return ""
        if zone is not None:
            return f"{lead}{moment.astimezone(zone):%b %d, %H:%M}"
        return f"{lead}{text.day_utc(moment)}" if plain else text.day(moment, lead)

    return " ".join(part for part in (at(shift.start, "from "), at(shift.end, "until ")) if part)


def _details(told: Mapping[str, Any]) -> str:
    """What the whole objects say beyond names."""
    person, schedule, policy = (told.get(name) or {} for name in ("user", "schedule", "escalation_policy"))
    said = (
        person.get("email"),
        person.get("job_title"),
        person.get("time_zone"),
        f"rota in {schedule['time_zone']}" if schedule.get("time_zone") else None,
        policy.get("description"),
    )
    return text.dotted(*(line(one, 80) for one in said if isinstance(one, str) and one))
