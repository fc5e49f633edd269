"""Generic V2 webhooks of every type, made up: one incident of the sandbox's company, and what befalls it."""

from __future__ import annotations

import json
from typing import Any

TYPES = {
    "incident.trigger": "triggered",
    "incident.acknowledge": "acknowledged",
    "incident.unacknowledge": "triggered",
    "incident.resolve": "resolved",
    "incident.assign": "triggered",
    "incident.escalate": "triggered",
    "incident.delegate": "triggered",
    "incident.annotate": "acknowledged",
}
"""Every message type, and how the incident stands with it."""

BOB = {"id": "PBOB002", "type": "user_reference", "summary": "Bob Brown"}


def incident(status: str = "triggered", **other: Any) -> dict[str, Any]:
    """As V2 tells it: nearly REST's shape."""
    return {
        "id": "Q2LEGACY",
        "type": "incident",
        "summary": "[#812] Cart is slow",
        "title": "Cart is slow",
        "incident_number": 812,
        "created_at": "2026-03-01T09:00:00Z",
        "last_status_change_at": "2026-03-01T09:00:00Z",
        "status": status,
        "urgency": "high",
        "incident_key": "cart-slow",
        "html_url": "https://acme.example/incidents/Q2LEGACY",
        "service": {"id": "PSVCCHK", "type": "service_reference", "summary": "Checkout"},
        "escalation_policy": {"id": "PPOL001", "summary": "Checkout on call"},
        "teams": [],
        "assignments": [] if status == "resolved" else [{"at": "2026-03-01T09:00:00Z", "assignee": BOB}],
        "priority": None,
        "resolve_reason": None,
        "alerts": [{"alert_key": "cart-slow"}],
    } | other


def message(kind: str = "incident.trigger", **other: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "log_entry", "agent": BOB, "channel": {"type": "web"}}
    if kind == "incident.annotate":
        entry["channel"] = {"type": "note", "summary": "Restarting the cache"}
    return {
        "id": f"2f9a-{kind}",
        "event": kind,
        "created_on": "2026-03-01T09:05:00Z",
        "incident": incident(TYPES.get(kind, "triggered")),
        "webhook": {"id": "PWEBHK1", "name": "old"},
        "log_entries": [entry],
    } | other


def body(*messages: Any) -> bytes:
    return json.dumps({"messages": list(messages)}).encode()


V1 = body(
    {
        "id": "1a2b",
        "type": "incident.trigger",
        "created_on": "2026-03-01T09:05:00Z",
        "data": {"incident": {"id": "Q1ANCIENT", "incident_number": 12, "status": "triggered"}},
    }
)
