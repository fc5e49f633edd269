"""The Events API v2: an alert sent to a service by its integration key. It knows no person: who asked stands
in the alert's details.

For people without a PagerDuty user (TRIGGER_WITHOUT_SEAT); everybody else acts by REST. A 202 says that the
event was taken in, not that there is an incident ("Send an Event", PagerDuty's Events API v2 pages). Equal
dedup keys are one alert while it is open, so a send without an answer is repeated.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
import structlog
from pydantic import SecretStr

from bot.errors import PagerDutyRefused, PagerDutyUnavailable
from bot.model import Urgency
from bot.pagerduty.journal import Journal

PATH = "/v2/enqueue"
CALL_SECONDS = 10.0
TRIES = 4
FIRST_PAUSE = 0.5  # seconds; doubles with every try
LONGEST_SUMMARY = 1024

OnCall = Callable[[str, str, int, float], None]
"""Told of every call: method, path, status (0: no answer came), seconds."""

log = structlog.get_logger("pagerline.pagerduty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What is wrong: `key` makes a repeat the same alert, `details` are shown with it in PagerDuty."""

    key: str
    summary: str
    source: str
    urgency: Urgency | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def event(self, routing_key: SecretStr) -> bytes:
        """The request's body, which holds a secret."""
        payload = {
            "summary": self.summary[:LONGEST_SUMMARY],
            "source": self.source,
            # Where a service takes its urgency from the severity: critical is high, info is low.
            "severity": "info" if self.urgency is Urgency.LOW else "critical",
            "custom_details": dict(self.details),
        }
        event = {
            "routing_key": routing_key.get_secret_value(),
            "event_action": "trigger",
            "dedup_key": self.key,
            "client": "Pagerline",
            "payload": payload,
        }
        return json.dumps(event).encode()


class EventsApi:
    """Over a session that the caller opens and closes; `sleep` waits between tries."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        origin: str,
        *,
        on_call: OnCall | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._url = origin.rstrip("/") + PATH
        self._on_call = on_call
        self._sleep = sleep

    async def trigger(self, routing_key: SecretStr, alert: Alert, journal: Journal) -> None:
        """Have the alert taken in; `journal` keeps how that was answered.

        Raises PagerDutyRefused, and PagerDutyUnavailable when PagerDuty takes nothing just now; its
        `maybe_done`: the event may have been taken in all the same.
        """
        body, status, unsure = alert.event(routing_key), 0, False
        for tried in range(1, TRIES + 1):
            status = await self._send(body)
            journal.wrote(status, None)
            if 200 <= status < 300:
                return
            if 400 <= status < 500 and status not in (408, 429):
                raise PagerDutyRefused(
                    "PagerDuty did not take the event",
                    status=status,
                    reasons=("it did not take the event: the service's integration may be gone",),
                )
            unsure = unsure or status != 429
            if tried < TRIES:
                pause = FIRST_PAUSE * 2**tried
                await self._sleep(random.uniform(pause / 2, pause))
        raise PagerDutyUnavailable("PagerDuty takes no events just now", status=status, maybe_done=unsure)

    async def _send(self, body: bytes) -> int:
        """The status; 0 when no answer came."""
        began, status = time.monotonic(), 0
        try:
            async with self._session.post(
                self._url,
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
                allow_redirects=False,
            ) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("event_not_answered", error=type(error).__name__)
        seconds = time.monotonic() - began
        if self._on_call is not None:
            self._on_call("POST", PATH, status, seconds)
        log.debug("pagerduty_event", status=status, seconds=round(seconds, 3))
        return status
