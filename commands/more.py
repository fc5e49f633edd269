"""The menu's last entry, More…: a private list of every verb that applies to the incident, each a button."""

from __future__ import annotations

from bot.command.context import Context
from bot.declaration import Button, Dialog, IncidentRef, Place, command
from bot.render.dialogs import more_form
from bot.render.forms import FormState


@command(
    "more",
    scope="incidents.read",  # it names the incident: not to whoever may not look
    hidden=True,
    button=Button("More…", lambda _: True, place=Place.LAST),
)
async def more(ctx: Context, incident: IncidentRef) -> Dialog:
    """Show everything that can be done with an incident."""
    # From what we know, not from PagerDuty: Slack gives a view 3 seconds to open.
    found = await ctx.incidents.known(incident)
    where = ctx.where
    state = FormState("more", {}, where.channel.id, where.message_ts or "", where.thread_ts or "")
    return Dialog(more_form(found, tuple(ctx.catalog), state))
