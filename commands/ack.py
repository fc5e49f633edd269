"""Acknowledge incidents.

    /pager ack 1234 1235
    ✓ Acknowledged #1234 Disk full
    ℹ #1235 Queue is stuck is resolved already, so I left it alone: acknowledging would reopen it.

Or the Acknowledge button, or `@pagerline ack` in an incident's thread. PagerDuty reopens a resolved incident
that is acknowledged, so each is read first and only what is triggered is written; one resolved in the moment
between is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.command.context import Context
from bot.declaration import Argument, Button, IncidentRef, Reply, command
from bot.model import Status
from bot.render.outcomes import Outcome, Result, acknowledged


async def was_acknowledged(ctx: Context, incidents: list[IncidentRef]) -> bool | None:
    """Whether everything asked for is acknowledged or further."""
    found = await ctx.incidents.read(incidents)
    if any(one.incident is None for one in found):
        return None
    return all(one.incident and one.incident.status is not Status.TRIGGERED for one in found)


@command(
    "ack",
    aliases=("acknowledge",),
    scope="incidents.write",
    button=Button("Acknowledge", lambda i: i.status is Status.TRIGGERED, style="primary", rank=10),
    examples=("ack 1234", "ack 1234 1235", "ack"),
    title="Acknowledge",
    submit="Acknowledge",
    arguments={"incidents": Argument("Incidents", usage="[N…]")},
    was_done=was_acknowledged,
)
async def ack(ctx: Context, incidents: list[IncidentRef]) -> Reply:
    """Acknowledge incidents.

    Several at once; without a number the one open incident here. What is resolved is left alone: PagerDuty
    would reopen it.
    """
    outcomes = await ctx.incidents.acknowledge(incidents)
    if any(one.result is Result.DONE for one in outcomes):
        ctx.later(_reopened_after_all(ctx, outcomes))
    return acknowledged(outcomes)


async def _reopened_after_all(ctx: Context, outcomes: Sequence[Outcome]) -> Reply | None:
    """PagerDuty's events, which tell it, may come after its answer to the acknowledgement."""
    found = await ctx.incidents.reopened_later(outcomes)
    return acknowledged(found) if found else None
