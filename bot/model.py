"""The values everything speaks in: incidents, people, services, on-call shifts and Slack places.

Ground floor: frozen, no I/O, no behaviour beyond what a value knows of itself. Everything above imports this;
it imports nothing of ours. All datetimes are aware and in UTC. Ids are PagerDuty's or Slack's own strings,
never validated by length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """Where an incident stands; PagerDuty's own words."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Urgency(StrEnum):
    """How loudly PagerDuty pages for an incident."""

    HIGH = "high"
    LOW = "low"


# -------------------------------------------------------------------------------------------------- PagerDuty


@dataclass(frozen=True, slots=True)
class Reference:
    """A thing of PagerDuty's by its id and display name (`summary`); `url` is its page in the web app when
    PagerDuty told it.
    """

    id: str
    name: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A PagerDuty user. `role` is PagerDuty's word for it (`observer`, `limited_user` …), None: not read."""

    id: str
    name: str
    email: str | None = None
    role: str | None = None
    time_zone: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """Who or what caused an event: `kind` is `user`, `service`, `integration` …; automation has no agent at
    all (None).
    """

    id: str
    name: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Priority:
    """An incident priority; `rank` counts from 0 = most severe in the account's list, None when the list was
    not read yet.
    """

    id: str
    name: str
    rank: int | None = None

    def is_above(self, other: Priority | None) -> bool:
        """True when this priority is known to be more severe than `other`; any priority is above none."""
        if other is None:
            return True
        return self.rank is not None and other.rank is not None and self.rank < other.rank


@dataclass(frozen=True, slots=True)
class Bridge:
    """A conference bridge: a number to dial, a URL to open, or both."""

    number: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who took an incident, and when."""

    by: Reference
    at: datetime


@dataclass(frozen=True, slots=True)
class Level:
    """Where an incident stands on its escalation policy.

    `number` is 1-based; `of` the number of levels; `next` names whoever the following level pages (empty on
    the last one). PagerDuty does not tell the level: it is derived from assignees and the policy's rules, so
    None on the incident means "not known yet".
    """

    number: int
    of: int
    next: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """The last thing that changed, in a person's words: `what` = "priority", `old` → `new`, by whom, when."""

    what: str
    at: datetime
    old: str | None = None
    new: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One PagerDuty incident as far as we know it. None in an optional field means "not known" or "none" as
    its line says.
    """

    id: str
    title: str
    status: Status
    urgency: Urgency
    service: Reference
    created_at: datetime
    number: int | None = None  # None: not known yet
    url: str | None = None
    priority: Priority | None = None  # None: none set
    policy: Reference | None = None  # the escalation policy
    follows_policy: bool | None = None  # False: given to people by name; None: not known (events do not tell)
    teams: tuple[Reference, ...] = ()
    assignees: tuple[Reference, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] | None = (
        None  # None: not known yet (events do not carry them)
    )
    level: Level | None = None  # None: not known yet, or assigned to people directly
    escalates_at: datetime | None = None  # the pending escalation, when there is one and it is known
    snoozed_until: datetime | None = (
        None  # the pending un-acknowledgement of a snoozed or acknowledged incident
    )
    alert_count: int | None = None
    bridge: Bridge | None = None
    incident_key: str | None = None
    opened_by: str | None = None  # name of the person or integration that opened it
    acknowledged_at: datetime | None = (
        None  # the first acknowledgement since it was (re)opened; kept after resolving
    )
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None  # a name; None with a resolved status: automation, or not known yet
    reopened_at: datetime | None = None
    merged_into: Reference | None = None
    last_change: Change | None = None

    @property
    def is_open(self) -> bool:
        """Triggered or acknowledged."""
        return self.status is not Status.RESOLVED

    @property
    def label(self) -> str:
        """`#1234`, or the id while the number is not known."""
        return f"#{self.number}" if self.number is not None else self.id


@dataclass(frozen=True, slots=True)
class Reading:
    """An incident as REST told it; `updated_at` is PagerDuty's own clock, the one readings and events are
    ordered by.
    """

    incident: Incident
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A note on an incident, as PagerDuty keeps it."""

    id: str
    content: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of an incident's own history in PagerDuty: `kind` is the type without `_log_entry`."""

    id: str
    kind: str
    summary: str
    at: datetime
    by: str | None = None
    incident_id: str | None = None
    agent: Agent | None = None
    note: str | None = None  # the words of a note, where the entry is about one


