"""Everything the fake PagerDuty knows, with the indexes that keep thousands of incidents quick to find.

Only values live here. `lifecycle.py`, `edits.py` and `conversation.py` change them, `timers.py` lets time
change them, the `*_body.py` modules write them as JSON.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.sandbox.pagerduty.ids import id_maker, incident_id
from bot.sandbox.world import Person, Policy, Priority, Schedule, Service, Team, World

Json = dict[str, Any]
Status = Literal["triggered", "acknowledged", "resolved"]


@dataclass(frozen=True)
class Agent:
    """Who did it: a person, or the service whose integration sent an event."""

    kind: Literal["user", "service"]
    id: str


@dataclass(frozen=True)
class Assignment:
    user: str
    at: datetime


@dataclass(frozen=True)
class Acknowledgement:
    agent: Agent
    at: datetime


@dataclass(frozen=True)
class LogEntry:
    """One line of an incident's history; `agent` None means PagerDuty itself (a timeout)."""

    id: str
    type: str  # without `_log_entry`
    at: datetime
    incident: str
    agent: Agent | None
    channel: Json
    note: str | None = None
    extra: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    id: str
    user: str
    content: str
    at: datetime


@dataclass
class Alert:
    id: str
    key: str
    summary: str
    severity: str
    at: datetime
    details: Any
    contexts: list[Json] = field(default_factory=list)
    status: Literal["triggered", "resolved"] = "triggered"
    resolved_at: datetime | None = None


@dataclass
class ResponderRequest:
    id: str
    requester: str
    message: str
    at: datetime
    targets: list[Json]
    states: dict[str, str]  # user id -> pending, joined, declined, user_cancelled


@dataclass(eq=False)
class Incident:
    """An incident's present state; `level` is the policy level it is at, which REST never says."""

    id: str
    number: int
    title: str
    service: str
    policy: str
    urgency: Literal["high", "low"]
    incident_key: str
    created_at: datetime
    updated_at: datetime
    changed_at: datetime
    changed_by: Agent | None
    status: Status = "triggered"
    level: int = 1
    loops: int = 0
    assigned_via: Literal["escalation_policy", "direct_assignment"] = "escalation_policy"
    assignments: list[Assignment] = field(default_factory=list)
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    priority: str | None = None
    resolved_at: datetime | None = None
    reopened_at: datetime | None = None
    merged_into: str | None = None
    bridge: Json | None = None
    details: str | None = None
    incident_type: str = "incident_default"
    client: Json | None = None
    alerts: list[Alert] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)
    responders: list[ResponderRequest] = field(default_factory=list)
    escalate_at: datetime | None = None
    unacknowledge_at: datetime | None = None
    resolve_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.status != "resolved"


class State:
    """The account: what the world says exists, and what has happened since."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.origin = f"https://{world.pagerduty_subdomain}.pagerduty.com"
        self.people: dict[str, Person] = {p.pagerduty_id: p for p in world.people if p.pagerduty_id}
        self.by_email: dict[str, Person] = {p.email.lower(): p for p in self.people.values()}
        self.services: dict[str, Service] = {s.id: s for s in world.services}
        self.policies: dict[str, Policy] = {p.id: p for p in world.policies}
        self.schedules: dict[str, Schedule] = {s.id: s for s in world.schedules}
        self.teams: dict[str, Team] = {t.id: t for t in world.teams}
        self.priorities: dict[str, Priority] = {p.id: p for p in world.priorities}
        self.service_status: dict[
            str, str
        ] = {}  # only what a test or a person has set: disabled, maintenance
        self.last_incident_at: dict[str, datetime] = {}
        self.incidents: dict[str, Incident] = {}
        self.by_number: dict[int, Incident] = {}
        self.open: dict[str, Incident] = {}
        self.open_keys: dict[tuple[str, str], Incident] = {}
        self.log: list[LogEntry] = []
        self.change_events: list[Json] = []
        self._numbers = itertools.count(1234)
        self.new_log_id = id_maker("R")
        self.new_note_id = id_maker("PN")
        self.new_alert_id = id_maker("QA")
        self.new_request_id = id_maker("PR")

    def new_incident_id(self) -> tuple[int, str]:
        number = next(self._numbers)
        return number, incident_id(number)

    def add(self, incident: Incident) -> None:
        self.incidents[incident.id] = incident
        self.by_number[incident.number] = incident
        self.last_incident_at[incident.service] = incident.created_at
        self.index(incident)

    def index(self, incident: Incident) -> None:
        """Bring the indexes of open incidents in step; call after a change of status or service."""
        if incident.is_open:
            self.open[incident.id] = incident
            self.open_keys[incident.service, incident.incident_key] = incident
        else:
            self.open.pop(incident.id, None)
            self.open_keys.pop((incident.service, incident.incident_key), None)

    def find(self, id_or_number: str) -> Incident | None:
        """PagerDuty takes an incident's id or its number where it asks for an id."""
        if id_or_number.isdecimal():
            return self.by_number.get(int(id_or_number))
        return self.incidents.get(id_or_number)

    def teams_of(self, incident: Incident) -> tuple[str, ...]:
        return self.services[incident.service].teams

    def teams_of_person(self, user: str) -> list[str]:
        return [t.id for t in self.teams.values() if any(m.person == user for m in t.members)]

    def status_of_service(self, service: str) -> str:
        """`critical` with an open triggered incident, `warning` with acknowledged ones only, as PagerDuty
        shows it.
        """
        if service in self.service_status:
            return self.service_status[service]
        statuses = {i.status for i in self.open.values() if i.service == service}
        if "triggered" in statuses:
            return "critical"
        return "warning" if statuses else "active"
