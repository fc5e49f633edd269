"""Webhook V3 bodies: an envelope with one event, and an incident that is not the REST incident.

`number` instead of `incident_number`, `assignees` instead of `assignments`, a plain title as summary; no
alerts, no acknowledgements, no notes. The receiver fetches the rest.
"""

from __future__ import annotations

from datetime import datetime

from bot.sandbox.pagerduty.ids import event_id, stamp, stamp_milliseconds
from bot.sandbox.pagerduty.references import Writer
from bot.sandbox.pagerduty.state import Agent, Incident, Json, Note, State
from bot.sandbox.world import Service

INCIDENT_EVENTS = frozenset(
    f"incident.{name}"
    for name in (
        "acknowledged",
        "action_invocation.created",
        "action_invocation.terminated",
        "action_invocation.updated",
        "annotated",
        "conference_bridge.updated",
        "custom_field_values.updated",
        "delegated",
        "escalated",
        "incident_type.changed",
        "priority_updated",
        "reassigned",
        "reopened",
        "resolved",
        "responder.added",
        "responder.replied",
        "role.assigned",
        "service_updated",
        "status_update_published",
        "task.completed",
        "task.created",
        "task.updated",
        "triggered",
        "unacknowledged",
        "workflow.completed",
        "workflow.started",
    )
)
SERVICE_EVENTS = frozenset(
    f"service.{name}" for name in ("created", "custom_field_values.updated", "deleted", "updated")
)
EVENTS = INCIDENT_EVENTS | SERVICE_EVENTS

# Text fields are cut to keep a webhook small; `trimmed` says so. PagerDuty guarantees 55 KB for the whole.
LONGEST_TEXT = 25_000


class WebhookWriter:
    def __init__(self, state: State, writer: Writer) -> None:
        self._state = state
        self._write = writer

    def agent(self, agent: Agent | None) -> Json | None:
        return self._write.agent_reference(agent) if agent else None

    def user(self, id_: str) -> Json:
        return self._write.user_reference(id_)

    def incident_reference(self, incident: Incident) -> Json:
        return self._write.reference("incident", incident.id, incident.title)

    def incident(self, incident: Incident) -> Json:
        write = self._write
        reason = None
        if incident.merged_into:
            target = self._state.incidents[incident.merged_into]
            reason = {"type": "merge_resolve_reason", "incident": self.incident_reference(target)}
        reopened = {"reopened_at": stamp(incident.reopened_at)} if incident.reopened_at else {}
        reference = self.incident_reference(incident)
        return {
            "id": incident.id,
            "type": "incident",
            "self": reference["self"],
            "html_url": reference["html_url"],
            "number": incident.number,
            "status": incident.status,
            "incident_key": incident.incident_key,
            "created_at": stamp(incident.created_at),
            **reopened,
            "title": incident.title,
            "service": write.service_reference(incident.service),
            "assignees": [write.user_reference(a.user) for a in incident.assignments],
            "escalation_policy": write.policy_reference(incident.policy),
            "teams": [write.team_reference(t) for t in self._state.teams_of(incident)],
            "priority": write.priority_reference(incident.priority) if incident.priority else None,
            "urgency": incident.urgency,
            "conference_bridge": incident.bridge,
            "resolve_reason": reason,
            "incident_type": {"name": incident.incident_type},
        }

    def note(self, incident: Incident, note: Note) -> Json:
        return {
            "incident": self.incident_reference(incident),
            "id": note.id,
            **_trimmed("content", note.content),
            "type": "incident_note",
        }

    def status_update(self, incident: Incident, id_: str, message: str) -> Json:
        return {
            "incident": self.incident_reference(incident),
            "id": id_,
            **_trimmed("message", message),
            "type": "incident_status_update",
        }

    def responder(self, incident: Incident, user: str, message: str, state: str) -> Json:
        return {
            "incident": self.incident_reference(incident),
            "user": self._write.user_reference(user),
            "escalation_policy": None,
            "message": message,
            "state": state,
            "type": "incident_responder",
        }

    def bridge(self, incident: Incident) -> Json:
        bridge = incident.bridge or {}
        number = bridge.get("conference_number")
        return {
            "incident": self.incident_reference(incident),
            "conference_numbers": [{"label": "", "number": number}] if number else [],
            "conference_url": bridge.get("conference_url"),
            "type": "incident_conference_bridge",
        }

    def service(self, service: Service) -> Json:
        return {
            **self._write.service_reference(service.id),
            "alert_creation": "create_alerts_and_incidents",
            "teams": [self._write.team_reference(t) for t in service.teams],
            "type": "service",
        }


def envelope(event_type: str, at: datetime, agent: Json | None, data: Json, client: Json | None) -> Json:
    event = {
        "id": event_id(at),
        "event_type": event_type,
        "resource_type": event_type.partition(".")[0],
        "occurred_at": stamp_milliseconds(at),
        "agent": agent,
        "client": client,
        "data": data,
    }
    return {"event": event}


def _trimmed(field: str, text: str) -> Json:
    return {field: text[:LONGEST_TEXT], "trimmed": len(text) > LONGEST_TEXT}
