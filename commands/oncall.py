"""Who is on call.

    /pager oncall checkout
    📞 On call for Checkout · Checkout primary
    1  Alice Anderson until Mon 09:00, then Bob Brown
    2  Bob Brown, always

For a service, team, policy, schedule or person, however it is typed: `who's on call for the payments team?`.
Two that fit equally well are offered, not guessed between. Without words: this thread's incident, or what
this channel follows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from bot.command.arguments import incident_ref
from bot.command.context import Context
from bot.command.matching import best, fold
from bot.declaration import Argument, Button, IncidentRef, Place, Query, Reply, command
from bot.errors import UserError
from bot.model import Person, Policy, Reference, ScopeKind, Service
from bot.render.blocks import Choice
from bot.render.oncall import on_call, on_call_person, on_call_schedule
from bot.render.pickers import no_match, pick_match

AHEAD = timedelta(days=14)  # far enough to say who is next on a weekly rota
_FILLERS = (
    "who",
    "whos",
    "is",
    "s",
    "on",
    "call",
    "oncall",
    "for",
    "in",
    "at",
    "of",
    "the",
    "now",
    "right",
    "today",
)
_KINDS = {
    "service": "service",
    "team": "team",
    "policy": "policy",
    "schedule": "schedule",
    "rota": "schedule",
    "person": "person",
    "user": "person",
}


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that can be asked about; `of` is the thing itself."""

    kind: str
    id: str
    name: str
    of: Service | Policy | Person | Reference

    @property
    def words(self) -> str:
        """What gives this very thing again."""
        return f"{self.kind} {self.id}"


@command(
    "oncall",
    aliases=("who", "who's", "whos", "on-call", "on"),
    scope="oncalls.read",
    button=Button("Who's on call", lambda i: i.is_open, place=Place.MENU, rank=60),
    examples=("oncall checkout", "who's on call for the payments team?", "oncall alice"),
    arguments={"anything": Argument("Who or what", usage="[anything]")},
)
async def oncall(ctx: Context, anything: Query | None = None) -> Reply:
    """Show who is on call, until when, and who is next."""
    return await answer(ctx, anything or "")


async def answer(ctx: Context, asked: str, *, shared_by: str = "") -> Reply:
    """The reply for any words; `shared_by` makes it one for the channel (commands/share.py)."""
    words = _stripped(asked)
    if not words:
        return await _of_this_place(ctx)
    ref = incident_ref(words, sure=ctx.request.from_control)
    if ref is not None and ctx.request.from_control:  # the button of an incident's message
        return await _of_incident(ctx, ref, shared_by)
    targets = await _targets(ctx)
    found = best(asked, targets, _name, _ident) or _find(words, targets)
    if user := words.startswith("@") and words[1:]:
        found = [one for one in targets if one.kind == "person" and one.id == await _person_id(ctx, user)]
    if len(found) > 1:
        return pick_match(words, [_choice(one) for one in found[:100]])
    if found:
        return await _shown(ctx, found[0], shared_by)
    if (ref := incident_ref(words, sure=ctx.request.from_control)) is not None:
        incident = await ctx.incidents.known(ref)
        return await _of_policies(
            ctx, incident.service, [incident.policy] if incident.policy else [], shared_by
        )
    near = [_choice(one) for one in _near(words, targets)]
    return no_match(words, "service, team, policy, schedule or person", near)


async def _of_incident(ctx: Context, ref: IncidentRef, shared_by: str) -> Reply:
    incident = await ctx.incidents.known(ref)
    return await _of_policies(ctx, incident.service, [incident.policy] if incident.policy else [], shared_by)


async def _person_id(ctx: Context, user: str) -> str | None:
    return await ctx.people.person_id(type(ctx.who.user)(ctx.who.user.team_id, user))


async def _of_this_place(ctx: Context) -> Reply:
    if ctx.where.incident is not None and ctx.where.incident.policy is not None:
        return await _of_policies(ctx, ctx.where.incident.service, [ctx.where.incident.policy])
    followed = await ctx.subscriptions.of_channel(ctx.where.channel) if ctx.where.channel.id else []
    followed = [one for one in followed if one.target is not None]
    targets = await _targets(ctx)
    if not followed:
        services = [_choice(one) for one in targets if one.kind == "service"]
        if not services:
            raise UserError(
                f"Say for what: `{ctx.slash} oncall` and a service, team, policy, schedule or person."
            )
        return pick_match("on call", services[:100])
    kinds = {ScopeKind.SERVICE: "service", ScopeKind.TEAM: "team"}
    here = [
        one
        for one in targets
        if any(one.kind == kinds.get(sub.kind) and sub.target and one.id == sub.target.id for sub in followed)
    ]
    if len(here) == 1:
        return await _shown(ctx, here[0], "")
    return pick_match("on call", [_choice(one) for one in here])


