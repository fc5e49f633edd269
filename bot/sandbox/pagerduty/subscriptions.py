"""Webhook subscriptions: what to send where, signed with which secrets, and whether PagerDuty has given up
on it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Literal

from bot.sandbox.pagerduty.ids import id_maker
from bot.sandbox.pagerduty.state import Incident, Json, State

# PagerDuty disables a subscription after three webhooks in a row that had to be dropped.
DROPS_UNTIL_DISABLED = 3
MOST_PER_FILTER = 10

FilterType = Literal["account_reference", "service_reference", "team_reference"]


@dataclass(eq=False)
class Subscription:
    """`secrets` has more than one entry while the secret is rotated; each signs."""

    id: str
    url: str
    secrets: list[str]
    events: frozenset[str]
    filter_type: FilterType = "account_reference"
    filter_id: str | None = None
    description: str = ""
    custom_headers: list[Json] = field(default_factory=list)
    active: bool = True
    temporarily_disabled: bool = False
    drops_in_a_row: int = 0

    def wants(self, event_type: str, incident: Incident | None, data: Json, state: State) -> bool:
        if not self.active or event_type not in self.events:
            return False
        match self.filter_type:
            case "account_reference":
                return True
            case "service_reference":
                service = incident.service if incident else data.get("id")
                return self.filter_id == service
            case "team_reference":
                service = incident.service if incident else data.get("id")
                known = state.services.get(str(service))
                return known is not None and self.filter_id in known.teams

    def rotate(self, secret: str, *, keep_old: bool) -> None:
        self.secrets = [*self.secrets, secret] if keep_old else [secret]

    def signature(self, body: bytes) -> str:
        """The `X-PagerDuty-Signature` header: one `v1=` per secret."""
        return ",".join(
            "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in self.secrets
        )

    def body(self, *, with_secret: bool = False) -> Json:
        method: Json = {
            "id": f"{self.id}D",
            "type": "http_delivery_method",
            "url": self.url,
            "custom_headers": [{"name": h["name"], "value": "<redacted>"} for h in self.custom_headers],
            "secret": self.secrets[-1] if with_secret else None,
            "temporarily_disabled": self.temporarily_disabled,
        }
        filter_: Json = {"type": self.filter_type}
        if self.filter_id:
            filter_["id"] = self.filter_id
        return {
            "id": self.id,
            "type": "webhook_subscription",
            "active": self.active,
            "delivery_method": method,
            "description": self.description,
            "events": sorted(self.events),
            "filter": filter_,
        }


class Subscriptions:
    def __init__(self) -> None:
        self._all: dict[str, Subscription] = {}
        self._new_id = id_maker("PWS")

    def get(self, id_: str) -> Subscription | None:
        return self._all.get(id_)

    def all(self) -> list[Subscription]:
        return list(self._all.values())

    def add(
        self,
        url: str,
        events: frozenset[str],
        *,
        secret: str | None = None,
        filter_type: FilterType = "account_reference",
        filter_id: str | None = None,
        description: str = "",
        custom_headers: list[Json] | None = None,
    ) -> Subscription:
        subscription = Subscription(
            self._new_id(),
            url,
            [secret or secrets.token_urlsafe(48)],
            events,
            filter_type,
            filter_id,
            description,
            custom_headers or [],
        )
        self._all[subscription.id] = subscription
        return subscription

    def remove(self, id_: str) -> None:
        self._all.pop(id_, None)

    def with_filter(self, filter_type: str, filter_id: str | None) -> list[Subscription]:
        return [s for s in self._all.values() if s.filter_type == filter_type and s.filter_id == filter_id]
