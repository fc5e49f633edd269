"""Send an event of an integration that admins have named, with every field of PagerDuty's Events API.

    /pager event trigger deploys Disk full on db-1
    PagerDuty took the event in: dedup key pagerline-3f1c… An incident follows in a moment …
    /pager event resolve deploys pagerline-3f1c…

`event` alone opens the form. The dedup key is one's own or made of Slack's own name for the act, so that an
event sent twice is one alert. Admins name integrations by `python -m bot event-keys`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from bot.command.context import BY_EVENTS, Context
from bot.declaration import Argument, Line, OneOf, Prose, Reply, Word, command
from bot.errors import NotAllowed, PagerDutyRefused
from bot.pagerduty.event_fields import CLIENT, Action, Alert, Severity
from bot.pagerduty.event_words import fit_summary, read_image, read_link, read_moment
from bot.render.events import alert_taken, event_refused, no_incident_of
from bot.render.outcomes import triggered
from commands.change import asked_by, details_of
from commands.trigger import key_of


class EventAction(OneOf):
    """What to do with an alert."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {
        "trigger": "Trigger: something is wrong",
        "ack": "Acknowledge: somebody works on it",
        "resolve": "Resolve: it is over",
    }


class SeverityWord(OneOf):
    """How bad it is, in PagerDuty's words."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {str(one): str(one).capitalize() for one in Severity}


async def was_sent(ctx: Context, action: EventAction, *, key: Line | None = None, **_: object) -> bool | None:
    """Whether the incident of this act exists; of an acknowledgement or a resolution nothing can be told."""
    if action != "trigger":
        return None
    return await ctx.incidents.with_key(None, key or key_of(ctx)) is not None or None


@command(
    "event",
    scope="incidents.write",
    examples=(
        "event trigger deploys Disk full on db-1",
        "event ack deploys db-1/disk",
        "event resolve deploys db-1/disk",
        "event",
    ),
    title="Send an event",
    submit="Send",
    arguments={
        "action": Argument("What to do", usage="trigger|ack|resolve"),
        "integration": Argument("Integration", "As admins have named it.", usage="integration"),
        "text": Argument("Summary, or dedup key", "The key to acknowledge or resolve.", usage="summary|key"),
        "key": Argument("Dedup key", "The same again is the same alert. Up to 255.", form_only=True),
        "severity": Argument("Severity", "Critical when left out.", form_only=True),
        "source": Argument("Source", "What is broken, such as a host.", form_only=True),
        "timestamp": Argument("Time", "Such as 2026-11-01T08:30Z; now when left out.", form_only=True),
        "component": Argument("Component", "Such as mysql.", form_only=True),
        "group": Argument("Group", "Such as prod-db.", form_only=True),
        "kind": Argument("Class", "The kind of event, such as disk.", form_only=True),
        "details": Argument("Details", "name=value on each line, or a JSON object.", form_only=True),
        "client": Argument("Client", "Who reports it; Pagerline when left out.", form_only=True),
        "client_url": Argument("Client's address", form_only=True),
        "links": Argument("Links", "One a line: address, then words.", form_only=True),
        "images": Argument("Images", "One a line: https address, then words.", form_only=True),
    },
    without_seat=True,
    was_done=was_sent,
)
async def event(
    ctx: Context,
    action: EventAction,
    integration: Word,
    text: Line,
    *,
    severity: SeverityWord | None = None,
    key: Line | None = None,
    source: Line | None = None,
    timestamp: Line | None = None,
    component: Line | None = None,
    group: Line | None = None,
    kind: Line | None = None,
    details: Prose | None = None,
    client: Line | None = None,
    client_url: Line | None = None,
    links: Prose | None = None,
    images: Prose | None = None,
) -> Reply:
    """Send an event of a named integration.

    An event carries no person: PagerDuty shows the integration as whoever acted. To acknowledge or resolve as
    yourself use `ack` and `resolve`.
    """
    seatless = ctx.who.identity == BY_EVENTS
    if seatless and action != "trigger":
        raise NotAllowed("Only people with a PagerDuty user may acknowledge and resolve.")
    if action != "trigger":
        done = Action.ACKNOWLEDGE if action == "ack" else Action.RESOLVE
        return await _sent(ctx, integration, Alert(action=done, key=key or text))
    if seatless:
        await ctx.incidents.may_send_without_seat(ctx.who.user)
    summary, was_cut = fit_summary(text)
    name, who = await asked_by(ctx)
    alert = Alert(
        key=key or key_of(ctx),
        summary=summary,
        source=source or f"Slack, {name}",
        severity=Severity(severity or Severity.CRITICAL),
        at=read_moment(timestamp) if timestamp else None,
        component=component or "",
        group=group or "",
        kind=kind or "",
        details=details_of(details) | who,
        client=client or CLIENT,
        client_url=client_url or "",
        links=tuple(read_link(one) for one in (links or "").splitlines() if one.strip()),
        images=tuple(read_image(one) for one in (images or "").splitlines() if one.strip()),
    )
    return await _sent(ctx, integration, alert, cut=was_cut)


async def _sent(ctx: Context, integration: str, alert: Alert, *, cut: bool = False) -> Reply:
    try:
        key = await ctx.incidents.send_alert(integration, alert)
    except PagerDutyRefused as refused:
        return event_refused(refused)
    if alert.action is Action.TRIGGER:
        ctx.later(_what_came_of_it(ctx, key))
    return alert_taken(alert.action, key, integration, cut=cut)


async def _what_came_of_it(ctx: Context, key: str) -> Reply | None:
    incident = await ctx.incidents.made_of_event(key)
    return triggered(incident) if incident else no_incident_of(key)
