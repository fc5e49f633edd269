"""Who is on call: for a service, policy or team level by level; for a schedule; for a person.

Handed the shifts PagerDuty told, present and coming ones mixed, and the time it is; it says until when and
who is next. An empty level is said plainly: it is the one thing nobody wants to find out from a page that
reached nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.declaration import Reply, Visibility
from bot.model import OnCall, Person, Policy, Reference
from bot.render import text
from bot.render.blocks import Block, actions, button, context, section
from bot.render.limits import reply
from bot.render.text import bold, line, link

_ICON = ":telephone_receiver:"
_POLICIES = 12  # a team may have many; the message has room for these


@dataclass(frozen=True, slots=True)
class _Ink:
    """The same sentence for blocks and for plain text."""

    strong: Callable[[str], str]
    when: Callable[[datetime, str], str]
    level: Callable[[int], str]
    nobody: str


_BLOCKS = _Ink(bold, text.day, lambda number: f"*Level {number}*  ", ":warning: *nobody*")
_WORDS = _Ink(str, lambda at, lead: f"{lead}{text.day_utc(at)}", lambda number: f"Level {number}: ", "nobody")


def on_call(
    target: Reference,
    policies: Sequence[Policy],
    shifts: Sequence[OnCall],
    *,
    now: datetime,
    share: str = "",
    shared_by: str = "",
    replaces: bool = False,
) -> Reply:
    """The answer for a service, a policy or a team (`policies`: those it pages by).

    `now` is aware. `share` are the words its button runs (none: no button). `shared_by` is a plain name;
    with it the answer is meant for the channel and has no button.
    """
    heading = f"{_ICON}  {bold('On call for ' + link(target.url, target.name, 100))}"
    one = policies[0] if len(policies) == 1 else None
    if one is not None and one.name != target.name:
        heading += f"{text.DOT}{link(one.url, one.name, 100)}"
    blocks: list[Block] = [section(heading)]
    words: list[str] = []
    for policy in policies[:_POLICIES]:
        own = [shift for shift in shifts if shift.policy.id == policy.id]
        rows = [] if one else [bold(link(policy.url, policy.name, 100))]
        blocks.append(section("\n".join(rows + _levels(policy, own, now, _BLOCKS))))
        told = ". ".join(_levels(policy, own, now, _WORDS))
        words.append(told if one else f"{line(policy.name, 100)}: {told}")
    if not policies:
        blocks.append(
            section(":warning:  *Nobody*: it has no escalation policy, so its incidents page no one.")
        )
        words.append("nobody, it has no escalation policy")
    elif not any(_running(shift, now) for shift in shifts):
        blocks.append(
            context(
                ":warning:  Incidents would page no one. Add somebody to the policy's schedules in PagerDuty."
            )
        )
    if len(policies) > _POLICIES:
        blocks.append(context(f"{len(policies) - _POLICIES} more policies; name one of them to see it."))
    return _answer(
        f"On call for {line(target.name, 100)}: {'. '.join(words)}.", blocks, share, shared_by, replaces
    )


def on_call_schedule(
    schedule: Reference,
    shifts: Sequence[OnCall],
    *,
    now: datetime,
    share: str = "",
    shared_by: str = "",
    replaces: bool = False,
) -> Reply:
    """The answer for one schedule; the same shift on several policies counts once."""
    own = [shift for shift in shifts if shift.schedule and shift.schedule.id == schedule.id]
    blocks = [
        section(f"{_ICON}  {bold('On call in ' + link(schedule.url, schedule.name, 100))}"),
        section(_people(own, now, _BLOCKS)),
    ]
    told = f"On call in {line(schedule.name, 100)}: {_people(own, now, _WORDS)}."
    return _answer(told, blocks, share, shared_by, replaces)


def on_call_person(
    person: Person | Reference,
    shifts: Sequence[OnCall],
    *,
    now: datetime,
    share: str = "",
    shared_by: str = "",
    replaces: bool = False,
) -> Reply:
    """When a person is on call now, for what and at which level, and when next."""
    own = [shift for shift in shifts if shift.person.id == person.id]
    running = _distinct(shift for shift in own if _running(shift, now))
    coming = _distinct(sorted((s for s in own if s.start and s.start > now), key=_start))[:5]
    who = link(person.url, person.name, 100)
    state = "is on call" if running else "is not on call now"
    blocks = [section(f"{_ICON}  {bold(who)} {bold(state)}")]
    if running:
        blocks.append(section("\n".join(_duty(shift, _BLOCKS) for shift in sorted(running, key=_level))))
    if coming:
        rows = [f"{_where(shift)}, {_from_to(shift, _BLOCKS)}" for shift in coming]
        blocks.append(section("\n".join([bold("Next"), *rows])))
    elif not running:
        blocks.append(context("No shift is planned in the time PagerDuty was asked for."))
    told = "; ".join(
        [_duty(shift, _WORDS) for shift in running] or [f"next {_from_to(s, _WORDS)}" for s in coming[:1]]
    )
    return _answer(
        f"{line(person.name, 100)} {state}{': ' + told if told else ''}.", blocks, share, shared_by, replaces
    )


def _answer(told: str, blocks: list[Block], share: str, shared_by: str, replaces: bool) -> Reply:  # noqa: FBT001
    if shared_by:
        blocks.append(context(f"Shared by {line(shared_by, 80)}, true when it was posted."))
        return reply(told, blocks, visibility=Visibility.CHANNEL)
    if share:
        blocks.append(actions([button("Share to channel", share)]))
    return reply(told, blocks, replaces=replaces)


# -------------------------------------------------------------------------------------------------- the lines


def _levels(policy: Policy, shifts: Sequence[OnCall], now: datetime, ink: _Ink) -> list[str]:
    by_level: Mapping[int, list[OnCall]] = {
        number: [shift for shift in shifts if shift.level == number]
        for number in range(1, max([len(policy.rules), *(shift.level for shift in shifts)], default=0) + 1)
    }
    if not by_level:
        return [f"{ink.strong('Nobody')}, the policy has no levels"]
    return [f"{ink.level(number)}{_people(members, now, ink)}" for number, members in by_level.items()]


def _people(shifts: Sequence[OnCall], now: datetime, ink: _Ink) -> str:
    """Everybody on call by these shifts, each with an end and a successor."""
    running = _distinct((shift for shift in shifts if _running(shift, now)), per_policy=False)
    if running:
        return "; ".join(_until(shift, shifts, ink) for shift in running)
    coming = sorted((shift for shift in shifts if shift.start and shift.start > now), key=_start)
    if not coming:
        return ink.nobody
    first = coming[0]
    assert first.start is not None
    return f"{ink.nobody}, {ink.strong(line(first.person.name, 60))} {ink.when(first.start, 'from ')}"


def _until(shift: OnCall, shifts: Sequence[OnCall], ink: _Ink) -> str:
    who = ink.strong(line(shift.person.name, 60))
    last, following = shift, _following(shift, shifts)
    # The same person in the next shift too is one turn to whoever reads it.
    while following and following.person.id == last.person.id and following.start == last.end:
        last, following = following, _following(following, shifts)
    if last.end is None:
        return f"{who}, always" if shift.schedule is None else f"{who}, no end planned"
    told = f"{who} {ink.when(last.end, 'until ')}"
    if following is None:
        return told
    after = ink.strong(line(following.person.name, 60))
    if following.start and following.start > last.end:
        return f"{told}, then nobody, then {after} {ink.when(following.start, 'from ')}"
    return f"{told}, then {after}"


def _following(shift: OnCall, shifts: Sequence[OnCall]) -> OnCall | None:
    """Whoever comes next in the same place of the same rota."""
    end = shift.end
    if end is None or shift.schedule is None:
        return None
    later = [
        other
        for other in shifts
        if other.start and other.start >= end and other.schedule and other.schedule.id == shift.schedule.id
    ]
    return min(later, key=_start, default=None)


def _duty(shift: OnCall, ink: _Ink) -> str:
    end = ink.when(shift.end, "until ") if shift.end else "always"
    return f"{_where(shift)}, {end}"


def _where(shift: OnCall) -> str:
    rota = f" ({line(shift.schedule.name, 60)})" if shift.schedule else ""
    return f"Level {shift.level} of {line(shift.policy.name, 80)}{rota}"


def _from_to(shift: OnCall, ink: _Ink) -> str:
    start = ink.when(shift.start, "from ") if shift.start else "from now"
    return f"{start} {ink.when(shift.end, 'until ')}" if shift.end else start


def _running(shift: OnCall, now: datetime) -> bool:
    return (shift.start is None or shift.start <= now) and (shift.end is None or shift.end > now)


def _distinct(shifts: Iterable[OnCall], *, per_policy: bool = True) -> list[OnCall]:
    """PagerDuty repeats a shift per policy and rule: each person once per place."""
    found: dict[tuple[object, ...], OnCall] = {}
    for shift in shifts:
        place = (shift.policy.id, shift.level) if per_policy else ()
        found.setdefault((shift.person.id, shift.schedule, *place), shift)
    return list(found.values())


def _start(shift: OnCall) -> datetime:
    assert shift.start is not None
    return shift.start


def _level(shift: OnCall) -> int:
    return shift.level
