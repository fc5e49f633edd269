"""Acknowledge many at once, after asking back: the buttons of a storm's pages, or typed.

    /pager ack-all mine         everything triggered that is assigned to you
    /pager ack-all checkout     everything triggered of a service or a team
    Acknowledge these 12?  #1234 Disk full … [Acknowledge 12]

A page looks the same to everyone, so its button cannot say how many are yours: the answer, which only you
see, names them, and its button acknowledges exactly those. This verb changes nothing; `ack` does, with its
rules.
"""

from __future__ import annotations

from dataclasses import replace

from bot.command.context import Context, Filter
from bot.declaration import Argument, Query, Reply, command
from bot.model import Status
from bot.render.asking import AT_ONCE, ask_to_acknowledge
from bot.render.lists import arrange
from bot.render.pickers import no_match

_MINE = frozenset({"", "mine", "my", "me"})


@command(
    "ack-all",
    aliases=("ackall",),
    scope="incidents.read",
    examples=("ack-all mine", "ack-all checkout"),
    arguments={"what": Argument("What", usage="mine|service|team")},
)
async def ack_all(ctx: Context, what: Query | None = None) -> Reply:
    """Acknowledge everything triggered that is yours, a service's or a team's; asks back first."""
    wanted, asked = Filter(statuses=(Status.TRIGGERED,)), " ".join((what or "").split())
    if asked.casefold() in _MINE:
        me = await ctx.me()
        return await _ask(ctx, replace(wanted, people=(me.id,)), f"assigned to {me.name}")
    scope = await ctx.names.scope(asked)
    if scope is None:
        return no_match(asked, "service or team", await ctx.names.near(asked, "ack-all"))
    if scope.kind == "service":
        wanted = replace(wanted, services=(scope.id,))
    elif scope.kind == "team":
        wanted = replace(wanted, teams=(scope.id,))
    return await _ask(ctx, wanted, f"of {scope.name}" if scope.kind != "all" else "in PagerDuty")


async def _ask(ctx: Context, wanted: Filter, which: str) -> Reply:
    found = await ctx.incidents.open_ones(wanted)
    await ctx.incidents.keep(arrange(found)[:AT_ONCE])  # the button names many by their numbers
    return ask_to_acknowledge(found, which)
