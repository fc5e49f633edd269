"""The Events API on the wire: alerts (v2, or the legacy v1 form) and changes, sent by an integration's
routing key. It knows no person: who asked stands in an alert's details, and people act by REST.

A 202 says that the event was taken in, not that there is an incident ("Send an Event", PagerDuty's Events API
v2 pages). Equal dedup keys are one alert while it is open, so what had no answer is sent again, with longer
and longer pauses; so is what was limited (429, in v1 403). Event fields and limits: event_fields.py.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import structlog
from pydantic import SecretStr

from bot.errors import PagerDutyRefused, PagerDutyUnavailable
from bot.model import MadeCall
from bot.pagerduty.event_fields import Alert, Change
from bot.pagerduty.journal import Journal

ALERT_PATH = "/v2/enqueue"
CHANGE_PATH = "/v2/change/enqueue"
LEGACY_PATH = "/generic/2010-04-15/create_event.json"
CALL_SECONDS = 10.0
PROMPT = (1.0, 2.0, 4.0)  # seconds between tries while a person waits
LONGEST_PAUSE = 30.0  # seconds, what PagerDuty advises between tries

OnCall = Callable[[str, str, int, float], None]
"""Told of every call: method, path, status (0: no answer came), seconds."""

log = structlog.get_logger("pagerline.pagerduty")


@dataclass(frozen=True, slots=True)
class Taken:
    """PagerDuty took the event in. `key` is the alert's dedup key; empty for a change."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """`status` 0: none came."""

    status: int
    data: Any = None
    retry_after: float = 0.0
    request_id: str | None = None
    seconds: float = 0.0


def pauses_within(seconds: float) -> Iterator[float]:
    """Pauses between tries that together last no longer: one second, then twice as long up to 30."""
    pause, left = 1.0, seconds
    while pause <= left:
        yield pause
        left -= pause
        pause = min(pause * 2, LONGEST_PAUSE)


class EventsApi:
    """Over a session that the caller opens and closes. `pauses` are the seconds between tries, `sleep` waits
    for them.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        origin: str,
        *,
        on_call: OnCall | None = None,
        pauses: Sequence[float] = PROMPT,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._origin = origin.rstrip("/")
        self._on_call = on_call
        self._pauses = tuple(pauses)
        self._sleep = sleep

    async def send(
        self, routing_key: SecretStr, alert: Alert, journal: Journal, *, legacy: bool = False
    ) -> Taken:
        """Have an alert's event taken in; `journal` keeps how that was answered. `legacy`: by v1.

        Raises UserError before anything is sent, PagerDutyRefused, and PagerDutyUnavailable when PagerDuty
        takes nothing just now; its `maybe_done`: the event may have been taken in all the same.
        """
        if legacy:
            data = await self._deliver(LEGACY_PATH, alert.legacy_body(routing_key), routing_key, journal)
            return Taken(_text(data, "incident_key") or alert.key)
        data = await self._deliver(ALERT_PATH, alert.body(routing_key), routing_key, journal)
        return Taken(_text(data, "dedup_key") or alert.key)

    async def send_change(self, routing_key: SecretStr, change: Change, journal: Journal) -> Taken:
        """Have a change taken in. It has no key: one whose answer was lost is sent again and may then stand
        there twice. Raises as `send`.
        """
        await self._deliver(CHANGE_PATH, change.body(routing_key), routing_key, journal)
        return Taken()

    async def _deliver(self, path: str, body: bytes, routing_key: SecretStr, journal: Journal) -> Any:
        """What PagerDuty answered once it took the event in."""
        limited = 403 if path == LEGACY_PATH else 429
        unsure, pauses = False, iter(self._pauses)
        while True:
            journal.about_to_send("POST")
            answer = await self._post(path, body)
            journal.called(MadeCall("POST", path, answer.status, answer.request_id, answer.seconds))
            if 200 <= answer.status < 300:
                return answer.data
            if 300 <= answer.status < 500 and answer.status not in (408, 429, limited):
                raise PagerDutyRefused(
                    f"PagerDuty did not take the event (status {answer.status})",
                    status=answer.status,
                    reasons=_reasons(answer.data, routing_key),
                )
            unsure = unsure or answer.status not in (429, limited)
            pause = next(pauses, None)
            if pause is None:
                said = "limits events just now" if answer.status in (429, limited) else "takes no events"
                raise PagerDutyUnavailable(
                    f"PagerDuty {said}",
                    status=answer.status,
                    retry_after=answer.retry_after or None,
                    maybe_done=unsure,
                )
            log.info("event_sent_again", path=path, status=answer.status, pause=round(pause, 1))
            await self._sleep(max(random.uniform(pause / 2, pause), min(answer.retry_after, LONGEST_PAUSE)))

    async def _post(self, path: str, body: bytes) -> _Answer:
        began, answer = time.monotonic(), _Answer(0)
        try:
            async with self._session.post(
                self._origin + path,
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
                allow_redirects=False,
            ) as told:
                data = _parsed(await told.read())
                pause = _seconds(told.headers.get("Retry-After"))
                answer = _Answer(told.status, data, pause, told.headers.get("x-request-id"))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("event_not_answered", error=type(error).__name__)
        seconds = time.monotonic() - began
        if self._on_call is not None:
            self._on_call("POST", path, answer.status, seconds)
        log.debug(
            "pagerduty_event",
            path=path,
            status=answer.status,
            request_id=answer.request_id,
            seconds=round(seconds, 3),
        )
        return replace(answer, seconds=round(seconds, 3))


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _seconds(header: str | None) -> float:
    return float(header) if header and header.isascii() and header.isdigit() else 0.0


def _text(data: Any, name: str) -> str:
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def _reasons(data: Any, routing_key: SecretStr) -> tuple[str, ...]:
    """PagerDuty's own words for what is wrong, never with the key in them."""
    told = data.get("errors") if isinstance(data, dict) else None
    listed = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    reasons = [str(one) for one in listed] or [_text(data, "message")]
    key = routing_key.get_secret_value()
    found = tuple(one.replace(key, "•••")[:300] for one in reasons if one)
    return found or ("the integration may be gone, or be of another kind",)
