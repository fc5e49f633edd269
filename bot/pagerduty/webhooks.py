"""PagerDuty's V3 webhooks: is it signed with a secret of ours, and what does it tell?

First stop of every delivery, between bot/inbound/pagerduty.py and the store; what an event *does* is decided
in bot/events. Strict about the envelope, lenient about what is in it: PagerDuty adds fields and types, and
three deliveries it finds refused in a row switch the subscription off for a day (its webhook documentation,
"Webhook behavior").
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.events import Event, rule_of
from bot.model import Bridge, Incident, Reference, Status
from bot.pagerduty import fields, payloads

Json = Mapping[str, Any]

_HEX_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
# Their text is that of the request, or of the task when it was made: told once already.
_REPEATS_ITS_TEXT = frozenset({"incident.responder.replied", "incident.task.completed"})


class NotAWebhook(ValueError):
    """The body is no V3 webhook; the text says what is wrong with it and is safe to answer with."""


class Verdict(StrEnum):
    """What a signature header is worth."""

    VALID = "valid"
    MISSING_OR_MALFORMED = "missing or malformed"
    NO_MATCH = "no match"  # well formed, but made with a secret we do not have


def verify(raw: bytes, header: str | None, secrets: Sequence[str]) -> Verdict:
    """Whether `raw`, the body's bytes as they came, carries a signature made with any of our secrets.

    `header` is `X-PagerDuty-Signature`: `v1=<hex HMAC-SHA256>`, several joined by commas while PagerDuty
    rotates its secret; versions other than v1 are passed over (its documentation, "Verifying signatures").
    """
    signatures = [
        bytes.fromhex(value)
        for version, _, value in (_halves(part) for part in (header or "").split(","))
        if version == "v1" and _HEX_SHA256.fullmatch(value)
    ]
    if not signatures:
        return Verdict.MISSING_OR_MALFORMED
    matches = False
    # An empty secret is one that everybody has. No early end: how long it takes tells nothing.
    for secret in filter(None, secrets):
        expected = hmac.digest(secret.encode("utf-8", "surrogateescape"), raw, "sha256")
        for signature in signatures:
            matches |= hmac.compare_digest(expected, signature)
    return Verdict.VALID if matches else Verdict.NO_MATCH


def _halves(part: str) -> tuple[str, str, str]:
    version, equals, value = part.partition("=")
    return version.strip(), equals, value.strip()


def parse(raw: bytes, headers: Mapping[str, str], ranks: Mapping[str, int]) -> Event:
    """The event in a delivery; `ranks` are the account's priorities by id, 0 = most severe.

    Types unknown to us are events too. Raises NotAWebhook when the envelope is not that of a V3 webhook.
    """
    body, text = _decoded(raw)
    envelope = _envelope(body)
    event_type = _required(envelope, "event_type")
    occurred_at = fields.moment(_required(envelope, "occurred_at"))
    if occurred_at is None:
        raise NotAWebhook("The event's occurred_at is not a date and time.")
    data = envelope.get("data")
    if not isinstance(data, dict):
        raise NotAWebhook("The event has no data object.")
    # What a type is documented to carry stands in for a `type` that is missing from the data.
    kind = fields.text(data.get("type")) or ("incident" if rule_of(event_type).moves else "")
    if kind == "incident":
        told = _of_incident(data, event_type, occurred_at, ranks)
    else:
        told = {"incident_id": _incident_id(data), **_READERS.get(kind, _nothing)(data, event_type)}
    return Event(
        id=_required(envelope, "id"),
        type=event_type,
        occurred_at=occurred_at,
        webhook_id=_header(headers, "X-Webhook-Id"),
        subscription_id=_header(headers, "X-Webhook-Subscription"),
        agent=fields.agent(envelope.get("agent")),
        raw=text,
        **told,
    )


# ----------------------------------------------------------------------------------------------- the envelope


def _decoded(raw: bytes) -> tuple[Any, str]:
    try:
        text = raw.decode("utf-8")
        return json.loads(text), text
    except RecursionError:
        raise NotAWebhook("The body is nested too deeply.") from None
    except ValueError:  # also for bytes that are not UTF-8, and for numbers of thousands of digits
        raise NotAWebhook("The body is not JSON.") from None


def _envelope(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise NotAWebhook("The body is not a JSON object.")
    event = body.get("event")
    if isinstance(event, dict):
        return event
    if isinstance(body.get("messages"), list):
        raise NotAWebhook(
            "This is a legacy V2 webhook. Create a Generic Webhook (v3) in PagerDuty, under Integrations, "
            "and remove the V2 extension."
        )
    raise NotAWebhook("The body has no event object: it is not a PagerDuty V3 webhook.")


def _required(envelope: Json, name: str) -> str:
    value = fields.text(envelope.get(name))
    if value is None:
        raise NotAWebhook(f"The event has no {name}.")
    return value


def _header(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name) or headers.get(name.lower()) or ""
    return fields.text(value.strip())


# ----------------------------------------------------------------------------------------------- the incident


def _of_incident(
    data: Json, event_type: str, occurred_at: datetime, ranks: Mapping[str, int]
) -> dict[str, Any]:
    merged_into = payloads.merged_into(data.get("resolve_reason"))
    told: dict[str, Any] = {
        "incident_id": fields.text(data.get("id")),
        "seen": _incident(data, occurred_at, ranks, merged_into),
        "merged_into": merged_into,
    }
    if event_type == "incident.incident_type.changed":
        told["new"] = fields.text(fields.mapping(data.get("incident_type")).get("name"))
    return told


def _incident(
    data: Json, occurred_at: datetime, ranks: Mapping[str, int], merged_into: Reference | None
) -> Incident | None:
    """The incident as a webhook shows it, which is not REST's shape; None when what it stands on is missing:
    then only REST can tell.
    """
    ident, status = fields.text(data.get("id")), payloads.status(data.get("status"))
    service = fields.reference(data.get("service"))
    if ident is None or service is None or status is None:
        return None
    return Incident(
        id=ident,
        number=fields.whole(data.get("number")),
        title=fields.text(data.get("title")) or "",
        url=fields.text(data.get("html_url")),
        status=status,
        urgency=payloads.urgency(data.get("urgency")),
        priority=fields.priority(data.get("priority"), ranks),
        service=service,
        policy=fields.reference(data.get("escalation_policy")),
        teams=fields.references(data.get("teams")),
        assignees=fields.references(data.get("assignees")),
        created_at=fields.moment(data.get("created_at")) or occurred_at,
        reopened_at=fields.moment(data.get("reopened_at")),
        bridge=fields.bridge(data.get("conference_bridge")),
        incident_key=fields.text(data.get("incident_key")),
        merged_into=merged_into if status is Status.RESOLVED else None,
    )


# -------------------------------------------------------------------------------------- what is told about it


def _note(data: Json, _type: str) -> dict[str, Any]:
    return {"text": fields.text(data.get("content")), "trimmed": data.get("trimmed") is True}


def _status_update(data: Json, _type: str) -> dict[str, Any]:
    return {"text": fields.text(data.get("message")), "trimmed": data.get("trimmed") is True}


def _responder(data: Json, event_type: str) -> dict[str, Any]:
    user = fields.reference(data.get("user"))
    return {
        "names": _names(user or fields.reference(data.get("escalation_policy"))),
        "calls": (user,) if user and event_type == "incident.responder.added" else (),
        "text": None if event_type in _REPEATS_ITS_TEXT else fields.text(data.get("message")),
        "state": fields.text(data.get("state")),
    }


def _bridge(data: Json, _type: str) -> dict[str, Any]:
    numbers = (fields.text(one.get("number")) for one in fields.objects(data.get("conference_numbers")))
    number, url = next(filter(None, numbers), None), fields.text(data.get("conference_url"))
    return {"bridge": Bridge(number, url) if number or url else None}


def _roles(data: Json, _type: str) -> dict[str, Any]:
    assignments = tuple(fields.objects(data.get("incident_role_assignments")))
    return {
        "incident_id": _incident_id(data) or next(filter(None, map(_incident_id, assignments)), None),
        "names": _names(*(fields.reference(one.get("role")) for one in assignments)),
        "old": _joined(_names(*(fields.reference(one.get("old_assignee")) for one in assignments))),
        "new": _joined(_names(*(fields.reference(one.get("assignee")) for one in assignments))),
    }


def _task(data: Json, event_type: str) -> dict[str, Any]:
    name = fields.text(data.get("name")) or fields.text(data.get("summary"))
    return {
        "names": (name,) if name else (),
        "text": None if event_type in _REPEATS_ITS_TEXT else fields.text(data.get("description")),
        "state": fields.text(data.get("status")),
    }


def _action(data: Json, _type: str) -> dict[str, Any]:
    return {"names": _names(fields.reference(data.get("action"))), "state": fields.text(data.get("state"))}


def _workflow(data: Json, _type: str) -> dict[str, Any]:
    return {"names": _names(fields.reference(data.get("incident_workflow")) or fields.reference(data))}


def _fields(data: Json, _type: str) -> dict[str, Any]:
    """`changed_custom_fields` holds what was before; old → new fits in a line when it was only one."""
    before = list(fields.objects(data.get("changed_custom_fields")))
    names = filter(None, (fields.text(one.get("name")) for one in before))
    told: dict[str, Any] = {"names": tuple(dict.fromkeys(names))}
    if len(before) == 1:
        now = {str(one.get("id")): one.get("value") for one in fields.objects(data.get("custom_fields"))}
        told |= {"old": _value(before[0].get("value")), "new": _value(now.get(str(before[0].get("id"))))}
    return told


def _service(data: Json, _type: str) -> dict[str, Any]:
    return {"incident_id": None, "about": fields.reference(data)}


def _service_fields(data: Json, event_type: str) -> dict[str, Any]:
    return {**_fields(data, event_type), "incident_id": None, "about": fields.reference(data.get("service"))}


_READERS: Mapping[str, Callable[[Json, str], dict[str, Any]]] = {
    "incident_note": _note,
    "incident_status_update": _status_update,
    "incident_responder": _responder,
    "incident_conference_bridge": _bridge,
    "incident_role_assignment": _roles,
    "incident_task": _task,
    "incident_action_invocation": _action,
    "incident_workflow_instance": _workflow,
    "incident_field_values": _fields,
    "service": _service,
    "service_field_values": _service_fields,
}


def _nothing(_data: Json, _type: str) -> dict[str, Any]:
    return {}


def _incident_id(data: Json) -> str | None:
    return fields.text(fields.mapping(data.get("incident")).get("id"))


def _names(*of: Reference | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.name for one in of if one))


def _joined(names: Iterable[str | None]) -> str | None:
    return ", ".join(filter(None, names)) or None


def _value(value: Any) -> str | None:
    """A custom field's value in words; fields of several values are flat lists."""
    return _joined(map(_word, value)) if isinstance(value, list) else _word(value)


def _word(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int | float) else fields.text(value)
