"""Trigger an incident.

    /pager trigger checkout Card payments fail
    Triggered: #1240 Card payments fail …

People without a PagerDuty user may, where TRIGGER_WITHOUT_SEAT lets them: through the Events API, which takes
an event in and makes the incident a moment later.

Without a service or a title a form opens. A form sent twice, or a line Slack repeats, makes one incident: its
`incident_key` comes from Slack's own name for the act.
"""

from __future__ import annotations

import hashlib

from bot.command.context import BY_EVENTS, Asker, Context, NewIncident
from bot.declaration import Argument, Line, Prose, Reply, ServiceRef, UrgencyWord, command
from bot.model import Reference, Urgency
from bot.render.events import event_taken, nothing_came_of_it
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
    without_seat=True,
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
    new = NewIncident(
        service=Reference(service.id, service.name),
        title=title,
        key=key_of(ctx),
        details=details or "",
        urgency=Urgency(urgency) if urgency else None,
    )
    if ctx.who.identity == BY_EVENTS:
        return await _by_event(ctx, new)
    made = await ctx.incidents.trigger(new)
    return triggered(made.incident, existed=made.existed)


async def _by_event(ctx: Context, new: NewIncident) -> Reply:
    profile = await ctx.accounts.member(ctx.who.user)
    await ctx.incidents.send_event(new, Asker(profile.real_name or profile.name, ctx.who.user))
    ctx.later(_what_came_of_it(ctx, new))
    return event_taken(new.service.name, new.title)


async def _what_came_of_it(ctx: Context, new: NewIncident) -> Reply | None:
    incident = await ctx.incidents.made_of_event(new.key, new.service.id)
    return triggered(incident) if incident else nothing_came_of_it(new.service.name, new.service.id)
