"""Write a note on an incident.

    /pager note 1234 Rotated the logs, watching.
    📝 Note added to #1234 Disk full

Without the text, or with the Add note button, a form opens.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.command.context import Context
from bot.declaration import Argument, Button, IncidentRef, Prose, Reply, command
from bot.model import Status
from bot.render.outcomes import note_added

CLOCKS_DIFFER = timedelta(minutes=5)  # at most: that of the database, which says when, and PagerDuty's


async def was_noted(ctx: Context, incident: IncidentRef, text: Prose) -> bool:
    """Whether the incident has such a note, written since it was asked for and not long before."""
    _, notes = await ctx.incidents.notes(incident)
    asked_at = ctx.request.asked_at
    since = asked_at - CLOCKS_DIFFER if asked_at else datetime.min.replace(tzinfo=UTC)
    return any(note.content.strip() == text.strip() and note.at >= since for note in notes)


@command(
    "note",
    aliases=("comment",),
    scope="incidents.write",
    # Leftmost once acknowledged, so that Resolve does not move under a late second press of Acknowledge.
    button=Button("Add note", lambda _: True, rank=lambda i: 40 if i.status is Status.TRIGGERED else 10),
    examples=("note 1234 Rotated the logs, watching.",),
    title="Add a note",
    submit="Add note",
    arguments={
        "incident": Argument("Incident"),
        "text": Argument("Note", "Everybody who follows the incident sees it.", usage="text"),
    },
    was_done=was_noted,
)
async def note(ctx: Context, incident: IncidentRef, text: Prose) -> Reply:
    """Add a note to an incident."""
    about, written = await ctx.incidents.note(incident, text)
    return note_added(about, written.content)
