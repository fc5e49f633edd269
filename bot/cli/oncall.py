"""`python -m bot oncall`: who is on call, with every option PagerDuty has for it, for scripts.

    python -m bot oncall --policy checkout --until 7d
    Checkout primary, level 1: Alice Anderson, 2026-11-02T09:00+01:00 to 2026-11-09T09:00+01:00 …
    Checkout primary, level 2: Bob Brown, always

rest.py says what it needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.cli.incident_fields import named
from bot.cli.rest import Named, add_json, one_of, plain, run, tell_json
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.command.moments import read_when, read_zone
from bot.pagerduty.calls import without_secrets
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.oncall_lists import ALWAYS, INCLUDES, OnCallLine, OnCallList, WantedOnCalls, list_on_calls

TIMES = "now, 2h, 7d, or a date such as 2026-11-01T08:00"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    for option, what in (
        ("--policy", "of this escalation policy"),
        ("--schedule", f"in this schedule; {ALWAYS} means whoever a policy names directly"),
        ("--user", "of this person"),
    ):
        parser.add_argument(
            option, action="append", default=[], metavar="NAME|ID", help=f"only {what}; may be repeated"
        )
    parser.add_argument("--since", metavar="TIME", help=f"from then on: {TIMES} (default: now)")
    parser.add_argument("--until", metavar="TIME", help="up to then, at most 90 days ahead (default: now)")
    parser.add_argument(
        "--earliest", action="store_true", help="only the next one of each person, policy and level"
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="at most so many lines (default: all)")
    parser.add_argument(
        "--time-zone",
        default="UTC",
        metavar="ZONE",
        help="what times are meant and shown in, such as Europe/Berlin (default: UTC)",
    )
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        choices=INCLUDES,
        help="PagerDuty's whole object instead of its name, with --json; may be repeated",
    )
    parser.add_argument("--total", action="store_true", help="how many there are in all")
    add_json(parser)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 10_000):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines: write 1 to 10000")
    return int(text)


def _read(arguments: argparse.Namespace) -> WantedOnCalls:
    """What was asked, the names not looked up yet. Raises UserError."""
    zone, now = read_zone(arguments.time_zone), datetime.now(UTC)
    return WantedOnCalls(
        since=read_when(arguments.since, now=now, zone=zone) if arguments.since else None,
        until=read_when(arguments.until, now=now, zone=zone) if arguments.until else None,
        earliest=arguments.earliest,
        time_zone=zone.key,
        includes=tuple(dict.fromkeys(arguments.include)),
        limit=arguments.limit,
        total=arguments.total,
    ).within_reach(now)


async def _ids(
    what: str, wanted: Sequence[str], everything: Callable[[], Awaitable[Sequence[Named]]]
) -> tuple[str, ...]:
    """Of these names. Raises UserError."""
    if not wanted:
        return ()
    things = await everything() if any(one != ALWAYS for one in wanted) else []
    return tuple(dict.fromkeys(one if one == ALWAYS else one_of(what, one, things).id for one in wanted))


async def _act(client: PagerDuty, wanted: WantedOnCalls, arguments: argparse.Namespace) -> int:
    found = await list_on_calls(
        client,
        replace(
            wanted,
            policies=await _ids("escalation policy", arguments.policy, client.policies),
            schedules=await _ids("schedule", arguments.schedule, client.schedules),
            users=await _ids("user", arguments.user, client.users),
        ),
    )
    zone = ZoneInfo(wanted.time_zone or "UTC")
    if arguments.json:
        tell_json(_fields(found, wanted, zone))
        return 0
    for one in found.lines:
        print(plain(_line(one, zone)))
    if not found.lines:
        print("Nobody is on call there.")
    if found.total is not None:
        print(f"{found.total:,} in all.")
    elif found.more:
        print("There are more; --limit cut them off.")
    return 0


def _fields(found: OnCallList, wanted: WantedOnCalls, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "oncalls": [_entry(one, wanted.includes, zone) for one in found.lines],
        "more": found.more,
        "total": found.total,
        "time_zone": zone.key,
    }


def _entry(one: OnCallLine, includes: Sequence[str], zone: ZoneInfo) -> dict[str, Any]:
    shift = one.shift
    told: dict[str, Any] = {
        "user": named(shift.person),
        "escalation_policy": named(shift.policy),
        "escalation_level": shift.level,
        "schedule": named(shift.schedule),
        "start": _at(shift.start, zone),
        "end": _at(shift.end, zone),
    }
    for include, field in (
        ("users", "user"),
        ("escalation_policies", "escalation_policy"),
        ("schedules", "schedule"),
    ):
        if include in includes and told[field] is not None:
            told[field]["details"] = _whole(one.told, field)
    return told


def _whole(told: Mapping[str, Any], field: str) -> Any:
    """PagerDuty's object, without calendar addresses that need no sign-in."""
    return without_secrets(told.get(field))


def _line(one: OnCallLine, zone: ZoneInfo) -> str:
    shift = one.shift
    rota = f" ({shift.schedule.name})" if shift.schedule else ""
    start, end = _at(shift.start, zone), _at(shift.end, zone)
    when = f"{start or 'from ever'} to {end or 'no end'}" if start or end else "always"
    return f"{shift.policy.name}, level {shift.level}{rota}: {shift.person.name}, {when}"


def _at(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else at.astimezone(zone).isoformat(timespec="seconds").replace("+00:00", "Z")


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    return run(arguments, lambda: _read(arguments), lambda client, wanted: _act(client, wanted, arguments))


VERB = Verb("oncall", "list who is on call", _run, _add_arguments, reads_settings=True)
