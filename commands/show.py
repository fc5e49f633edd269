"""Everything known of an incident, and its buttons, for your eyes only: `/pager show 1234`."""

from __future__ import annotations

import asyncio

from bot.command.context import Context
from bot.declaration import Argument, IncidentRef, Reply, command
from bot.render.card import incident_card


@command(
    "show",
    aliases=("incident", "info"),
    scope="incidents.read",
    examples=("show 1234",),
    arguments={"incident": Argument("Incident")},
)
async def show(ctx: Context, incident: IncidentRef) -> Reply:
    """Show an incident: its state, who has it, what was changed before it, the latest news and notes."""
    found = await ctx.incidents.one(incident)
    # By its id from here on: PagerDuty promises the number for reading the incident itself only.
    ref = IncidentRef(found.id)
    story, (_, notes), changes = await asyncio.gather(
        ctx.incidents.log(ref), ctx.incidents.notes(ref), ctx.incidents.changes(ref)
    )
    return incident_card(found, ctx.catalog.buttons(), story=story, notes=notes, changes=changes)
