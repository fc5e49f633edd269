"""An incident as JSON under stable names, and as a line: for `incident` and `watch`. docs/integration.md
promises the names; moments are ISO 8601 in UTC, null is "none" or "not known".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.cli.rest import plain
from bot.model import Agent, Incident, LogEntry, Note, Reference, RelatedChange


def moment(at: datetime | None) -> str | None:
    """`2026-11-01T08:00:00Z`."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def named(of: Reference | None) -> dict[str, str] | None:
    """An id and a name."""
    return None if of is None else {"id": of.id, "name": of.name}


def incident_fields(one: Incident) -> dict[str, Any]:
    """Everything known of it."""
    return {
        "id": one.id,
        "number": one.number,
        "title": one.title,
        "url": one.url,
        "status": str(one.status),
        "urgency": str(one.urgency),
        "priority": one.priority.name if one.priority else None,
        "service": named(one.service),
        "teams": [named(team) for team in one.teams],
        "escalation_policy": named(one.policy),
        "level": {"number": one.level.number, "of": one.level.of} if one.level else None,
        "assignees": [named(who) for who in one.assignees],
        "acknowledged_by": [
            {"id": it.by.id, "name": it.by.name, "at": moment(it.at)} for it in one.acknowledgements or ()
        ],
        "created_at": moment(one.created_at),
        "opened_by": one.opened_by,
        "escalates_at": moment(one.escalates_at),
        "snoozed_until": moment(one.snoozed_until),
        "resolved_at": moment(one.resolved_at),
        "resolved_by": one.resolved_by,
        "merged_into": named(one.merged_into),
        "alert_count": one.alert_count,
        "incident_key": one.incident_key,
        "conference_bridge": {"number": one.bridge.number, "url": one.bridge.url} if one.bridge else None,
    }


def agent_fields(agent: Agent | None) -> dict[str, str | None] | None:
    """Who did it; null: PagerDuty by itself."""
    return None if agent is None else {"id": agent.id, "name": agent.name, "kind": agent.kind}


def note_fields(note: Note) -> dict[str, Any]:
    return {"id": note.id, "at": moment(note.at), "by": note.by, "content": note.content}


def entry_fields(entry: LogEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": moment(entry.at),
        "kind": entry.kind,
        "by": agent_fields(entry.agent),
        "summary": entry.summary,
    }


def change_fields(change: RelatedChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "at": moment(change.at),
        "summary": change.summary,
        "source": change.source,
        "url": change.url,
        "reason": change.reason,
    }


def incident_lines(one: Incident) -> list[str]:
    """A few lines for people."""
    who = ", ".join(person.name for person in one.assignees)
    level = f", level {one.level.number} of {one.level.of}" if one.level else ""
    resolved = f"Resolved {moment(one.resolved_at)}" + (f" by {one.resolved_by}" if one.resolved_by else "")
    told = [
        f"{one.label} {one.title}",
        " · ".join(
            part
            for part in (
                str(one.status),
                one.service.name,
                f"{one.urgency} urgency",
                one.priority.name if one.priority else "",
            )
            if part
        ),
        f"Assigned to {who}{level}" if who else ("Assigned to nobody" if one.is_open else resolved),
        f"Opened {moment(one.created_at)}" + (f" by {one.opened_by}" if one.opened_by else ""),
        one.url or "",
    ]
    return [plain(line) for line in told if line]