# --------------------------------------------------------------------------------------------------- finding


async def _targets(ctx: Context) -> list[Target]:
    directory = ctx.directory
    services, teams, policies, schedules, people = await asyncio.gather(
        directory.services(),
        directory.teams(),
        directory.policies(),
        directory.schedules(),
        directory.users(),
    )
    return [
        *(Target("service", one.id, one.name, one) for one in services),
        *(Target("team", one.id, one.name, one) for one in teams),
        *(Target("policy", one.id, one.name, one) for one in policies),
        *(Target("schedule", one.id, one.name, one) for one in schedules),
        *(Target("person", one.id, one.name, one) for one in people),
    ]


def _stripped(asked: str) -> str:
    """Without the question around the name: `is on call for the payments team?` → `payments team`."""
    words = asked.strip().strip("?!.,\"'").split()
    while words and fold(words[0]).replace(" ", "") in _FILLERS:
        words = words[1:]
    while words and fold(words[-1]) in ("now", "today", "currently", "please", "oncall"):
        words = words[:-1]
    return " ".join(words)


def _find(words: str, targets: list[Target]) -> list[Target]:
    """By the name alone, then by kind and name: `team payments`, `payments team`."""
    found = best(words, targets, _name, _ident)
    parts = words.split()
    for kind, name in ((parts[0], parts[1:]), (parts[-1], parts[:-1])):
        if len(parts) > 1 and (wanted := _KINDS.get(fold(kind))):
            of_kind = best(" ".join(name), [one for one in targets if one.kind == wanted], _name, _ident)
            if of_kind and (not found or len(of_kind) <= len(found)):
                return of_kind
    return found


def _near(words: str, targets: list[Target]) -> list[Target]:
    """What shares a word with what was typed, when nothing fits."""
    return [one for word in words.split()[:5] for one in best(word, targets, _name, _ident)][:4]


def _name(one: Target) -> str:
    return one.name


def _ident(one: Target) -> str:
    return one.id


def _choice(one: Target) -> Choice:
    return Choice(one.name, f"oncall {one.words}", one.kind)


# --------------------------------------------------------------------------------------------------- showing


async def _shown(ctx: Context, target: Target, shared_by: str) -> Reply:
    now = ctx.clock()
    share = f"share oncall {target.words}"
    reference = Reference(target.id, target.name, getattr(target.of, "url", None))
    replaces = ctx.request.from_control and not shared_by
    if target.kind == "person":
        shifts = await ctx.directory.on_calls(users=[target.id], until=now + AHEAD)
        return on_call_person(reference, shifts, now=now, share=share, shared_by=shared_by, replaces=replaces)
    if target.kind == "schedule":
        shifts = await ctx.directory.on_calls(schedules=[target.id], until=now + AHEAD)
        return on_call_schedule(
            reference, shifts, now=now, share=share, shared_by=shared_by, replaces=replaces
        )
    if isinstance(target.of, Service):
        return await _of_policies(ctx, reference, [target.of.policy], shared_by, share)
    if isinstance(target.of, Policy):
        return await _of_policies(ctx, reference, [reference], shared_by, share)
    of_team = [
        Reference(one.id, one.name, one.url)
        for one in await ctx.directory.policies()
        if any(team.id == target.id for team in one.teams)
    ]
    return await _of_policies(ctx, reference, of_team, shared_by, share)


async def _of_policies(
    ctx: Context, target: Reference, wanted: list[Reference], shared_by: str = "", share: str = ""
) -> Reply:
    now = ctx.clock()
    ids = [one.id for one in wanted]
    policies = [one for one in await ctx.directory.policies() if one.id in ids]
    shifts = await ctx.directory.on_calls(policies=ids, until=now + AHEAD) if ids else []
    share = share or f"share oncall service {target.id}"
    return on_call(
        target,
        policies,
        shifts,
        now=now,
        share=share,
        shared_by=shared_by,
        replaces=ctx.request.on_private_reply and not shared_by,
    )