@dataclass(frozen=True, slots=True)
class RelatedChange:
    """A deploy or another change that PagerDuty relates to an incident: `reason` is its word for why."""

    id: str
    summary: str
    at: datetime
    source: str | None = None
    url: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One level of an escalation policy: who it pages (users and schedules), and after how many minutes it
    hands on.
    """

    users: tuple[Reference, ...]
    schedules: tuple[Reference, ...]
    delay_minutes: int


@dataclass(frozen=True, slots=True)
class Policy:
    """An escalation policy; level n is the nth rule (1-based)."""

    id: str
    name: str
    rules: tuple[Rule, ...]
    url: str | None = None
    teams: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A service and the policy it pages by; `status` is PagerDuty's word (active, warning, critical,
    maintenance, disabled).
    """

    id: str
    name: str
    policy: Reference
    status: str = "active"
    url: str | None = None
    teams: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class OnCall:
    """One shift as `GET /oncalls` tells it: None `start`/`end` means always on call."""

    person: Reference
    policy: Reference
    level: int
    schedule: Reference | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class MadeCall:
    """One call to PagerDuty. `path` has no id in it (`/incidents/{id}/notes`); `status` 0: no answer came;
    `request_id` is PagerDuty's own for it.
    """

    method: str
    path: str
    status: int
    request_id: str | None
    seconds: float


# ------------------------------------------------------------------------------------------------------ Slack


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A Slack user id inside its workspace."""

    team_id: str
    id: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A Slack channel id inside its workspace."""

    team_id: str
    id: str


@dataclass(frozen=True, slots=True)
class SlackProfile:
    """What `users.info` tells of a person, as far as permission needs it."""

    user: SlackUser
    name: str
    email: str | None = None
    email_confirmed: bool = True
    time_zone: str | None = None  # IANA name; None: Slack did not tell
    home_team: str | None = None
    is_bot: bool = False
    is_deleted: bool = False
    is_guest: bool = False
    is_stranger: bool = False
    is_admin: bool = False
    real_name: str = ""  # beside `name`, which is what they call themselves here


# ---------------------------------------------------------------------------------------------- Subscriptions


class ScopeKind(StrEnum):
    """What a channel follows."""

    SERVICE = "service"
    TEAM = "team"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A channel's wish to see the incidents of a service, a team, or all; empty filters let everything
    through.

    `urgencies` and `priorities` (names such as "P1") narrow it; `mention` lets the first post of a high-
    urgency incident notify its assignee.
    """

    channel: Channel
    kind: ScopeKind
    target: Reference | None  # None for ALL
    urgencies: frozenset[Urgency] = field(default_factory=frozenset)
    priorities: frozenset[str] = field(default_factory=frozenset)
    mention: bool = True
    made_by: str = ""  # Slack user id
    id: int | None = None
    broken_since: datetime | None = None

    def matches(self, incident: Incident) -> bool:
        """Whether this rule wants the incident in its channel."""
        if self.kind is ScopeKind.SERVICE and (self.target is None or incident.service.id != self.target.id):
            return False
        if self.kind is ScopeKind.TEAM and all(
            team.id != (self.target and self.target.id) for team in incident.teams
        ):
            return False
        if self.urgencies and incident.urgency not in self.urgencies:
            return False
        name = incident.priority.name.casefold() if incident.priority else None
        return not self.priorities or name in {wanted.casefold() for wanted in self.priorities}
