"""`oncall` with options: every line PagerDuty has for them, as asked, instead of the answer to a question.

Under commands/oncall.py. PagerDuty is asked each time (bot/pagerduty/oncall_lists.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from bot.command.context import Context
from bot.command.matching import best
from bot.command.moments import read_when, read_zone
from bot.command.targets import Target, all_targets, find
from bot.declaration import Reply
from bot.errors import UserError
from bot.model import Person, Policy, Service, SlackUser
from bot.pagerduty.oncall_lists import ALWAYS, INCLUDES, WantedOnCalls, list_on_calls
from bot.render.oncall_list import ListedShift, on_call_list

# Names by commas; whoever is mentioned (`@U0BOB`) stands for themselves, and may have lost the comma behind.
PEOPLE = re.compile(r"(?<!\S)@[^\s,]+|(?:[^,@]|(?<=\S)@)+")
FEW, MOST = 25, 100  # lines: what PagerDuty gives unasked, and what a message holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """As typed; empty for those left out."""

    since: str = ""
    until: str = ""
    zone: str = ""
    limit: str = ""
    include: str = ""
    policies: str = ""
    schedules: str = ""
    users: str = ""
    earliest: bool = False
    total: bool = False


async def list_with(ctx: Context, asked: str, options: Options) -> Reply:
    """The list. Raises UserError for what cannot be read, and PagerDutyFailure."""
    now = ctx.clock()
    zone = read_zone(options.zone) if options.zone else None
    targets = await all_targets(ctx.directory)
    wanted = WantedOnCalls(
        policies=_named("policy", options.policies, targets),
        schedules=_named("schedule", options.schedules, targets),
        users=await _people(ctx, options.users, targets),
        since=read_when(options.since, now=now, zone=zone or UTC) if options.since else None,
        until=read_when(options.until, now=now, zone=zone or UTC) if options.until else None,
        earliest=options.earliest,
        time_zone=zone.key if zone else None,
        includes=_includes(options.include),
        limit=_limit(options.limit),
        total=options.total,
    ).within_reach(now)
    wanted = await _with_target(ctx, asked, wanted, targets) if asked else wanted
    found = await list_on_calls(ctx.accounts.reader(), wanted)
    shown = [ListedShift(one.shift, one.told if wanted.includes else {}) for one in found.lines]
    return on_call_list(shown, more=found.more, total=found.total, zone=zone)


def _limit(text: str) -> int:
    if not text:
        return FEW
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= MOST):
        raise UserError(f"“{text[:20]}” is no limit: write a number from 1 to {MOST}.")
    return int(text)


def _includes(text: str) -> tuple[str, ...]:
    words = [word.strip().casefold() for word in text.split(",") if word.strip()]
    if odd := next((word for word in words if word not in INCLUDES), None):
        raise UserError(f"“{odd[:40]}” cannot be included: write {', '.join(INCLUDES)}.")
    return tuple(dict.fromkeys(words))


def _named(kind: str, text: str, targets: Sequence[Target]) -> tuple[str, ...]:
    """The ids of these names, by commas. Raises UserError."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    return tuple(dict.fromkeys(_one(kind, word, targets) for word in words))


def _one(kind: str, word: str, targets: Sequence[Target]) -> str:
    if kind == "schedule" and word.casefold() == ALWAYS:
        return ALWAYS
    found = best(word, [one for one in targets if one.kind == kind], lambda it: it.name, lambda it: it.id)
    if len(found) == 1:
        return found[0].id
    raise UserError(_which(word, kind, found))


def _which(word: str, what: str, found: Sequence[Target]) -> str:
    if not found:
        return f"There is no {what} called “{word[:60]}”. Check the spelling, or use its id."
    names = ", ".join(f"{one.name} ({one.id})" for one in found[:4])
    return f"“{word[:60]}” could be {names}. Use the id of the one you mean."


async def _people(ctx: Context, text: str, targets: Sequence[Target]) -> tuple[str, ...]:
    ids: list[str] = []
    by_email = {
        one.of.email.casefold(): one.id for one in targets if isinstance(one.of, Person) and one.of.email
    }
    for word in (one.strip() for one in PEOPLE.findall(text) if one.strip()):
        if word.casefold() in ("me", "mine"):
            ids.append((await ctx.me()).id)
        elif word.casefold() in by_email:
            ids.append(by_email[word.casefold()])
        elif word.startswith("@") and (
            known := await ctx.people.person_id(SlackUser(ctx.who.user.team_id, word[1:]))
        ):
            ids.append(known)
        else:
            ids.append(_one("person", word.removeprefix("@"), targets))
    return tuple(dict.fromkeys(ids))


async def _with_target(
    ctx: Context, asked: str, wanted: WantedOnCalls, targets: Sequence[Target]
) -> WantedOnCalls:
    """Narrowed to what was asked about besides the options. Raises UserError."""
    found = find(asked, targets)
    if len(found) != 1:
        raise UserError(_which(asked, "service, team, policy, schedule or person", found))
    target = found[0]
    if target.kind == "person":
        return replace(wanted, users=(*wanted.users, target.id))
    if target.kind == "schedule":
        return replace(wanted, schedules=(*wanted.schedules, target.id))
    if isinstance(target.of, Service):
        ids = [target.of.policy.id]
    elif isinstance(target.of, Policy):
        ids = [target.id]
    else:
        policies = await ctx.directory.policies()
        ids = [one.id for one in policies if target.id in {team.id for team in one.teams}]
    if not ids:
        raise UserError(f"{target.name} has no escalation policy, so nobody is on call for it.")
    return replace(wanted, policies=(*wanted.policies, *ids))
