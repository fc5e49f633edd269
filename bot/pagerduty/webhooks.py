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
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.events import Event, rule_of
from bot.model import Incident, Reference, Status
from bot.pagerduty import fields, payloads
from bot.pagerduty.webhook_data import Json, told_about

_HEX_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


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
        told = told_about(kind, event_type, data)
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
