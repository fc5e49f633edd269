"""Read the notes on an incident: `/pager notes 1234`, newest last."""

from __future__ import annotations

from bot.command.context import Context
from bot.declaration import Argument, IncidentRef, Reply, command
from bot.render.card import notes_list


@command(
    "notes",
    scope="incidents.read",
    examples=("notes 1234",),
    arguments={"incident": Argument("Incident")},
)
async def notes(ctx: Context, incident: IncidentRef) -> Reply:
    """Read the notes on an incident."""
    return notes_list(*await ctx.incidents.notes(incident))
