"""Trigger an incident.

    /pager trigger checkout Card payments fail
    Triggered: #1240 Card payments fail …

Without a service or a title a form opens. A form sent twice, or a line Slack repeats, makes one incident: its
`incident_key` comes from Slack's own name for the act.
"""

from __future__ import annotations

import hashlib

from bot.command.context import Context, NewIncident
from bot.declaration import Argument, Line, Prose, Reply, ServiceRef, UrgencyWord, command
from bot.model import Reference, Urgency
from bot.render.outcomes import triggered


def key_of(ctx: Context) -> str:
    """The same for the same act of the same person, and says nothing of either."""
    return "pagerline-" + hashlib.sha256(ctx.request.act.encode()).hexdigest()[:32]


async def was_triggered(ctx: Context, service: ServiceRef, **_: object) -> bool:
    """Whether the incident of this act exists."""
    return await ctx.incidents.with_key(service.id, key_of(ctx)) is not None


@command(
    "trigger",
    aliases=("page", "create"),
    scope="incidents.write",
    examples=("trigger checkout Card payments fail", 'trigger "Payments API" Timeouts', "trigger"),
    title="Trigger an incident",
    submit="Trigger",
    arguments={
        "service": Argument("Service", usage="[service]"),
        "title": Argument("Title", "What is wrong, in a few words.", usage="[title…]"),
        "details": Argument("Details", "What you have seen; where to look.", form_only=True),
        "urgency": Argument("Urgency", "The service decides when left out.", form_only=True),
    },
    was_done=was_triggered,
)
async def trigger(
    ctx: Context,
    service: ServiceRef,
    title: Line,
    details: Prose | None = None,
    urgency: UrgencyWord | None = None,
) -> Reply:
    """Trigger an incident on a service."""
    made = await ctx.incidents.trigger(
        NewIncident(
            service=Reference(service.id, service.name),
            title=title,
            key=key_of(ctx),
            details=details or "",
            urgency=Urgency(urgency) if urgency else None,
        )
    )
    return triggered(made.incident, existed=made.existed)
