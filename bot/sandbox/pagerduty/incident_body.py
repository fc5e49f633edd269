"""Incidents, log entries, notes and alerts as the REST API writes them. Webhooks write them differently."""

from __future__ import annotations

from collections.abc import Collection

from bot.sandbox.pagerduty.ids import stamp, stamp_or_none
from bot.sandbox.pagerduty.references import API, Writer
from bot.sandbox.pagerduty.state import (
    Acknowledgement,
    Alert,
    Incident,
    Json,
    LogEntry,
    Note,
    ResponderRequest,
    State,
)
from bot.sandbox.pagerduty.timers import KINDS, due_at

# How PagerDuty words a line of an incident's history; what is not here is told by its type.
_DONE = {
    "acknowledge": "Acknowledged",
    "annotate": "Note added",
    "assign": "Assigned",
    "delegate": "Handed to another policy",
    "escalate": "Escalated",
    "resolve": "Resolved",
    "snooze": "Snoozed",
    "trigger": "Triggered",
    "unacknowledge": "Acknowledgement timed out",
    "urgency_change": "Urgency changed",
}


class IncidentWriter:
    """`include` names are PagerDuty's (`services`, `assignees`, …): references become whole objects."""

    def __init__(self, state: State, writer: Writer) -> None:
        self._state = state
        self._write = writer

    def reference(self, incident: Incident) -> Json:
        return self._write.reference("incident", incident.id, self.summary(incident))

    @staticmethod
    def summary(incident: Incident) -> str:
        return f"[#{incident.number}] {incident.title}"

    def incident(self, incident: Incident, include: Collection[str] = ()) -> Json:
        write, state = self._write, self._state
        service = state.services[incident.service]
        policy = state.policies[incident.policy]
        reason = None
        if incident.merged_into:
            target = state.incidents[incident.merged_into]
            reason = {"type": "merge_resolve_reason", "incident": self.reference(target)}
        return {
            **self.reference(incident),
            "type": "incident",
            "incident_number": incident.number,
            "title": incident.title,
            "description": incident.title,
            "created_at": stamp(incident.created_at),
            "updated_at": stamp(incident.updated_at),
            "status": incident.status,
            "incident_key": incident.incident_key,
            "service": write.service(service)
            if "services" in include
            else write.service_reference(service.id),
            "assignments": [
                {"at": stamp(a.at), "assignee": self._user(a.user, full="assignees" in include)}
                for a in incident.assignments
            ],
            "assigned_via": incident.assigned_via,
            "last_status_change_at": stamp(incident.changed_at),
            "last_status_change_by": self._changed_by(incident, full="agents" in include),
            "resolved_at": stamp_or_none(incident.resolved_at),
            "first_trigger_log_entry": self._first_trigger(
                incident, full="first_trigger_log_entries" in include
            ),
            "alert_counts": {
                "all": len(incident.alerts),
                "triggered": sum(a.status == "triggered" for a in incident.alerts),
                "resolved": sum(a.status == "resolved" for a in incident.alerts),
            },
            "is_mergeable": incident.is_open,
            "incident_type": {"name": incident.incident_type},
            "escalation_policy": write.policy(policy)
            if "escalation_policies" in include
            else write.policy_reference(policy.id),
            "teams": [
                write.team(state.teams[t]) if "teams" in include else write.team_reference(t)
                for t in service.teams
            ],
            "pending_actions": [
                {"type": kind, "at": stamp(at)} for kind in KINDS if (at := due_at(incident, kind))
            ],
            "acknowledgements": [
                {"at": stamp(a.at), "acknowledger": self._acknowledger(a, full="acknowledgers" in include)}
                for a in incident.acknowledgements
            ],
            "alert_grouping": None,
            "priority": write.priority(state.priorities[incident.priority]) if incident.priority else None,
            "resolve_reason": reason,
            "conference_bridge": incident.bridge,
            "incidents_responders": [
                self._responder(incident, request, user, now)
                for request in incident.responders
                for user, now in request.states.items()
            ],
            "responder_requests": [self.responder_request(incident, r) for r in incident.responders],
            "subscriber_requests": [],
            "urgency": incident.urgency,
            **({"body": {"type": "incident_body", "details": incident.details}} if incident.details else {}),
        }

    def _user(self, id_: str, *, full: bool) -> Json:
        return self._write.user(self._state.people[id_]) if full else self._write.user_reference(id_)

    def _acknowledger(self, acknowledgement: Acknowledgement, *, full: bool) -> Json:
        if full and acknowledgement.agent.kind == "user":
            return self._user(acknowledgement.agent.id, full=True)
        return self._write.agent_reference(acknowledgement.agent)

    def _changed_by(self, incident: Incident, *, full: bool) -> Json:
        # What PagerDuty did by itself is written down to the service.
        agent = incident.changed_by
        if agent is None:
            return self._write.service_reference(incident.service)
        if full and agent.kind == "user":
            return self._user(agent.id, full=True)
        return self._write.agent_reference(agent)

    def _first_trigger(self, incident: Incident, *, full: bool) -> Json | None:
        entry = next((e for e in incident.log if e.type == "trigger"), None)
        if entry is None:
            return None
        if full:
            return self.log_entry(entry)
        whole = self.log_entry(entry)
        keys = ("id", "summary", "self", "html_url")
        return {**{key: whole[key] for key in keys}, "type": f"{whole['type']}_reference"}

    def _responder(self, incident: Incident, request: ResponderRequest, user: str, state: str) -> Json:
        return {
            "state": state,
            "user": self._write.user_reference(user),
            "incident": self.reference(incident),
            "updated_at": stamp(request.at),
            "message": request.message,
            "requester": self._write.user_reference(request.requester),
            "requested_at": stamp(request.at),
            "escalation_policy_requests": [],
        }

    def responder_request(self, incident: Incident, request: ResponderRequest) -> Json:
        return {
            "id": request.id,
            "incident": self.reference(incident),
            "requester": self._write.user_reference(request.requester),
            "requested_at": stamp(request.at),
            "message": request.message,
            "responder_request_targets": [{"responder_request_target": t} for t in request.targets],
        }

    def log_entry(self, entry: LogEntry, include: Collection[str] = ()) -> Json:
        incident = self._state.incidents[entry.incident]
        write = self._write
        kind = f"{entry.type}_log_entry"
        by = f" by {write.agent_reference(entry.agent)['summary']}" if entry.agent else ""
        channel = {
            k: v for k, v in entry.channel.items() if "channels" in include or k in ("type", "summary")
        }
        return {
            "id": entry.id,
            "type": kind,
            "summary": f"{_DONE.get(entry.type, entry.type.replace('_', ' ').capitalize())}{by}.",
            "self": f"{API}/log_entries/{entry.id}",
            "html_url": f"{self._state.origin}/incidents/{incident.id}/log_entries/{entry.id}",
            "created_at": stamp(entry.at),
            "agent": write.agent_reference(entry.agent)
            if entry.agent
            else write.service_reference(incident.service),
            "channel": channel,
            "service": write.service(self._state.services[incident.service])
            if "services" in include
            else write.service_reference(incident.service),
            "incident": self.incident(incident) if "incidents" in include else self.reference(incident),
            "teams": [write.team_reference(t) for t in self._state.teams_of(incident)],
            "contexts": [],
            **({"note": entry.note} if entry.note is not None else {}),
            **({"event_details": {"description": incident.title}} if entry.type == "trigger" else {}),
            **entry.extra,
        }

    def note(self, note: Note) -> Json:
        return {
            "id": note.id,
            "user": self._write.user_reference(note.user),
            "channel": {"summary": "The PagerDuty website or APIs"},
            "content": note.content,
            "created_at": stamp(note.at),
        }

    def alert(self, incident: Incident, alert: Alert) -> Json:
        return {
            "id": alert.id,
            "type": "alert",
            "summary": alert.summary,
            "self": f"{API}/incidents/{incident.id}/alerts/{alert.id}",
            "html_url": f"{self._state.origin}/alerts/{alert.id}",
            "created_at": stamp(alert.at),
            "resolved_at": stamp_or_none(alert.resolved_at),
            "status": alert.status,
            "alert_key": alert.key,
            "service": self._write.service_reference(incident.service),
            "first_trigger_log_entry": self._first_trigger(incident, full=False),
            "incident": self.reference(incident),
            "suppressed": False,
            "severity": alert.severity,
            "integration": {
                "id": f"{incident.service}I",
                "type": "events_api_v2_inbound_integration_reference",
                "summary": "Events API v2",
                "self": f"{API}/services/{incident.service}/integrations/{incident.service}I",
                "html_url": f"{self._state.origin}/services/{incident.service}",
            },
            "body": {"type": "alert_body", "contexts": alert.contexts, "details": alert.details},
        }
