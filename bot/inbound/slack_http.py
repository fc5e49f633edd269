"""`POST /slack/events`: everything that can be wrong with a request is found out here, before Bolt sees it.

    too large 413 · too slow 408 · cut off 400 · not signed, wrong or stale signature 401
    malformed timestamp or signature 400 · not Slack's kind of body 400
    otherwise what Bolt answers, and 200 to what no listener knows: Slack repeats what is not answered

The signature is checked over the raw bytes before anything is parsed (Slack's "Verifying requests":
HMAC-SHA256 over `v0:<timestamp>:<body>`, at most 5 minutes old, compared in constant time).
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.inbound.reading import Unreadable, read_body
from bot.inbound.slack_payloads import is_well_formed

log = structlog.get_logger("pagerline.slack")

STALE_SECONDS = 300
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """Answer `status` with one plain line."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


def slack_endpoint(
    app: AsyncApp, signing_secret: SecretStr, *, clock: Callable[[], float] = time.time
) -> Handler:
    """The aiohttp handler. `clock` gives UTC epoch seconds."""
    key = signing_secret.get_secret_value().encode()

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            raw = await read_body(request)
            verify(key, request.headers, raw, clock())
            bolt_request = parse(request, raw)
        except (Refused, Unreadable) as refused:
            log.warning("slack_request_refused", status=refused.status, reason=str(refused))
            return web.Response(status=refused.status, text=str(refused))
        body = bolt_request.body
        if body.get("type") == "url_verification":
            return web.json_response({"challenge": body.get("challenge")})
        answer = await app.async_dispatch(bolt_request) if is_well_formed(body) else None
        if answer is None or answer.status == 404:
            log.info("slack_payload_unknown", type=str(body.get("type"))[:40])
            return web.Response()
        return await to_aiohttp_response(answer)

    return handle


def verify(key: bytes, headers: Any, raw: bytes, now: float) -> None:
    """Raises Refused unless Slack signed these bytes within the last five minutes."""
    timestamp = headers.get("X-Slack-Request-Timestamp", "")
    given = headers.get("X-Slack-Signature", "")
    if not timestamp or not given:
        raise Refused(401, "not signed")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Refused(400, "malformed timestamp")
    if not (given.isascii() and given.startswith("v0=")):
        raise Refused(400, "malformed signature")
    if abs(now - int(timestamp)) > STALE_SECONDS:
        raise Refused(401, "stale")
    told = hmac.new(key, b"v0:" + timestamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={told}", given):
        raise Refused(401, "wrong signature")


def parse(request: web.Request, raw: bytes) -> AsyncBoltRequest:
    """Bolt's request. Raises Refused 400 for what is neither a form nor a JSON object."""
    try:
        parsed = AsyncBoltRequest(
            body=raw.decode(), query=request.query_string, headers=dict(request.headers)
        )
    except Exception:  # noqa: BLE001 - Bolt's reader trips over bodies in many ways: null, lists, depth
        raise Refused(400, "not a payload of Slack's") from None
    body: Any = parsed.body  # Bolt says a dict and means whatever the JSON was
    if not isinstance(body, dict) or not body:
        raise Refused(400, "not a payload of Slack's")
    return parsed
