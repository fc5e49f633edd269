"""Who goes on call in the next two weeks and is not linked.

    /pager team-links
    🔗 1 of 5 people on the rotas of the next two weeks is not linked
    • Uma Ueda @uma · from Mon 09:00 · level 1 of Checkout primary (Checkout rota)
    [Remind them]

Words narrow it to what pages by them: a service, a team, a policy or a schedule. *Remind them* writes to
each, at most once a day, and says to whom not and why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.command.context import Context
from bot.command.reminding import NOT_HERE
from bot.command.rotas import Rostered, Rotas, Wanted, everybody
from bot.command.targets import Target, all_targets, find, near
from bot.declaration import Argument, Query, Reply, command
from bot.errors import UserError
from bot.model import OnCall, Policy, Service
from bot.render.pickers import no_match, pick_match
from bot.render.rotas import OnRota, reminded
from bot.render.rotas import team_links as told

REMIND = "remind"


@dataclass(frozen=True, slots=True)
class _Part:
    """The rotas asked for: all of them (no words), or those of one thing."""

    wanted: Wanted = everybody
    name: str = ""
    words: str = ""


@command(
    "team-links",
    scope="oncalls.read",
    admins_only=True,
    examples=("team-links", "team-links checkout", "team-links remind"),
    arguments={"anything": Argument("Whose rotas", usage="[service|team|policy|schedule]")},
)
async def team_links(ctx: Context, anything: Query | None = None) -> Reply:
    """Show who goes on call soon and is not linked, and remind them."""
    verb, words = "team-links", (anything or "").split()
    reminding = words[:1] == [REMIND]
    if reminding:
        verb, words = f"{verb} {REMIND}", words[1:]
    part = await _part(ctx, " ".join(words).removeprefix("@"), verb)
    if isinstance(part, Reply):
        return part
    rotas = Rotas(ctx.accounts.reader(), ctx.people, ctx.accounts.linked_in, ctx.clock)
    people = await rotas.look(ctx.who.user.team_id, part.wanted)
    if not reminding:
        return _shown(ctx, people, part)
    if ctx.reminders is None:
        raise UserError(NOT_HERE)
    outcome = await ctx.reminders.remind_all(people)
    return reminded(outcome.sent, outcome.not_sent)


def _shown(ctx: Context, people: list[Rostered], part: _Part) -> Reply:
    unlinked = [one for one in people if not one.linked]
    return told(
        unlinked=[_entry(one) for one in unlinked if one.user is not None],
        unknown=[_entry(one) for one in unlinked if one.user is None],
        linked=[one.person.name for one in people if one.linked],
        now=ctx.clock(),
        by_email=ctx.accounts.mode == "email",
        about=part.name,
        remind=f"team-links {REMIND} {part.words}".strip() if ctx.reminders is not None else "",
        reminds=ctx.reminders is not None and ctx.reminders.by_itself,
        slash=ctx.slash,
    )


def _entry(one: Rostered) -> OnRota:
    turn = one.turns[0]
    return OnRota(replace(turn.shift, start=turn.start, end=turn.end), one.user.id if one.user else None)


async def _part(ctx: Context, words: str, verb: str) -> _Part | Reply:
    """What the words mean; a choice when it is not clear."""
    if not words:
        return _Part()
    targets = [one for one in await all_targets(ctx.directory) if one.kind != "person"]
    found = find(words, targets)
    if len(found) > 1:
        return pick_match(words, [one.choice(verb) for one in found[:100]])
    if not found:
        offered = [one.choice(verb) for one in near(words, targets)]
        return no_match(words, "service, team, policy or schedule", offered)
    return _Part(await _wanted(ctx, found[0]), found[0].name, found[0].words)


async def _wanted(ctx: Context, target: Target) -> Wanted:
    if target.kind == "schedule":
        return lambda shift: shift.schedule is not None and shift.schedule.id == target.id
    if isinstance(target.of, Service):
        policies = {target.of.policy.id}
    elif isinstance(target.of, Policy):
        policies = {target.id}
    else:
        known = await ctx.directory.policies()
        policies = {one.id for one in known if target.id in {team.id for team in one.teams}}

    def pages_by_them(shift: OnCall) -> bool:
        return shift.policy.id in policies

    return pages_by_them
