"""PUT on incidents: read what is asked, refuse what cannot be, and only then change anything.

A bulk request is all or nothing, so reading and checking change nothing and `apply` cannot fail.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.pagerduty.failures import bad_request, invalid_input
from bot.sandbox.pagerduty.fields import (
    assignees_of,
    bridge_of,
    policy_of,
    priority_of,
    reference_id,
    text,
    urgency_of,
)
from bot.sandbox.pagerduty.lifecycle import Lifecycle, Urgency
from bot.sandbox.pagerduty.state import Agent, Incident, Json, State, Status

STATUSES: dict[str, Status] = {s: s for s in ("triggered", "acknowledged", "resolved")}


@dataclass(frozen=True)
class Edit:
    """One incident's entry of a PUT; None means the field was not sent, `touches` names those that were."""

    touches: frozenset[str]
    status: Status | None = None
    resolution: str | None = None
    title: str | None = None
    urgency: Urgency | None = None
    priority: str | None = None
    level: int | None = None
    assignees: tuple[str, ...] = ()
    policy: str | None = None
    bridge: Json | None = None
    incident_type: str | None = None
    service: str | None = None

    @property
    def hands_over(self) -> bool:
        return self.level is not None or bool(self.assignees) or self.policy is not None


def read_edit(body: Json, state: State, *, with_service: bool) -> Edit:
    """Read one entry; `service` can only be set by the single form. Raises ApiError for what is malformed."""
    if body.get("type") not in ("incident_reference", "incident"):
        raise invalid_input("Incident type must be incident_reference")
    edit = Edit(
        touches=frozenset(body),
        status=_status(body),
        resolution=_resolution(body),
        title=text(body, "title", longest=1024) if "title" in body else None,
        urgency=urgency_of(body),
        priority=priority_of(body["priority"], state) if body.get("priority") is not None else None,
        level=_level(body),
        assignees=assignees_of(body, state),
        policy=policy_of(body, state),
        bridge=bridge_of(body),
        incident_type=_incident_type(body),
        service=_service(body, state) if with_service else None,
    )
    if edit.assignees and edit.policy:
        raise invalid_input("Only one of assignments and escalation_policy may be set")
    return edit


def _status(body: Json) -> Status | None:
    if body.get("status") is None:
        return None
    status = STATUSES.get(str(body["status"]))
    if status is None:
        raise bad_request(1003)
    return status


def _resolution(body: Json) -> str | None:
    if "resolution" not in body:
        return None
    if body.get("status") != "resolved":
        raise invalid_input("Resolution can only be set with status resolved")
    return text(body, "resolution")


def _level(body: Json) -> int | None:
    level = body.get("escalation_level")
    if level is None:
        return None
    if not isinstance(level, int) or isinstance(level, bool):
        raise invalid_input("Escalation level must be an integer")
    return level


def _incident_type(body: Json) -> str | None:
    value = body.get("incident_type")
    return text(value, "name") if isinstance(value, dict) else None


def _service(body: Json, state: State) -> str | None:
    if body.get("service") is None:
        return None
    service = reference_id(body["service"], state.services)
    if service is None:
        raise invalid_input("Service is invalid")
    return service


class Editor:
    def __init__(self, lifecycle: Lifecycle) -> None:
        self._life = lifecycle
        self._state = lifecycle.state

    def check(self, incident: Incident, edit: Edit) -> None:
        """Raise ApiError when the edit cannot be done to the incident as it is now."""
        if not incident.is_open:
            if edit.status == "resolved" or (edit.hands_over and edit.status is None):
                raise bad_request(1001)
            return self._check_handover(incident, edit)
        if edit.status == "resolved" and edit.hands_over:
            raise bad_request(1011)
        return self._check_handover(incident, edit)

    def _check_handover(self, incident: Incident, edit: Edit) -> None:
        rota = self._life.rota
        if edit.policy and rota.first_staffed_level(edit.policy) is None:
            raise bad_request(1015)
        reopened_to_policy = not incident.is_open and edit.status == "triggered"
        if reopened_to_policy and rota.first_staffed_level(incident.policy) is None:
            raise bad_request(1015)
        if edit.level is None:
            return
        rules = self._state.policies[edit.policy or incident.policy].rules
        urgency = edit.urgency or incident.urgency
        if urgency == "low" or not 1 <= edit.level <= len(rules):
            raise bad_request(1006)
        if not rota.people_at(edit.policy or incident.policy, edit.level):
            raise bad_request(1006)

    def apply(self, incident: Incident, edit: Edit, agent: Agent) -> None:
        """Do what `check` allowed: fields first, then who has it, then its status."""
        self._apply_fields(incident, edit, agent)
        if not incident.is_open and edit.status in ("triggered", "acknowledged"):
            self._life.reopen(incident, agent, edit.status)
            self._hand_over(incident, edit, agent)
            return
        self._hand_over(incident, edit, agent)
        match edit.status:
            case "acknowledged":
                self._life.acknowledge(incident, agent)
            case "resolved":
                self._life.resolve(incident, agent, edit.resolution)
            case "triggered" if incident.status == "acknowledged":
                self._life.unacknowledge(incident, agent)

    def _hand_over(self, incident: Incident, edit: Edit, agent: Agent) -> None:
        if edit.policy:
            self._life.delegate(incident, edit.policy, agent)
        if edit.assignees:
            self._life.reassign(incident, list(edit.assignees), agent)
        if edit.level is not None:
            self._life.escalate(incident, edit.level, agent)

    def _apply_fields(self, incident: Incident, edit: Edit, agent: Agent) -> None:
        # Title and urgency have no webhook event at PagerDuty; the others do.
        if edit.title is not None and edit.title != incident.title:
            incident.title = edit.title
            self._changed(incident, agent, "title")
            self._life.edited(incident)
        if edit.urgency is not None and edit.urgency != incident.urgency:
            incident.urgency = edit.urgency
            self._life.log(incident, "urgency_change", agent, {"type": "website"}, {"urgency": edit.urgency})
            self._life.urgency_changed(incident)
            self._life.edited(incident)
        if "priority" in edit.touches and edit.priority != incident.priority:
            incident.priority = edit.priority
            self._announced(incident, agent, "priority", "priority_updated")
        if edit.incident_type is not None and edit.incident_type != incident.incident_type:
            incident.incident_type = edit.incident_type
            self._announced(incident, agent, "incident_type", "incident_type.changed")
        if edit.service is not None and edit.service != incident.service:
            self._state.open_keys.pop((incident.service, incident.incident_key), None)
            incident.service = edit.service
            self._state.index(incident)
            self._announced(incident, agent, "service", "service_updated")
        if "conference_bridge" in edit.touches and edit.bridge != incident.bridge:
            incident.bridge = edit.bridge
            data = self._life.announcer.write.bridge(incident)
            self._announced(incident, agent, "conference_bridge", "conference_bridge.updated", data)

    def _announced(
        self, incident: Incident, agent: Agent, field: str, event: str, data: Json | None = None
    ) -> None:
        self._changed(incident, agent, field)
        incident.updated_at = self._life.clock()
        self._life.announcer.announce(f"incident.{event}", incident, agent, data)

    def _changed(self, incident: Incident, agent: Agent, field: str) -> None:
        extra = {"changeset": [field]}
        self._life.log(incident, "field_value_change", agent, {"type": "website"}, extra)
