"""The snapshot of an incident after an event, or after a reading. Both are idempotent: the same news twice is
the same news.

What an event carries is taken; what it may have invalidated becomes unknown (None) until it is read; what it
does not carry stays. A reading tells nearly everything, but not what only events told: the last change, who
reopened, and after resolving who had acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.events.table import rule_of
from bot.events.values import Event
from bot.model import Change, Incident, Priority, Reading, Reference, Status

RAISED = "priority raised"
LOWERED = "priority lowered"


def fold(known: Incident | None, event: Event) -> Incident | None:
    """The snapshot after `event`; `known` itself when the event tells nothing that a snapshot holds."""
    if known is not None and event.incident_id != known.id:
        return known
    seen = event.seen
    if seen is None:
        return known if known is None else _with_bridge(known, event)
    before = known or seen
    moved = known is None or rule_of(event.type).moves or not _same_hands(known, seen)
    # An acknowledgement by whoever has it already moves nobody up or down.
    keeps_level = not moved or (event.type == "incident.acknowledged" and _same_people(before, seen))
    acknowledged_at, acknowledged_by = _acknowledged(before, event)
    resolved_at, resolved_by = _resolved(before, event)
    return replace(
        seen,
        number=before.number if seen.number is None else seen.number,
        url=seen.url or before.url,
        priority=_ranked(seen.priority, before.priority),
        acknowledgements=None if moved else before.acknowledgements,
        follows_policy=None if moved else before.follows_policy,
        level=before.level if keeps_level else None,
        escalates_at=None if moved else before.escalates_at,
        snoozed_until=None if moved else before.snoozed_until,
        alert_count=before.alert_count,
        incident_key=seen.incident_key or before.incident_key,
        opened_by=seen.opened_by or before.opened_by,
        acknowledged_at=acknowledged_at,
        acknowledged_by=acknowledged_by,
        resolved_at=resolved_at,
        resolved_by=resolved_by,
        reopened_at=_reopened(before, event),
        merged_into=(event.merged_into or before.merged_into) if _is_over(seen) else None,
        last_change=_changed(before, event) or _edited(before, seen, event.occurred_at) or before.last_change,
    )


def take_reading(known: Incident | None, reading: Reading, *, own_write: bool = False) -> Incident:
    """The snapshot after a REST read. `own_write`: the answer to a PUT of ours, which leaves out what reads
    ask for with `include[]`, so that its absence tells nothing.
    """
    read = reading.incident
    if known is None:
        return read
    reopened_at = read.reopened_at or known.reopened_at
    if _is_over(known) and not _is_over(read):
        # REST has no field for it; an event, if there comes one, knows better.
        reopened_at = read.reopened_at or reading.updated_at
    same_life = reopened_at == known.reopened_at
    # REST forgets acknowledgements once resolved, and renews the entry of one who acknowledges again.
    held = known.status is Status.ACKNOWLEDGED and known.acknowledged_by == read.acknowledged_by
    acknowledged = known if same_life and (held or read.acknowledged_at is None) else read
    level = known.level if _same_hands(known, read) and read.follows_policy is not False else None
    return replace(
        read,
        url=read.url or known.url,
        priority=_ranked(read.priority, known.priority),
        level=read.level or (level if read.is_open else None),
        alert_count=read.alert_count if read.alert_count is not None else known.alert_count,
        bridge=read.bridge or (known.bridge if own_write else None),
        opened_by=read.opened_by or known.opened_by,
        acknowledged_at=acknowledged.acknowledged_at,
        acknowledged_by=acknowledged.acknowledged_by,
        resolved_by=read.resolved_by or (known.resolved_by if _is_over(read) and _is_over(known) else None),
        reopened_at=reopened_at,
        last_change=_edited(known, read, reading.updated_at) or known.last_change,
    )


# --------------------------------------------------------------------------------------- whose it is and when


def _is_over(incident: Incident) -> bool:
    return incident.status is Status.RESOLVED


def _same_people(one: Incident, other: Incident) -> bool:
    policies = (one.policy and one.policy.id) == (other.policy and other.policy.id)
    return policies and {p.id for p in one.assignees} == {p.id for p in other.assignees}


def _same_hands(one: Incident, other: Incident) -> bool:
    return one.status is other.status and _same_people(one, other)


def who(event: Event) -> str | None:
    """The name of the person (or integration) behind it; what a service did by itself is automation: None."""
    return event.agent.name if event.agent and event.agent.kind != "service" else None


def _acknowledged(before: Incident, event: Event) -> tuple[datetime | None, str | None]:
    seen = event.seen
    if event.type in ("incident.triggered", "incident.unacknowledged", "incident.reopened"):
        # A reopening acknowledgement comes as `reopened` alone.
        by_it = seen is not None and seen.status is Status.ACKNOWLEDGED
        return (event.occurred_at, who(event)) if by_it else (None, None)
    if event.type == "incident.acknowledged" and (
        before.status is not Status.ACKNOWLEDGED or before.acknowledged_at is None
    ):
        return event.occurred_at, who(event)
    return before.acknowledged_at, before.acknowledged_by


def _resolved(before: Incident, event: Event) -> tuple[datetime | None, str | None]:
    if event.seen is None or not _is_over(event.seen):
        return None, None
    if event.type != "incident.resolved":
        return before.resolved_at, before.resolved_by
    if _is_over(before) and before.resolved_at is not None:
        return before.resolved_at, who(event) or before.resolved_by
    return event.occurred_at, who(event)


def _reopened(before: Incident, event: Event) -> datetime | None:
    told = event.seen.reopened_at if event.seen else None
    if event.type == "incident.reopened":
        return told or event.occurred_at
    return told or before.reopened_at


def _ranked(now: Priority | None, before: Priority | None) -> Priority | None:
    """The same priority does not lose the rank we knew."""
    if now is not None and now.rank is None and before is not None and before.id == now.id:
        return replace(now, rank=before.rank)
    return now


# ----------------------------------------------------------------------------------------------- last change


def people(of: Iterable[Reference]) -> str | None:
    """Names in a row; None for nobody."""
    return ", ".join(person.name for person in of) or None


def _name(of: Reference | Priority | None) -> str | None:
    return of.name if of else None


def _changed(before: Incident, event: Event) -> Change | None:
    """What the event itself says has changed."""
    what = rule_of(event.type).what
    seen = event.seen
    if what is None or seen is None:
        return None
    old: str | None = None
    new: str | None = None
    if event.type == "incident.priority_updated":
        return _remembering(before, replace(_prioritised(before, seen, event.occurred_at), by=who(event)))
    if event.type == "incident.service_updated":
        old, new = before.service.name, seen.service.name
    elif event.type == "incident.delegated":
        old, new = _name(before.policy), _name(seen.policy)
    elif event.type == "incident.incident_type.changed":
        new = event.new
    elif event.type in ("incident.escalated", "incident.reassigned"):
        old, new = people(before.assignees), people(seen.assignees)
    return _remembering(before, Change(what, event.occurred_at, old, new, who(event)))


def _prioritised(before: Incident, after: Incident, at: datetime) -> Change:
    old, new = before.priority, _ranked(after.priority, before.priority)
    what = "priority"
    if (old and old.id) != (new and new.id):
        if new is not None and new.is_above(old):
            what = RAISED
        elif old is not None and old.is_above(new):
            what = LOWERED
    return Change(what, at, _name(old), _name(new))


def _remembering(before: Incident, change: Change) -> Change:
    """When the snapshot was there already (a read came first, or the same event), what it was before is what
    the last change remembers.
    """
    last = before.last_change
    if change.old != change.new:
        return change
    family = change.what.split()[0]
    if last is not None and last.what.split()[0] == family and last.new == change.new:
        return replace(change, what=last.what, old=last.old)
    return replace(change, old=None)


def _edited(before: Incident, after: Incident, at: datetime) -> Change | None:
    """What changed without an event of its own (title and urgency never have one), or before its event came;
    who did it is not known.
    """
    if (before.priority and before.priority.id) != (after.priority and after.priority.id):
        return _prioritised(before, after, at)
    if before.urgency is not after.urgency:
        return Change("urgency", at, before.urgency.value, after.urgency.value)
    if before.title != after.title:
        return Change("title", at, before.title, after.title)
    if before.service.id != after.service.id:
        return Change("service", at, before.service.name, after.service.name)
    return None


def _with_bridge(known: Incident, event: Event) -> Incident:
    if event.type != "incident.conference_bridge.updated":
        return known
    change = Change("conference bridge", event.occurred_at, by=who(event))
    return replace(known, bridge=event.bridge, last_change=change)
