"""An incident's life: created, acknowledged, snoozed, escalated, handed over, merged, resolved, reopened.

Each act changes the state, writes the log entry, sets the timers and announces the event, in that order, so
that a webhook always shows the state after the act. Whether an act is allowed is decided before
(`edits.py`, `rest/`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bot.sandbox.pagerduty.announcements import Announcer
from bot.sandbox.pagerduty.failures import bad_request
from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.rota import Rota
from bot.sandbox.pagerduty.state import (
    Acknowledgement,
    Agent,
    Alert,
    Assignment,
    Incident,
    Json,
    LogEntry,
    Note,
    State,
)
from bot.sandbox.pagerduty.timers import Kind, Timers

Urgency = Literal["high", "low"]


@dataclass(frozen=True)
class NewIncident:
    """What a new incident is made from; None stands for what the service and its policy say."""

    service: str
    title: str
    urgency: Urgency | None = None
    priority: str | None = None
    details: str | None = None
    incident_key: str | None = None
    assignees: tuple[str, ...] = ()
    policy: str | None = None
    bridge: Json | None = None
    incident_type: str = "incident_default"
    client: Json | None = None
    alert: Alert | None = None
    channel: Json | None = None


class Lifecycle:
    """`speed` divides the durations of policies and services; the clock itself stays true."""

    def __init__(
        self, state: State, rota: Rota, announcer: Announcer, clock: Clock, *, speed: float = 1.0
    ) -> None:
        self.state = state
        self.rota = rota
        self.announcer = announcer
        self.clock = clock
        self.speed = speed
        self.timers = Timers(state, clock, self.on_due)

    # ── how it begins ──

    def create(self, new: NewIncident, agent: Agent | None) -> Incident:
        """Open an incident at the first level of its policy that has anyone on call.

        Assigned to the person who makes it, it starts acknowledged.
        Raises ApiError 1015 when nobody is on call at any level.
        """
        service = self.state.services[new.service]
        policy = new.policy or service.policy
        level = 1 if new.assignees else self.rota.first_staffed_level(policy)
        if level is None:
            raise bad_request(1015)
        now = self.clock()
        number, id_ = self.state.new_incident_id()
        incident = Incident(
            id=id_,
            number=number,
            title=new.title,
            service=new.service,
            policy=policy,
            urgency=new.urgency or service.urgency,
            incident_key=new.incident_key or secrets.token_hex(16),
            created_at=now,
            updated_at=now,
            changed_at=now,
            changed_by=agent,
            level=level,
            priority=new.priority,
            details=new.details,
            bridge=new.bridge,
            incident_type=new.incident_type,
            client=new.client,
            alerts=[new.alert] if new.alert else [],
            assigned_via="direct_assignment" if new.assignees else "escalation_policy",
        )
        people = list(new.assignees) or self.rota.people_at(policy, level)
        incident.assignments = [Assignment(user, now) for user in people]
        if service.auto_resolve_minutes is not None:
            incident.resolve_at = now + self._sped(minutes=service.auto_resolve_minutes)
            self.timers.watch(incident)
        self.state.add(incident)
        self.log(incident, "trigger", agent, new.channel or {"type": "web_trigger", "summary": new.title})
        self.log(incident, "assign", None, {"type": "auto"}, {"assignees": self._references(people)})
        self._await_escalation(incident)
        self.announcer.announce("incident.triggered", incident, agent)
        if agent and agent.kind == "user" and agent.id in new.assignees:
            self.acknowledge(incident, agent)
        return incident

    # ── what people do ──

    def acknowledge(self, incident: Incident, agent: Agent) -> None:
        """A person who acknowledges takes the incident; a second acknowledgement restarts the timeout."""
        now = self.clock()
        if incident.status != "acknowledged":
            self._set_status(incident, "acknowledged", agent)
        if all(a.agent != agent for a in incident.acknowledgements):
            incident.acknowledgements.append(Acknowledgement(agent, now))
        if agent.kind == "user" and all(a.user != agent.id for a in incident.assignments):
            incident.assignments = [Assignment(agent.id, now)]
        self._await_acknowledgement_timeout(incident)
        self.log(incident, "acknowledge", agent, {"type": "website"})
        self.announcer.announce("incident.acknowledged", incident, agent)

    def unacknowledge(self, incident: Incident, agent: Agent | None) -> None:
        self._set_status(incident, "triggered", agent)
        incident.acknowledgements = []
        incident.unacknowledge_at = None
        self._await_escalation(incident)
        self.log(incident, "unacknowledge", agent, {"type": "website" if agent else "timeout"})
        self.announcer.announce("incident.unacknowledged", incident, agent)

    def resolve(
        self,
        incident: Incident,
        agent: Agent | None,
        resolution: str | None = None,
        merged_into: Incident | None = None,
    ) -> None:
        """Close it. A resolution text comes out as an annotation right after, as it does at PagerDuty."""
        now = self.clock()
        self._set_status(incident, "resolved", agent)
        incident.resolved_at = now
        incident.merged_into = merged_into.id if merged_into else None
        incident.assignments, incident.acknowledgements = [], []
        incident.escalate_at = incident.unacknowledge_at = incident.resolve_at = None
        for alert in incident.alerts:
            if alert.status == "triggered":
                alert.status, alert.resolved_at = "resolved", now
        self.log(incident, "resolve", agent, {"type": "website" if agent else "timeout"}, note=resolution)
        self.announcer.announce("incident.resolved", incident, agent)
        if resolution and agent:
            note = Note(self.state.new_note_id(), agent.id, f"Resolution Note: {resolution}", now)
            data = self.announcer.write.note(incident, note)
            self.announcer.announce("incident.annotated", incident, agent, data)

    def reopen(self, incident: Incident, agent: Agent, status: Literal["triggered", "acknowledged"]) -> None:
        """PagerDuty reopens a resolved incident when its status is set to triggered or acknowledged."""
        now = self.clock()
        self._set_status(incident, status, agent)
        incident.resolved_at, incident.merged_into = None, None
        incident.reopened_at = now
        if status == "acknowledged":
            incident.assignments = [Assignment(agent.id, now)]
            incident.assigned_via = "direct_assignment"
            incident.acknowledgements = [Acknowledgement(agent, now)]
            self._await_acknowledgement_timeout(incident)
            self.log(incident, "acknowledge", agent, {"type": "website"})
        else:
            self._follow_policy(incident, self.rota.first_staffed_level(incident.policy) or 1)
            self.log(incident, "assign", agent, {"type": "website"}, self._assignees(incident))
        self.announcer.announce("incident.reopened", incident, agent)

    def escalate(self, incident: Incident, level: int, agent: Agent | None) -> None:
        """Move to a level of the policy; an acknowledged incident is triggered again for the new people."""
        if incident.status == "acknowledged":
            self._set_status(incident, "triggered", agent)
        self._follow_policy(incident, level)
        channel = {"type": "website"} if agent else {"type": "timeout"}
        self.log(incident, "escalate", agent, channel, self._assignees(incident))
        self.announcer.announce("incident.escalated", incident, agent)

    def reassign(self, incident: Incident, users: list[str], agent: Agent) -> None:
        """Give it to people by name; the policy is not followed any more."""
        if incident.status == "acknowledged" and agent.id not in users:
            self._set_status(incident, "triggered", agent)
            incident.acknowledgements = []
            incident.unacknowledge_at = None
        now = self.clock()
        incident.assignments = [Assignment(user, now) for user in users]
        incident.assigned_via = "direct_assignment"
        incident.escalate_at = None
        self._touch(incident)
        self.log(incident, "assign", agent, {"type": "website"}, self._assignees(incident))
        self.announcer.announce("incident.reassigned", incident, agent)

    def delegate(self, incident: Incident, policy: str, agent: Agent) -> None:
        if incident.status == "acknowledged":
            self._set_status(incident, "triggered", agent)
        incident.policy = policy
        self._follow_policy(incident, self.rota.first_staffed_level(policy) or 1)
        self.log(incident, "delegate", agent, {"type": "website"}, self._assignees(incident))
        self.announcer.announce("incident.delegated", incident, agent)

    def snooze(self, incident: Incident, duration: timedelta, agent: Agent) -> None:
        """Stay acknowledged until the snooze ends; PagerDuty has no webhook for it."""
        incident.unacknowledge_at = self.clock() + duration / self.speed
        self.timers.watch(incident)
        self._touch(incident)
        seconds = int(duration.total_seconds())
        self.log(incident, "snooze", agent, {"type": "website"}, {"changed_actions": [], "duration": seconds})
        self.edited(incident)

    def merge(self, target: Incident, sources: list[Incident], agent: Agent) -> None:
        """Resolve the sources into the target; their alerts move along."""
        for source in sources:
            alerts, source.alerts = source.alerts, []
            target.alerts.extend(alerts)
            self.resolve(source, agent, merged_into=target)
        self._touch(target)
        self.edited(target)

    # ── what time does ──

    def on_due(self, incident: Incident, kind: Kind) -> None:
        match kind:
            case "escalate":
                self._escalate_by_itself(incident)
            case "unacknowledge":
                self.unacknowledge(incident, None)
            case "resolve":
                self.resolve(incident, None)

    def _escalate_by_itself(self, incident: Incident) -> None:
        policy = self.state.policies[incident.policy]
        level = self.rota.first_staffed_level(incident.policy, incident.level + 1)
        if level is None and incident.loops < policy.loops:
            incident.loops += 1
            self.log(incident, "repeat_escalation_path", None, {"type": "timeout"})
            level = self.rota.first_staffed_level(incident.policy)
        if level is None:
            incident.escalate_at = None
            self.log(incident, "exhaust_escalation_path", None, {"type": "timeout"})
            self.edited(incident)
            return
        self.escalate(incident, level, None)

    # ── shared by the acts ──

    def log(
        self,
        incident: Incident,
        type_: str,
        agent: Agent | None,
        channel: Json,
        extra: Json | None = None,
        *,
        note: str | None = None,
    ) -> None:
        """Write one line of history."""
        entry = LogEntry(
            self.state.new_log_id(), type_, self.clock(), incident.id, agent, channel, note, extra or {}
        )
        incident.log.append(entry)
        self.state.log.append(entry)

    def edited(self, incident: Incident) -> None:
        """Mark an edit that no webhook tells of, and tell the page."""
        self._touch(incident)
        self.announcer.tell("incident.edited", self.announcer.write.incident(incident), incident.id)

    def urgency_changed(self, incident: Incident) -> None:
        """Low-urgency incidents do not escalate; a raised one starts to."""
        if incident.urgency == "low":
            incident.escalate_at = None
        elif incident.escalate_at is None:
            self._await_escalation(incident)

    def _set_status(
        self,
        incident: Incident,
        status: Literal["triggered", "acknowledged", "resolved"],
        agent: Agent | None,
    ) -> None:
        incident.status = status
        incident.changed_at = self.clock()
        incident.changed_by = agent
        self._touch(incident)
        self.state.index(incident)

    def _touch(self, incident: Incident) -> None:
        incident.updated_at = self.clock()

    def _follow_policy(self, incident: Incident, level: int) -> None:
        now = self.clock()
        incident.level = level
        incident.assigned_via = "escalation_policy"
        incident.acknowledgements = []
        incident.unacknowledge_at = None
        incident.assignments = [Assignment(user, now) for user in self.rota.people_at(incident.policy, level)]
        self._touch(incident)
        self._await_escalation(incident)

    def _await_escalation(self, incident: Incident) -> None:
        incident.escalate_at = None
        follows = incident.assigned_via == "escalation_policy" and incident.urgency == "high"
        if incident.status != "triggered" or not follows:
            return
        policy = self.state.policies[incident.policy]
        further = self.rota.first_staffed_level(incident.policy, incident.level + 1) is not None
        if further or incident.loops < policy.loops:
            delay = policy.rules[incident.level - 1].delay_minutes
            incident.escalate_at = self.clock() + self._sped(minutes=delay)
            self.timers.watch(incident)

    def _await_acknowledgement_timeout(self, incident: Incident) -> None:
        incident.escalate_at = None
        minutes = self.state.services[incident.service].ack_timeout_minutes
        incident.unacknowledge_at = None
        if minutes is not None:
            incident.unacknowledge_at = self.clock() + self._sped(minutes=minutes)
            self.timers.watch(incident)

    def _sped(self, *, minutes: int) -> timedelta:
        return timedelta(minutes=minutes) / self.speed

    def _assignees(self, incident: Incident) -> Json:
        return {"assignees": self._references([a.user for a in incident.assignments])}

    def _references(self, users: list[str]) -> list[Json]:
        return [self.announcer.write.user(user) for user in users]
