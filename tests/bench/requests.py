"""The bench's requests as bytes, signed before the clock starts: PagerDuty's webhooks, Slack's commands."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

WEBHOOK_PATH = "/pagerduty/webhook"
SLACK_PATH = "/slack/events"
BODY_BYTES = 2800  # what PagerDuty's webhooks about an incident with two teams and three assignees weigh
KINDS = (
    ("incident.triggered", "triggered"),
    ("incident.acknowledged", "acknowledged"),
    ("incident.priority_updated", "acknowledged"),
    ("incident.unacknowledged", "triggered"),
)
_numbers = itertools.count(1)


def _reference(kind: str, ident: str, name: str) -> dict[str, str]:
    site = "https://acme.pagerduty.com"
    return {
        "html_url": f"{site}/{kind}s/{ident}",
        "id": ident,
        "self": f"https://api.pagerduty.com/{kind}s/{ident}",
        "summary": name,
        "type": f"{kind}_reference",
    }


FIRST_NUMBER = 1234  # of an incident, in a fake PagerDuty that is new
UNKNOWN = [f"QBENCH{number:06d}" for number in range(50)]
"""Incidents of which PagerDuty knows nothing: to warm up."""


def webhook(secret: str, ident: str, incident: int, step: int = 0) -> bytes:
    """One signed delivery about this incident, the nth of its account; steps follow each other in time."""
    number = next(_numbers)
    kind, status = KINDS[step % len(KINDS)]
    occurred = datetime.now(UTC) + timedelta(milliseconds=step)
    data = {
        "id": ident,
        "type": "incident",
        "self": f"https://api.pagerduty.com/incidents/{ident}",
        "html_url": f"https://acme.pagerduty.com/incidents/{ident}",
        "number": FIRST_NUMBER + incident,
        "status": status,
        "incident_key": f"{incident:032x}",
        "created_at": occurred.replace(microsecond=0).isoformat(),
        "title": f"Checkout latency above 2 s on {ident}",
        "service": _reference("service", "PSVCCHK", "Checkout"),
        "assignees": [
            _reference("user", "PALICE1", "Alice Anderson"),
            _reference("user", "PBOB002", "Bob Brown"),
            _reference("user", "PCAROL3", "Carol Chen"),
        ],
        "escalation_policy": _reference("escalation_policy", "PEPCHK", "Checkout primary"),
        "teams": [_reference("team", "PTEAMPY", "Payments"), _reference("team", "PTEAMPL", "Platform")],
        "priority": _reference("priority", f"PPRIO0{1 + step % 5}", f"P{1 + step % 5}"),
        "urgency": "high",
        "conference_bridge": None,
        "resolve_reason": None,
        "incident_type": {"name": "incident_default"},
    }
    event = {
        "id": f"01BENCH{number:019d}",
        "event_type": kind,
        "resource_type": "incident",
        "occurred_at": occurred.isoformat(timespec="milliseconds"),
        "agent": _reference("user", "PALICE1", "Alice Anderson"),
        "client": None,
        "data": data,
    }
    body = json.dumps({"event": event})
    # What is missing to the usual size stands where PagerDuty has more fields than we read.
    body = body[:-2] + ', "padding": "' + "x" * max(0, BODY_BYTES - len(body) - 16) + '"}}'
    raw = body.encode()
    signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return _post(
        WEBHOOK_PATH,
        raw,
        {
            "Content-Type": "application/json",
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-PagerDuty-Signature": f"v1={signature}",
            "X-Webhook-Id": str(uuid.uuid4()),
            "X-Webhook-Subscription": "PBENCH1",
        },
    )


def webhooks(secret: str, count: int, idents: Sequence[str]) -> list[bytes]:
    """`count` deliveries that go round these incidents."""
    several = len(idents)
    return [webhook(secret, idents[n % several], n % several, n // several) for n in range(count)]


def slash(secret: str, text: str, *, channel: str, user: str, response_url: str) -> bytes:
    """One signed slash command, as Slack sends it."""
    form = {
        "token": "unused",
        "team_id": "T0ACME",
        "team_domain": "acme",
        "channel_id": channel,
        "channel_name": "checkout",
        "user_id": user,
        "user_name": "somebody",
        "command": "/pager",
        "text": text,
        "api_app_id": "A0PAGER",
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": f"{next(_numbers)}.1234567890.{uuid.uuid4().hex}",
    }
    raw = urlencode(form).encode()
    stamp = str(int(time.time()))
    told = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={told}",
    }
    return _post(SLACK_PATH, raw, headers)


def _post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
