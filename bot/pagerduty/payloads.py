"""PagerDuty's REST JSON as the values of bot/model.py; the client asks, this reads the answers.

Lenient throughout: a key that is missing, null or of another kind is "not known". Only a thing without an id
is no thing, and an incident without a status we know cannot be shown; those are None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.model import (
    Acknowledgement,
    Incident,
    LogEntry,
    Note,
    OnCall,
    Person,
    Policy,
    Priority,
    Reading,
    Reference,
    RelatedChange,
    Rule,
    Service,
    Status,
    Urgency,
)
from bot.pagerduty import fields

EPOCH = datetime.fromtimestamp(0, UTC)
_NUMBERED = re.compile(r"\[#(\d+)\] ?")  # REST puts the number before the title in an incident's summary
_STATUSES = {status.value: status for status in Status}
_URGENCIES = {urgency.value: urgency for urgency in Urgency}
NO_RANKS: Mapping[str, int] = {}


def status(value: Any) -> Status | None:
    """The status, None for a word we do not know."""
    return _STATUSES.get(value) if isinstance(value, str) else None


def urgency(value: Any) -> Urgency:
    """The urgency; whatever is not plainly low is high, because nobody must miss it."""
    return (_URGENCIES.get(value) if isinstance(value, str) else None) or Urgency.HIGH


def merged_into(value: Any) -> Reference | None:
    """The target of a `resolve_reason`, called `#1234 Title` where the number is told."""
    reason = fields.mapping(value)
    if reason.get("type") != "merge_resolve_reason":
        return None
    target = fields.reference(reason.get("incident"))
    return replace(target, name=_NUMBERED.sub(r"#\1 ", target.name, count=1)) if target else None


def service_of(body: Mapping[str, Any]) -> Reference:
    """The service an incident belongs to."""
    return fields.reference(body.get("service")) or Reference("", "unknown service")


def reading(body: Any, ranks: Mapping[str, int] = NO_RANKS) -> Reading | None:
    """One incident as REST tells it; `updated_at` is PagerDuty's clock."""
    told = fields.mapping(body)
    id_, stands = fields.text(told.get("id")), status(told.get("status"))
    if id_ is None or stands is None:
        return None
    changed_at = fields.moment(told.get("last_status_change_at"))
    created_at = fields.moment(told.get("created_at")) or changed_at or EPOCH
    updated_at = fields.moment(told.get("updated_at")) or changed_at or created_at
    acknowledgements = _acknowledgements(told.get("acknowledgements"))
    first = min(acknowledgements, key=lambda one: one.at, default=None)
    pending = _pending(told.get("pending_actions"))
    service = service_of(told)
    over = stands is Status.RESOLVED
    incident = Incident(
        id=id_,
        title=_title(told),
        status=stands,
        urgency=urgency(told.get("urgency")),
        service=service,
        created_at=created_at,
        number=fields.whole(told.get("incident_number")),
        url=fields.text(told.get("html_url")),
        priority=fields.priority(told.get("priority"), ranks),
        policy=fields.reference(told.get("escalation_policy")),
        follows_policy=_follows_policy(told.get("assigned_via")),
        teams=fields.references(told.get("teams")),
        assignees=_assignees(told.get("assignments")),
        acknowledgements=acknowledgements,
        escalates_at=pending.get("escalate"),
        snoozed_until=pending.get("unacknowledge"),
        alert_count=fields.whole(fields.mapping(told.get("alert_counts")).get("all")),
        bridge=fields.bridge(told.get("conference_bridge")),
        incident_key=fields.text(told.get("incident_key")),
        opened_by=_opened_by(told.get("first_trigger_log_entry"), service),
        acknowledged_at=first.at if first else None,
        acknowledged_by=first.by.name if first else None,
        resolved_at=(fields.moment(told.get("resolved_at")) or changed_at) if over else None,
        resolved_by=_person_behind(told.get("last_status_change_by")) if over else None,
        merged_into=merged_into(told.get("resolve_reason")) if over else None,
    )
    return Reading(incident, updated_at)


def _title(told: Mapping[str, Any]) -> str:
    title = fields.text(told.get("title"))
    return title if title is not None else _NUMBERED.sub("", fields.text(told.get("summary")) or "", count=1)


def _assignees(value: Any) -> tuple[Reference, ...]:
    found = (fields.reference(one.get("assignee")) for one in fields.objects(value))
    return tuple(dict.fromkeys(person for person in found if person))


def _acknowledgements(value: Any) -> tuple[Acknowledgement, ...]:
    found = []
    for one in fields.objects(value):
        by, at = fields.reference(one.get("acknowledger")), fields.moment(one.get("at"))
        if by and at:
            found.append(Acknowledgement(by, at))
    return tuple(found)


def _follows_policy(value: Any) -> bool | None:
    via = fields.text(value)
    return None if via is None else via != "direct_assignment"


def _pending(value: Any) -> dict[str, datetime]:
    """Kind of pending action → when, the earliest of a kind."""
    found: dict[str, datetime] = {}
    for action in fields.objects(value):
        kind, at = fields.text(action.get("type")), fields.moment(action.get("at"))
        if kind and at:
            found[kind] = min(at, found.get(kind, at))
    return found


