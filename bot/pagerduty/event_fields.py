"""An event's fields and their limits: an alert (trigger, acknowledge, resolve) and a change, as values.

Pure; bot/pagerduty/events.py sends them. The limits are PagerDuty's ("Send an Alert Event", "Send a Change
Event", Events API v2 overview); what breaks one raises UserError that names the field and the limit. What a
person wrote becomes such values in event_words.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.errors import UserError

LONGEST_SUMMARY = 1024  # characters
LONGEST_KEY = 255  # characters of a dedup key
ROUTING_KEY = 32  # characters, exactly
LARGEST_EVENT = 512 * 1024  # bytes of the request's body
CLIENT = "Pagerline"


class Action(StrEnum):
    """What an alert's event asks for."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Severity(StrEnum):
    """PagerDuty's four, the worst first."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Link:
    """Raises UserError unless `href` is an http or https address."""

    href: str
    text: str = ""

    def __post_init__(self) -> None:
        _check_address("A link", self.href, ("http", "https"))

    def body(self) -> dict[str, str]:
        """As it stands in an event."""
        return {"href": self.href, **({"text": self.text} if self.text else {})}


@dataclass(frozen=True, slots=True)
class Image:
    """Raises UserError unless `src` is an https address: PagerDuty shows no other."""

    src: str
    href: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        _check_address("An image", self.src, ("https",))
        if self.href:
            _check_address("An image's link", self.href, ("http", "https"))

    def body(self) -> dict[str, str]:
        """As it stands in an event."""
        own = {"src": self.src, "href": self.href, "alt": self.alt}
        return {name: value for name, value in own.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One event of an alert. Only `action` and `key` count unless it triggers. `key` makes a repeat the same
    alert; `kind` is what PagerDuty calls class; `at` is aware.

    Raises UserError for what PagerDuty would not take.
    """

    action: Action = Action.TRIGGER
    key: str = ""
    summary: str = ""
    source: str = ""
    severity: Severity = Severity.CRITICAL
    at: datetime | None = None
    component: str = ""
    group: str = ""
    kind: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    client: str = CLIENT
    client_url: str = ""
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()

    def __post_init__(self) -> None:
        check_key(self.key)
        if self.action is not Action.TRIGGER:
            if not self.key:
                raise UserError(f"To {self.action} an alert, give the dedup key it was triggered with.")
            return
        _check_summary(self.summary)
        if not self.source.strip():
            raise UserError("An alert needs a source: what is broken, such as a host's name.")
        if self.client_url:
            _check_address("The client's address", self.client_url, ("http", "https"))

    def body(self, routing_key: SecretStr) -> bytes:
        """The request to `/v2/enqueue`, which holds a secret. Raises UserError."""
        event: dict[str, Any] = {"routing_key": plain_key(routing_key), "event_action": str(self.action)}
        if self.key:
            event["dedup_key"] = self.key
        if self.action is Action.TRIGGER:
            event |= _filled(client=self.client, client_url=self.client_url)
            event |= _filled(links=[one.body() for one in self.links])
            event |= _filled(images=[one.body() for one in self.images])
            event["payload"] = {
                "summary": self.summary,
                "source": self.source,
                "severity": str(self.severity),
                **_filled(component=self.component, group=self.group, timestamp=_moment(self.at)),
                **_filled(custom_details=dict(self.details)),
                **({"class": self.kind} if self.kind else {}),
            }
        return _encoded(event)

    def legacy_body(self, routing_key: SecretStr) -> bytes:
        """The request of Events API v1, which knows no severity, source, component, group, class and time:
        they stand in its details. Raises UserError.
        """
        event: dict[str, Any] = {"service_key": plain_key(routing_key), "event_type": str(self.action)}
        event |= _filled(incident_key=self.key)
        if self.action is Action.TRIGGER:
            homeless = _filled(source=self.source, severity=str(self.severity), component=self.component)
            homeless |= _filled(group=self.group, timestamp=_moment(self.at))
            homeless |= {"class": self.kind} if self.kind else {}
            event["description"] = self.summary
            event["details"] = {**homeless, **self.details}
            event |= _filled(client=self.client, client_url=self.client_url if self.client else "")
            contexts = [{"type": "link", **one.body()} for one in self.links]
            contexts += [
                {"type": "image", **_filled(src=one.src, href=one.href, text=one.alt)} for one in self.images
            ]
            event |= _filled(contexts=contexts)
        return _encoded(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something was deployed, configured, switched: PagerDuty keeps it beside incidents and calls nobody.
    `at` is aware. Raises UserError for what PagerDuty would not take.
    """

    summary: str
    source: str = ""
    at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[Link, ...] = ()

    def __post_init__(self) -> None:
        _check_summary(self.summary)

    def body(self, routing_key: SecretStr) -> bytes:
        """The request to `/v2/change/enqueue`, which holds a secret. Raises UserError."""
        payload = {"summary": self.summary, **_filled(source=self.source, timestamp=_moment(self.at))}
        payload |= _filled(custom_details=dict(self.details))
        event = {"routing_key": plain_key(routing_key), "payload": payload}
        return _encoded(event | _filled(links=[one.body() for one in self.links]))


# ----------------------------------------------------------------------------------------------------- limits


def check_key(key: str) -> None:
    """Raises UserError for a dedup key that is too long."""
    if len(key) > LONGEST_KEY:
        raise UserError(
            f"The dedup key has {len(key)} characters; PagerDuty takes {LONGEST_KEY}. Give a shorter one."
        )


def plain_key(routing_key: SecretStr) -> str:
    """The routing key itself. Raises UserError, which does not show it, unless it can be one."""
    key = routing_key.get_secret_value()
    if len(key) != ROUTING_KEY or not key.isascii() or not key.isalnum():
        raise UserError(
            f"That is no routing key: it has {ROUTING_KEY} letters and digits. Copy the Integration Key of "
            "an Events API v2 integration (in PagerDuty: the service, Integrations)."
        )
    return key


def _check_summary(summary: str) -> None:
    if not summary.strip():
        raise UserError("An event needs a summary: what happened, in a few words.")
    if len(summary) > LONGEST_SUMMARY:
        raise UserError(f"The summary has {len(summary)} characters; PagerDuty takes {LONGEST_SUMMARY}.")


def _check_address(what: str, address: str, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(address)
        good = parts.scheme.lower() in schemes and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or any(char.isspace() for char in address):
        raise UserError(f"{what} must be an {' or '.join(schemes)} address, not “{address[:80]}”.")


def _filled(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _moment(at: datetime | None) -> str:
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _encoded(event: Mapping[str, Any]) -> bytes:
    try:
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        raise UserError("The details hold something JSON cannot carry, such as an endless number.") from None
    data = body.encode("utf-8", "replace")
    if len(data) > LARGEST_EVENT:
        raise UserError(
            f"The event has {len(data):,} bytes; PagerDuty takes {LARGEST_EVENT:,} (512 KB). "
            "Shorten its details, or link to them."
        )
    return data
