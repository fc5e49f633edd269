"""An incident in plain words: the `text` of its message, which notifications and screen readers use instead
of blocks.

Slack reads mrkdwn here too, so it is escaped like the rest; times say UTC, because nothing turns them into
the reader's own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.model import Incident, Status, Urgency
from bot.render import text
from bot.render.text import line

TITLE = 200  # characters of a title in a message; `show` has all of it


def acknowledgers(incident: Incident) -> list[str]:
    """Names of those who hold it acknowledged, as far as known, each once."""
    if incident.acknowledgements:
        return list(dict.fromkeys(entry.by.name for entry in incident.acknowledgements))
    return [incident.acknowledged_by] if incident.acknowledged_by else []


def started(incident: Incident) -> datetime:
    """When its present life began (UTC)."""
    return incident.reopened_at or incident.created_at


def after(begin: datetime, end: datetime | None) -> str:
    """`after 2 min`; nothing when the end is unknown or, by another clock, earlier."""
    if end is None or end - begin < timedelta(0):
        return ""
    return f"after {text.duration(end - begin)}"


def summary(incident: Incident) -> str:
    """Everything that matters in one breath, for notifications and screen readers."""
    title = line(incident.title, TITLE) or "(no title)"
    name_ = f"{incident.label} {title}"
    rank = ", ".join(
        part
        for part in (
            line(incident.priority.name, 40) if incident.priority else "",
            "high urgency" if incident.urgency is Urgency.HIGH else "low urgency",
        )
        if part
    )
    service = line(incident.service.name, 80)
    if incident.merged_into:
        return f"Merged into {line(incident.merged_into.name, 150)}: {name_}. {service}."
    if incident.status is Status.RESOLVED:
        by = f" by {line(incident.resolved_by, 60)}" if incident.resolved_by else ""
        took = after(started(incident), incident.resolved_at)
        return f"Resolved{by}{' ' + took if took else ''}: {name_}. {service}."
    level = f" (level {incident.level.number} of {incident.level.of})" if incident.level else ""
    has_it = text.plain_names(person.name for person in incident.assignees)
    assigned = f"assigned to {has_it}{level}" if has_it else "nobody is assigned"
    if incident.status is Status.ACKNOWLEDGED:
        who = text.plain_names(acknowledgers(incident))
        took = after(started(incident), incident.acknowledged_at)
        state = f"Acknowledged{' by ' + who if who else ''}{' ' + took if took else ''}"
        again = (
            f", triggers again at {text.moment_utc(incident.snoozed_until)}" if incident.snoozed_until else ""
        )
        return f"{state}: {name_} ({rank}). {service}, {assigned}{again}."
    upcoming = ""
    if incident.escalates_at:
        to = text.plain_names(person.name for person in incident.level.next) if incident.level else ""
        upcoming = f", escalates{' to ' + to if to else ''} at {text.clock_utc(incident.escalates_at)}"
    state = "Triggered again" if incident.reopened_at else "Triggered"
    return f"{state}: {name_} ({rank}). {service}, {assigned}{upcoming}."