def _person_behind(value: Any) -> str | None:
    """The name behind a change; what PagerDuty did by itself is written down to the service."""
    agent = fields.agent(value)
    return agent.name if agent and agent.kind != "service" else None


def _opened_by(value: Any, service: Reference) -> str | None:
    """The person or tool behind the first trigger, when the log entry came with the incident
    (`include[]=first_trigger_log_entries`).
    """
    entry = fields.mapping(value)
    agent = fields.agent(entry.get("agent"))
    if agent is not None and agent.id != service.id and agent.name:
        return agent.name
    # The channel's shape is officially unstable: only its `client` is worth a look.
    return fields.text(fields.mapping(entry.get("channel")).get("client"))


def note(body: Any) -> Note | None:
    """One note."""
    told = fields.mapping(body)
    id_, content = fields.text(told.get("id")), fields.text(told.get("content"))
    if id_ is None or content is None:
        return None
    by = fields.reference(told.get("user"))
    return Note(id_, content, by.name if by else "PagerDuty", fields.moment(told.get("created_at")) or EPOCH)


def log_entry(body: Any) -> LogEntry | None:
    """One line of history; kinds we do not know come through as they are."""
    told = fields.mapping(body)
    id_, at = fields.text(told.get("id")), fields.moment(told.get("created_at"))
    if id_ is None or at is None:
        return None
    kind = (fields.text(told.get("type")) or "").removesuffix("_reference").removesuffix("_log_entry")
    about = fields.reference(told.get("incident"))
    return LogEntry(
        id_,
        kind,
        fields.text(told.get("summary")) or kind,
        at,
        by=_person_behind(told.get("agent")),
        incident_id=about.id if about else None,
        agent=fields.agent(told.get("agent")),
        # PagerDuty does not promise the shape of `channel`: what is not there is not told.
        note=fields.text(fields.mapping(told.get("channel")).get("summary")) if kind == "annotate" else None,
    )


def related_change(body: Any) -> RelatedChange | None:
    """A change event beside an incident; its first link is where more is told."""
    told = fields.mapping(body)
    id_, at = fields.text(told.get("id")), fields.moment(told.get("timestamp"))
    if id_ is None or at is None:
        return None
    links = (fields.text(one.get("href")) for one in fields.objects(told.get("links")))
    return RelatedChange(
        id_,
        fields.text(told.get("summary")) or id_,
        at,
        source=fields.text(told.get("source")),
        url=next((one for one in links if one), None),
        reason=fields.text(fields.mapping(told.get("correlation_reason")).get("reason")),
    )


def person(body: Any) -> Person | None:
    """A user."""
    told = fields.mapping(body)
    who = fields.reference({**told, "summary": told.get("name") or told.get("summary")})
    if who is None:
        return None
    email, role, zone = (fields.text(told.get(key)) for key in ("email", "role", "time_zone"))
    return Person(who.id, who.name, email, role, zone, who.url)


def service(body: Any) -> Service | None:
    """A service."""
    told = fields.mapping(body)
    self_ = _named(told)
    if self_ is None:
        return None
    return Service(
        self_.id,
        self_.name,
        fields.reference(told.get("escalation_policy")) or Reference("", "no policy"),
        fields.text(told.get("status")) or "active",
        self_.url,
        fields.references(told.get("teams")),
    )


def policy(body: Any) -> Policy | None:
    """An escalation policy with its rules in order."""
    told = fields.mapping(body)
    self_ = _named(told)
    if self_ is None:
        return None
    rules = tuple(_rule(one) for one in fields.objects(told.get("escalation_rules")))
    return Policy(self_.id, self_.name, rules, self_.url, fields.references(told.get("teams")))


def _rule(told: Mapping[str, Any]) -> Rule:
    users: list[Reference] = []
    schedules: list[Reference] = []
    for target in fields.objects(told.get("targets")):
        found = fields.reference(target)
        if found is None:
            continue
        kind = fields.text(target.get("type")) or ""
        (schedules if kind.startswith("schedule") else users).append(found)
    minutes = fields.whole(told.get("escalation_delay_in_minutes"))
    return Rule(tuple(users), tuple(schedules), minutes or 0)


def _named(told: Mapping[str, Any]) -> Reference | None:
    """A whole object by its name; `summary` stands in where there is none."""
    return fields.reference({**told, "summary": told.get("name") or told.get("summary")})


def named(body: Any) -> Reference | None:
    """A schedule or team, of which only the name matters."""
    return _named(fields.mapping(body))


def priority(body: Any, rank: int) -> Priority | None:
    """The priority at place `rank` of the account's list, 0 = most severe."""
    found = fields.priority(body, NO_RANKS)
    return replace(found, rank=rank) if found else None


def oncall(body: Any) -> OnCall | None:
    """One shift."""
    told = fields.mapping(body)
    who, of = fields.reference(told.get("user")), fields.reference(told.get("escalation_policy"))
    if who is None or of is None:
        return None
    return OnCall(
        who,
        of,
        fields.whole(told.get("escalation_level")) or 1,
        fields.reference(told.get("schedule")),
        fields.moment(told.get("start")),
        fields.moment(told.get("end")),
    )
