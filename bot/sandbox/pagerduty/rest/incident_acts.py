"""Changing incidents: create, PUT one or many, snooze, merge, notes, status updates, responder requests."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.pagerduty.conversation import Conversation
from bot.sandbox.pagerduty.edits import Edit, Editor, read_edit
from bot.sandbox.pagerduty.failures import MESSAGES, ApiError, bad_request, invalid_input
from bot.sandbox.pagerduty.fields import (
    assignees_of,
    bridge_of,
    optional_text,
    policy_of,
    priority_of,
    reference_id,
    text,
    urgency_of,
    wrapped,
)
from bot.sandbox.pagerduty.ids import stamp
from bot.sandbox.pagerduty.incident_body import IncidentWriter
from bot.sandbox.pagerduty.lifecycle import Lifecycle, NewIncident
from bot.sandbox.pagerduty.rest.incidents import incident_of
from bot.sandbox.pagerduty.rest.routes import Answer, Call, Route, ok
from bot.sandbox.pagerduty.state import Incident, Json

MOST_IN_BULK = 250
LONGEST_SNOOZE = 604_800  # seconds: seven days


class IncidentActs:
    def __init__(self, lifecycle: Lifecycle, conversation: Conversation, writer: IncidentWriter) -> None:
        self._life = lifecycle
        self._state = lifecycle.state
        self._talk = conversation
        self._edit = Editor(lifecycle)
        self._write = writer

    def routes(self) -> list[Route]:
        acts = (
            ("POST", "/incidents", self.create),
            ("PUT", "/incidents", self.update_many),
            ("PUT", "/incidents/{id}", self.update),
            ("POST", "/incidents/{id}/snooze", self.snooze),
            ("PUT", "/incidents/{id}/merge", self.merge),
            ("POST", "/incidents/{id}/notes", self.add_note),
            ("POST", "/incidents/{id}/status_updates", self.publish),
            ("POST", "/incidents/{id}/responder_requests", self.request_responders),
        )
        return [Route(method, path, handle, "incidents", needs_person=True) for method, path, handle in acts]

    def create(self, call: Call) -> Answer:
        new = self.read_new(wrapped(call.body, "incident"))
        incident = self._life.create(new, call.agent)
        return Answer(201, {"incident": self._write.incident(incident)})

    def read_new(self, body: Json) -> NewIncident:
        """Raises ApiError for what PagerDuty refuses, with 2002 for a key that an open incident has."""
        if body.get("type") != "incident":
            raise invalid_input("Incident type must be incident")
        service = reference_id(body.get("service"), self._state.services)
        if service is None:
            raise invalid_input("Service is invalid")
        details = body.get("body")
        new = NewIncident(
            service=service,
            title=text(body, "title", longest=1024),
            urgency=urgency_of(body),
            priority=priority_of(body["priority"], self._state) if body.get("priority") is not None else None,
            details=optional_text(details, "details") if isinstance(details, dict) else None,
            incident_key=optional_text(body, "incident_key"),
            assignees=assignees_of(body, self._state),
            policy=policy_of(body, self._state),
            bridge=bridge_of(body),
        )
        self._refuse_impossible(new)
        return new

    def _refuse_impossible(self, new: NewIncident) -> None:
        if len(new.assignees) > 1:
            raise invalid_input("Only one assignee is supported")
        if new.assignees and new.policy:
            raise invalid_input("Only one of assignments and escalation_policy may be set")
        if self._state.service_status.get(new.service) in ("disabled", "maintenance"):
            raise invalid_input("Incident could not be created")
        if new.incident_key and (new.service, new.incident_key) in self._state.open_keys:
            taken = "Open incident with matching dedup key already exists on this service"
            raise bad_request(2002, taken)

    def update(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        edit = read_edit(wrapped(call.body, "incident"), self._state, with_service=True)
        self._edit.check(incident, edit)
        self._edit.apply(incident, edit, call.agent)
        return ok({"incident": self._write.incident(incident, call.query.include())})

    def update_many(self, call: Call) -> Answer:
        """All or nothing: every entry is read and checked before the first one is applied."""
        entries = call.body.get("incidents") if isinstance(call.body, dict) else None
        if not isinstance(entries, list) or not entries:
            raise bad_request(2003, "Incidents is required")
        if len(entries) > MOST_IN_BULK:
            raise ApiError(413, 2001, MESSAGES[2001], (f"At most {MOST_IN_BULK} incidents at once",))
        edits: list[tuple[Incident, Edit]] = []
        for entry in entries:
            id_ = entry.get("id") if isinstance(entry, dict) else None
            incident = self._state.incidents.get(id_) if isinstance(id_, str) else None
            if incident is None:
                raise bad_request(1004, f"Incident {id_} was not found")
            edit = read_edit(entry, self._state, with_service=False)
            self._edit.check(incident, edit)
            edits.append((incident, edit))
        if len({incident.id for incident, _ in edits}) < len(edits):
            raise invalid_input("An incident may be named only once")
        for incident, edit in edits:
            self._edit.apply(incident, edit, call.agent)
        include = call.query.include()
        return ok({"incidents": [self._write.incident(incident, include) for incident, _ in edits]})

    def snooze(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        duration = call.body.get("duration") if isinstance(call.body, dict) else None
        if not isinstance(duration, int) or isinstance(duration, bool) or not 1 <= duration <= LONGEST_SNOOZE:
            raise bad_request(1013)
        if incident.status != "acknowledged":
            raise bad_request(1012 if incident.is_open else 1001)
        self._life.snooze(incident, timedelta(seconds=duration), call.agent)
        return Answer(201, {"incident": self._write.incident(incident)})

    def merge(self, call: Call) -> Answer:
        target = incident_of(call, self._state)
        entries = call.body.get("source_incidents") if isinstance(call.body, dict) else None
        if not isinstance(entries, list) or not entries:
            raise bad_request(2003, "Source incidents is required")
        if not target.is_open:
            raise bad_request(1001)
        sources = [self._source(entry, target) for entry in entries]
        self._life.merge(target, list(dict.fromkeys(sources)), call.agent)
        return ok({"incident": self._write.reference(target)})

    def _source(self, entry: object, target: Incident) -> Incident:
        id_ = reference_id(entry, self._state.incidents)
        if id_ is None:
            raise bad_request(1004, "A source incident was not found")
        source = self._state.incidents[id_]
        if source is target:
            raise invalid_input("An incident cannot be merged into itself")
        if source.merged_into:
            raise bad_request(1019)
        if not source.is_open:
            raise bad_request(1001)
        return source

    def add_note(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        content = text(wrapped(call.body, "note"), "content")
        note = self._talk.note(incident, content, call.agent)
        return ok({"note": self._write.note(note)})

    def publish(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        message = text(call.body if isinstance(call.body, dict) else {}, "message")
        id_, _ = self._talk.publish(incident, message, call.agent)
        sender = self._life.announcer.write.user(call.agent.id)
        update = {"id": id_, "message": message, "created_at": stamp(self._life.clock()), "sender": sender}
        return ok({"status_update": update})

    def request_responders(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        body = call.body if isinstance(call.body, dict) else {}
        requester = body.get("requester_id")
        if requester not in self._state.people:
            raise bad_request(2003, "Requester id is required")
        message = text(body, "message")
        targets = body.get("responder_request_targets")
        if not isinstance(targets, list) or not targets:
            raise bad_request(2003, "Responder request targets is required")
        users: list[str] = []
        for entry in targets:
            users.extend(self._reached_by(entry))
        bare = [entry["responder_request_target"] for entry in targets]
        request = self._talk.request_responders(
            incident, requester, message, bare, list(dict.fromkeys(users))
        )
        return ok({"responder_request": self._write.responder_request(incident, request)})

    def _reached_by(self, entry: object) -> list[str]:
        """The people a target reaches: a policy's first level, or the user (also when no type is sent)."""
        target = entry.get("responder_request_target") if isinstance(entry, dict) else None
        if isinstance(target, dict) and str(target.get("type", "")).startswith("escalation_policy"):
            policy = reference_id(target, self._state.policies)
            if policy is None:
                raise bad_request(1014)
            return self._life.rota.people_at(policy, 1)
        user = reference_id(target, self._state.people)
        if user is None:
            raise ApiError(403, 2010, MESSAGES[2010])
        return [user]
