"""Tell PagerDuty of a deploy or another change, by an integration that admins have named; it calls nobody.

    /pager change deploys Deployed checkout 4.2
    PagerDuty took the change “Deployed checkout 4.2” in. …

PagerDuty puts changes beside the incidents of the same service; `show` tells those related to an incident.
"""

from __future__ import annotations

from typing import Any

from bot.command.context import Context
from bot.command.sending import ASKED_BY
from bot.declaration import Argument, Line, Prose, Reply, Word, command
from bot.errors import PagerDutyRefused
from bot.pagerduty.event_fields import Change
from bot.pagerduty.event_words import fit_summary, read_details, read_link, read_moment
from bot.render.events import change_taken, event_refused


async def asked_by(ctx: Context) -> tuple[str, dict[str, str]]:
    """The asker's name, and the custom detail that tells it: events carry no person."""
    profile = await ctx.accounts.member(ctx.who.user)
    name = profile.real_name or profile.name
    return name, {ASKED_BY: f"{name} ({ctx.who.user.id})"}


def details_of(text: str | None) -> dict[str, Any]:
    """Custom details as somebody writes them: a JSON object, or `name=value` lines. Raises UserError."""
    text = (text or "").strip()
    return read_details([text] if text.startswith("{") else [one for one in text.splitlines() if one.strip()])


@command(
    "change",
    scope="incidents.write",
    examples=("change deploys Deployed checkout 4.2", "change"),
    title="Tell of a change",
    submit="Send",
    arguments={
        "integration": Argument("Integration", "As admins have named it."),
        "summary": Argument("Summary", "What was changed.", usage="summary…"),
        "source": Argument("Source", "Where it happened, such as a cluster.", form_only=True),
        "timestamp": Argument("Time", "Such as 2026-11-01T08:30Z; now when left out.", form_only=True),
        "details": Argument("Details", "name=value on each line, or a JSON object.", form_only=True),
        "links": Argument("Links", "One a line: address, then words.", form_only=True),
    },
)
async def change(
    ctx: Context,
    integration: Word,
    summary: Line,
    *,
    source: Line | None = None,
    timestamp: Line | None = None,
    details: Prose | None = None,
    links: Prose | None = None,
) -> Reply:
    """Tell PagerDuty of a deploy or another change."""
    name, who = await asked_by(ctx)
    fitting, was_cut = fit_summary(summary)
    told = Change(
        summary=fitting,
        source=source or f"Slack, {name}",
        at=read_moment(timestamp) if timestamp else None,
        details=details_of(details) | who,
        links=tuple(read_link(one) for one in (links or "").splitlines() if one.strip()),
    )
    try:
        await ctx.incidents.send_change(integration, told)
    except PagerDutyRefused as refused:
        return event_refused(refused)
    return change_taken(fitting, integration, cut=was_cut)
