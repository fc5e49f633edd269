"""PagerDuty's door with everything behind it made visible, and the deliveries that knock at it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.errors import StoreUnavailable
from bot.events import Event
from bot.inbound.legacy_webhooks import LegacyDoor
from bot.inbound.pagerduty import PATH, SignatureAlarm, WebhookDoor
from bot.inbound.reading import LARGEST
from bot.inbound.secrets import Secrets
from bot.inbound.sources import SourceCheck
from bot.metrics import Metrics
from tests.inbound.doors import serving

SAMPLES = json.loads(
    (Path(__file__).parents[1] / "samples" / "pagerduty" / "webhook-v3.json").read_text("utf-8")
)
SECRETS = (SAMPLES["secret_a"], SAMPLES["secret_b"])
DELIVERIES = {one["name"]: one for one in SAMPLES["deliveries"]}
NOW = datetime(2026, 2, 3, 4, 30, tzinfo=UTC).timestamp()
WRONG = "v1=" + "0f" * 32


def signed(body: bytes, secret: str = SECRETS[0]) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def told(**event: Any) -> bytes:
    """A webhook's body; fields given as None are left out."""
    whole = {
        "id": "E1",
        "event_type": "incident.triggered",
        "resource_type": "incident",
        "occurred_at": "2026-02-03T04:00:00Z",
        "data": {"id": "Q1", "type": "incident"},
    } | event
    return json.dumps({"event": {name: value for name, value in whole.items() if value is not None}}).encode()


@dataclass
class Door:
    """The door, and what went through it."""

    origin: str = ""
    taken: list[Event] = field(default_factory=list)
    afterwards: list[Event] = field(default_factory=list)
    store_is_away: bool = False
    slack_is_away: bool = False
    tries: int = 0
    notices: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    heard_of: set[str] = field(default_factory=set)
    lookups: int = 0
    sealed: list[str] = field(default_factory=list)
    looks: int = 0
    v2_secrets: tuple[str, ...] = ()
    clock: float = 0.0
    metrics: Metrics = field(default_factory=Metrics)

    async def accept(self, event: Event) -> bool:
        if self.store_is_away:
            raise StoreUnavailable("The database cannot be used right now: planted words")
        known = any(event.id == one.id for one in self.taken)
        self.taken.append(event)
        return known

    async def kept_secrets(self) -> list[SecretStr]:
        self.looks += 1
        return [SecretStr(one) for one in self.sealed]

    async def heard_from(self, subscription_id: str) -> bool:
        self.lookups += 1
        return subscription_id in self.heard_of

    async def tell(self, key: str, text: str) -> bool:
        if self.store_is_away:
            raise StoreUnavailable("away")
        self.tries += 1
        if not self.slack_is_away:
            self.notices.append(text)
        return not self.slack_is_away

    async def settle(self, key: str) -> None:
        if self.store_is_away:
            raise StoreUnavailable("away")
        self.settled.append(key)

    def alarm(self) -> SignatureAlarm:
        return SignatureAlarm(
            heard_from=self.heard_from, tell_admins=self.tell, settle=self.settle, clock=lambda: self.clock
        )

    def handler(self, *, sources: SourceCheck | None = None) -> WebhookDoor:
        return WebhookDoor(
            secrets=Secrets([SecretStr(secret) for secret in SECRETS], self.kept_secrets),
            accept=self.accept,
            ranks=dict,
            after=self.afterwards.append,
            alarm=self.alarm(),
            metrics=self.metrics,
            legacy=LegacyDoor(
                [SecretStr(one) for one in self.v2_secrets],
                accept=self.accept,
                ranks=dict,
                after=self.afterwards.append,
            ),
            sources=sources,
            clock=lambda: NOW,
        )

    async def post(self, body: Any, headers: Mapping[str, str], *, query: str = "") -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.origin + PATH + query, data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.text()

    async def deliver(self, body: bytes, **headers: str) -> int:
        """A rightly signed delivery."""
        return (await self.post(body, {"X-PagerDuty-Signature": signed(body), **headers}))[0]

    def outcomes(self) -> dict[str, int]:
        lines = self.metrics.exposition().decode().splitlines()
        found = [line for line in lines if line.startswith("pagerline_webhooks_total{")]
        return {line.split('"')[1]: int(float(line.split()[-1])) for line in found}


@asynccontextmanager
async def open_door() -> AsyncIterator[Door]:
    """A door that is served, in an application that allows larger bodies than it does itself."""
    door = Door()
    async with serving(("POST", PATH, door.handler().__call__), client_max_size=4 * LARGEST) as door.origin:
        yield door
