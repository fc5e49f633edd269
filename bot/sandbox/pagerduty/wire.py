"""Between aiohttp and the fake: reads a request, lets a fault strike, writes the journal, sends the reply."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from bot.sandbox.pagerduty.failures import MESSAGES, ApiError
from bot.sandbox.pagerduty.faults import Fault, Faults
from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.journal import MASK, Exchange, Journal, masked, masked_headers, secret_fields

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Incoming:
    """A request with its body read: parsed JSON or form fields, None when empty; `malformed` when it is
    neither.
    """

    request: web.Request
    body: Any
    malformed: bool = False

    def query(self) -> dict[str, list[str]]:
        query = self.request.query
        return {name: query.getall(name) for name in query}


@dataclass
class Reply:
    """`body` is JSON, or text with its own `content_type`; `actor` is the PagerDuty user who acted, for the
    journal.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    actor: str | None = None


Inner = Callable[[Incoming], Reply]


class Wire:
    def __init__(self, journal: Journal, faults: Faults, clock: Clock) -> None:
        self._journal = journal
        self._faults = faults
        self._clock = clock

    def bind(self, inner: Inner) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            at, loop = self._clock(), asyncio.get_running_loop()
            began = loop.time()
            incoming = await _read(request)
            fault = self._faults.take(request.method, request.path, incoming.body)
            reply = await _struck(fault) or inner(incoming)
            if fault is not None and fault.mode == "late":
                await asyncio.sleep(fault.seconds)
            secret = secret_fields(request.path)
            dropped = fault is not None and fault.mode in ("drop_before", "drop_after")
            reply.headers["x-request-id"] = uuid.uuid4().hex
            reply.headers["Date"] = format_datetime(self._clock().astimezone(UTC), usegmt=True)
            self._journal.add(
                Exchange(
                    direction="in",
                    at=at,
                    method=request.method,
                    path=request.path,
                    query={k: [MASK] if k in secret else v for k, v in incoming.query().items()},
                    headers=masked_headers(request.headers),
                    body=masked(incoming.body, secret),
                    status=None if dropped else reply.status,
                    answer=None if reply.content_type == "text/html" else masked(reply.body, secret),
                    actor=reply.actor,
                    milliseconds=(loop.time() - began) * 1000,
                )
            )
            if dropped and request.transport is not None:
                request.transport.abort()
            return _response(reply)

        return handle


async def _read(request: web.Request) -> Incoming:
    raw = await request.read()
    if not raw:
        return Incoming(request, None)
    if request.content_type == "application/x-www-form-urlencoded":
        return Incoming(request, {name: str(value) for name, value in (await request.post()).items()})
    try:
        return Incoming(request, json.loads(raw))
    except (ValueError, RecursionError):
        return Incoming(request, None, malformed=True)


async def _struck(fault: Fault | None) -> Reply | None:
    """The answer of an outage, or None when the request is carried out all the same."""
    if fault is None:
        return None
    if fault.mode == "slow":
        await asyncio.sleep(fault.seconds)
    return _refusal(fault)


def _refusal(fault: Fault) -> Reply | None:
    headers = {"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "1"}
    replies: dict[str, Reply] = {
        "limited": Reply(429, "", content_type="text/plain")
        if fault.bare
        else Reply(429, ApiError(429, 2020, MESSAGES[2020]).body(), headers),
        "down": Reply(503, "Service Unavailable", content_type="text/plain"),
        "error": Reply(
            fault.status, ApiError(fault.status, fault.code, MESSAGES.get(fault.code or 0, "Error")).body()
        ),
        "drop_before": Reply(503),
    }
    return replies.get(fault.mode)


def _response(reply: Reply) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status, headers=reply.headers)
    text = (
        reply.body if reply.content_type != "application/json" else json.dumps(reply.body, ensure_ascii=False)
    )
    return web.Response(
        status=reply.status,
        text=text,
        headers=reply.headers,
        content_type=reply.content_type,
        charset="utf-8",
    )
