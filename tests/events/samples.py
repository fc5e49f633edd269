"""An incident we know well, and events that happen to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.events import Event
from bot.model import Agent, Incident, Level, Priority, Reference, Status, Urgency

NOW = datetime(2026, 2, 3, 9, 41, tzinfo=UTC)
ALICE, BOB = Reference("PALICE", "Alice Ames"), Reference("PBOB", "Bob Brown")
P1, P2 = Priority("PR1", "P1", 0), Priority("PR2", "P2", 1)

KNOWN = Incident(
    id="Q1",
    number=481,
    title="Disk full",
    status=Status.TRIGGERED,
    urgency=Urgency.HIGH,
    service=Reference("S1", "Checkout"),
    created_at=NOW,
    url="https://acme.example/incidents/Q1",
    priority=P2,
    policy=Reference("E1", "Checkout primary"),
    assignees=(ALICE,),
    acknowledgements=(),
    level=Level(1, 2, (BOB,)),
    escalates_at=NOW + timedelta(minutes=30),
    alert_count=3,
    opened_by="Prometheus",
)


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def happens(
    name: str, to: Incident = KNOWN, *, by: Reference | None = ALICE, minutes: float = 1, **fields: Any
) -> Event:
    """`incident.<name>` as a webhook shows it: what of `fields` an incident has is changed in it, the rest
    is the event's own.
    """
    own = {key: fields.pop(key) for key in list(fields) if key not in Incident.__dataclass_fields__}
    fields |= {
        "acknowledgements": None,
        "level": None,
        "escalates_at": None,
        "snoozed_until": None,
        "alert_count": None,
        "opened_by": None,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "resolved_at": None,
        "resolved_by": None,
        "last_change": None,
    }
    seen = replace(to, **fields)
    return Event(
        id=f"01{name}{minutes}",
        type=f"incident.{name}",
        occurred_at=later(minutes),
        agent=Agent(by.id, by.name, "user") if by else None,
        incident_id=to.id,
        **{"seen": seen, "merged_into": seen.merged_into, **own},
    )
