"""What PagerDuty says, in short: events and readings for the tests of saving. Times are seconds after T0."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.events import Event
from bot.model import (
    Acknowledgement,
    Agent,
    Channel,
    Incident,
    Priority,
    Reading,
    Reference,
    ScopeKind,
    Status,
    Subscription,
    Urgency,
)

T0 = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
CHECKOUT = Reference("PSVCCHK", "Checkout")
SEARCH = Reference("PSVCSRC", "Search")
PLATFORM = Reference("PTEAMPL", "Platform")
POLICY = Reference("PPOLICY", "Checkout policy")
ALICE = Reference("PALICE1", "Alice Anderson")
BOB = Reference("PBOBBB2", "Bob Brown")
P1 = Priority("PPRIO01", "P1", 0)
P3 = Priority("PPRIO03", "P3", 2)
OPS = Channel("T0ACME", "C0OPS")
DEV = Channel("T0ACME", "C0DEV")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def an_incident(incident_id: str = "Q1", **fields: Any) -> Incident:
    usual: dict[str, Any] = {
        "number": 1234,
        "title": "Disk full",
        "status": Status.TRIGGERED,
        "urgency": Urgency.HIGH,
        "service": CHECKOUT,
        "created_at": T0,
        "policy": POLICY,
        "assignees": (ALICE,),
    }
    return Incident(id=incident_id, **{**usual, **fields})


def an_event(
    kind: str = "triggered",
    seconds: float = 0.0,
    incident: Incident | None = None,
    *,
    name: str | None = None,
    by: Reference | None = None,
    **fields: Any,
) -> Event:
    """`incident`: as the event shows it. `name`: its id; the same name is the same event."""
    incident = incident or an_incident()
    name = name or f"{incident.id}-{kind}-{seconds}"
    return Event(
        id=name,
        webhook_id=f"hook-{name}",
        subscription_id="PWEBHK1",
        type=f"incident.{kind}",
        occurred_at=at(seconds),
        agent=Agent(by.id, by.name, "user") if by else None,
        incident_id=incident.id,
        **{"seen": incident, "raw": '{"event":{}}', **fields},
    )


def a_note(seconds: float, incident_id: str = "Q1", text: str = "Looking") -> Event:
    return an_event(
        "annotated", seconds, an_incident(incident_id), by=BOB, seen=None, text=text, name=f"note-{text}"
    )


def a_reading(seconds: float, incident: Incident | None = None) -> Reading:
    """PagerDuty's answer with this `updated_at`."""
    return Reading(incident or an_incident(), at(seconds))


def acknowledged(incident: Incident, seconds: float, by: Reference = BOB) -> Incident:
    """As REST tells it."""
    return replace(
        incident,
        status=Status.ACKNOWLEDGED,
        assignees=(by,),
        acknowledgements=(Acknowledgement(by, at(seconds)),),
        acknowledged_at=at(seconds),
        acknowledged_by=by.name,
    )


def resolved(incident: Incident, seconds: float, by: Reference = BOB) -> Incident:
    """As REST tells it."""
    return replace(
        incident,
        status=Status.RESOLVED,
        assignees=(),
        acknowledgements=(),
        resolved_at=at(seconds),
        resolved_by=by.name,
    )


def a_subscription(
    channel: Channel = OPS,
    kind: ScopeKind = ScopeKind.SERVICE,
    target: Reference | None = CHECKOUT,
    **fields: Any,
) -> Subscription:
    return Subscription(channel, kind, target, made_by="U0MAKER", **fields)
