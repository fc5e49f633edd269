"""Generic V2 webhooks at PagerDuty's door, for accounts that still have them; what V1 is told.

Off without PAGERDUTY_V2_SECRETS. V2 signs nothing: all it can carry is a secret we gave it, in the address
(as a password or as `?secret=`) or in a header. Whoever has read one delivery can make another, so it proves
less than V3's signature (docs/network.md). What the statuses mean to PagerDuty: bot/inbound/pagerduty.py.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiohttp import web
from pydantic import SecretStr

from bot.events import Event
from bot.pagerduty.legacy_webhooks import Legacy, read_legacy

HEADER, QUERY = "X-Webhook-Secret", "secret"
LOG_GAP = 60.0  # seconds between lines about requests that anybody can send
USE_V3 = "Create a Generic Webhook (v3) in PagerDuty, under Integrations, and remove this one."

log = structlog.get_logger("pagerline.webhook")


@dataclass(frozen=True, slots=True)
class Answer:
    """`outcome` is one word for the metrics."""

    status: int
    outcome: str
    text: str


def given_secret(request: web.Request) -> str | None:
    """The password of `Authorization: Basic`, the header, or the query's; None when there is none."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            _, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return None
        return password or None
    return request.headers.get(HEADER) or request.query.get(QUERY) or None


class LegacyDoor:
    """`accept`, `ranks` and `after` as at the V3 door."""

    def __init__(
        self,
        secrets: Sequence[SecretStr],
        *,
        accept: Callable[[Event], Awaitable[bool]],
        ranks: Callable[[], Mapping[str, int]],
        after: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets = [one.get_secret_value().encode() for one in secrets]
        self._accept = accept
        self._ranks = ranks
        self._after = after
        self._clock = clock
        self._next_line = float("-inf")

    async def answer(self, raw: bytes, request: web.Request) -> Answer | None:
        """None when the body is not of the old kind. Raises StoreUnavailable."""
        found = read_legacy(raw, self._ranks())
        if found is None:
            return None
        if found.generation == 1:
            # PagerDuty takes 2xx for done: whatever still sends this is neither repeated nor switched off.
            return self._refuse(200, "legacy_v1", f"V1 webhooks are not understood. {USE_V3}")
        if not self._secrets:
            return self._refuse(
                403,
                "legacy_v2_off",
                f"Generic V2 webhooks are off. {USE_V3} Or set PAGERDUTY_V2_SECRETS.",
            )
        given = given_secret(request)
        if given is None:
            return self._refuse(
                401, "unsigned", f"A V2 webhook needs the secret, in its address or in {HEADER}. {USE_V3}"
            )
        if not self._knows(given):
            return self._refuse(503, "unknown_secret", "The secret is none of PAGERDUTY_V2_SECRETS.")
        return await self._take(found)

    def _knows(self, given: str) -> bool:
        matches = False  # no early end: how long it takes tells nothing
        for secret in self._secrets:
            matches |= hmac.compare_digest(secret, given.encode("utf-8", "surrogateescape"))
        return matches

    async def _take(self, found: Legacy) -> Answer:
        if found.strange:
            log.warning("webhook_not_understood", generation=2, messages=found.strange)
        if not found.events:
            return Answer(400, "not_a_webhook", "No message has an event, a created_on and an incident.")
        duplicates = [await self._accept(event) for event in found.events]
        for event in found.events:
            self._after(event)
        return Answer(202, "duplicate" if all(duplicates) else "accepted", "Taken.")

    def _refuse(self, status: int, outcome: str, text: str) -> Answer:
        if self._clock() >= self._next_line:
            self._next_line = self._clock() + LOG_GAP
            log.warning("legacy_webhook_refused", outcome=outcome, reason=text)
        return Answer(status, outcome, text)
