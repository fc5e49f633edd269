"""PagerDuty's generic webhooks from before V3: several messages in a body, and no signature.

V2 ("Generic V2 Webhook", unsupported since October 2022, still delivered) becomes the same events as V3:
its incident has REST's shape, so a message tells as much as a V3 event does. V1 has been off since then and
is only recognised. Shapes: PagerDuty's REST schema (`WebhookIncidentAction`, `WebhooksV1Message`) and its
developer documentation, "Webhooks V2".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.events import Event
from bot.pagerduty import fields, payloads

Json = Mapping[str, Any]
HEAD = 64  # bytes: `messages` is the first and only key of these bodies

V3_TYPES: Mapping[str, str] = {
    "incident.trigger": "incident.triggered",
    "incident.acknowledge": "incident.acknowledged",
    "incident.unacknowledge": "incident.unacknowledged",
    "incident.resolve": "incident.resolved",
    "incident.assign": "incident.reassigned",
    "incident.escalate": "incident.escalated",
    "incident.delegate": "incident.delegated",
    "incident.annotate": "incident.annotated",
}
"""Every message type of V2; another is kept under its own name, and has the incident read from REST."""


@dataclass(frozen=True, slots=True)
class Legacy:
    """A body of the old kind. `strange`: how many of its messages could not be understood."""

    generation: int
    events: Sequence[Event] = ()
    strange: int = 0


def read_legacy(raw: bytes, ranks: Mapping[str, int]) -> Legacy | None:
    """None when it is not of the old kind. `ranks` as in webhooks.py."""
    if b'"messages"' not in raw[:HEAD]:
        return None
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list):
        return None
    if any(isinstance(one, dict) and "event" not in one and "data" in one for one in messages):
        return Legacy(1)
    found = [_event(one, ranks) for one in messages]
    events = [one for one in found if one is not None]
    return Legacy(2, events, len(found) - len(events))


def _event(message: Any, ranks: Mapping[str, int]) -> Event | None:
    told = fields.mapping(message)
    kind, at = fields.text(told.get("event")), fields.moment(told.get("created_on"))
    incident = fields.mapping(told.get("incident"))
    incident_id = fields.text(incident.get("id"))
    if kind is None or at is None or incident_id is None:
        return None
    event_type = V3_TYPES.get(kind, kind)
    entries = list(fields.objects(told.get("log_entries")))
    is_note = event_type == "incident.annotated"
    reading = None if is_note else payloads.reading(incident, ranks)
    return Event(
        id=_id(told, kind, incident_id),
        type=event_type,
        occurred_at=at,
        agent=next((agent for one in entries if (agent := fields.agent(one.get("agent")))), None),
        incident_id=incident_id,
        seen=reading.incident if reading else None,
        text=_note(entries) if is_note else None,
        merged_into=payloads.merged_into(incident.get("resolve_reason")),
        raw=json.dumps({"messages": [told]}),
    )


def _id(message: Json, kind: str, incident_id: str) -> str:
    """The same for every repeat of a message; never that of a V3 event."""
    given = fields.text(message.get("id"))
    if given is not None:
        return f"v2:{given}"
    what = json.dumps([kind, incident_id, message.get("created_on")])
    return f"v2:{hashlib.sha256(what.encode()).hexdigest()}"


def _note(entries: Sequence[Json]) -> str | None:
    """PagerDuty does not promise the shape of `channel`."""
    channels = [fields.mapping(one.get("channel")) for one in entries]
    found = (fields.text(one.get("summary")) or fields.text(one.get("content")) for one in channels)
    return next(filter(None, found), None)
