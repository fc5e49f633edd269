"""Resolve incidents.

    /pager resolve 1234
    ✓ Resolved #1234 Disk full

Or the Resolve button. One write for all; what is resolved already counts as done.
"""

from __future__ import annotations

from bot.command.context import Context
from bot.declaration import Argument, Button, IncidentRef, Reply, command
from bot.render.outcomes import resolved


async def was_resolved(ctx: Context, incidents: list[IncidentRef]) -> bool | None:
    """Whether everything asked for is resolved."""
    found = await ctx.incidents.read(incidents)
    if any(one.incident is None for one in found):
        return None
    return all(one.incident and not one.incident.is_open for one in found)


@command(
    "resolve",
    aliases=("close", "fixed"),
    scope="incidents.write",
    button=Button("Resolve", lambda i: i.is_open, style="primary", rank=20),
    examples=("resolve 1234", "resolve 1234 1235", "resolve"),
    title="Resolve",
    submit="Resolve",
    arguments={"incidents": Argument("Incidents", usage="[N…]")},
    was_done=was_resolved,
)
async def resolve(ctx: Context, incidents: list[IncidentRef]) -> Reply:
    """Resolve incidents.

    Several at once; without a number the one open incident here.
    """
    return resolved(await ctx.incidents.resolve(incidents))
