"""A bot that checks signatures with Slack's verifier, remembers what it got, and answers as a test says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier


class AnyTime(SignatureClock):
    """Takes the sender's time as now: these tests move the sender's clock."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at


@dataclass(frozen=True)
class Got:
    """One request: the form, or the JSON in it, and its headers."""

    payload: dict[str, Any]
    headers: dict[str, str]
    content_type: str


class ListeningBot:
    """`answer` is sent back (a dict as JSON, a string as text) with `status` after `delay` seconds."""

    def __init__(self, signing_secret: str) -> None:
        self._clock = AnyTime()
        self._verifier = SignatureVerifier(signing_secret, clock=self._clock)
        self._runner: web.AppRunner | None = None
        self._came = asyncio.Condition()
        self.got: list[Got] = []
        self.answer: dict[str, Any] | str = ""
        self.status = 200
        self.delay = 0.0
        self.headers: dict[str, str] = {}

    @property
    def last(self) -> dict[str, Any]:
        return self.got[-1].payload

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/slack/events", self._receive)
        app.router.add_get("/{path:.*}", self._welcome)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def wait_for(self, count: int) -> None:
        """Until so many requests came, for at most thirty seconds."""
        async with self._came, asyncio.timeout(30):
            await self._came.wait_for(lambda: len(self.got) >= count)

    async def _welcome(self, _request: web.Request) -> web.Response:
        """Wherever a browser is sent to."""
        return web.Response(text="<link rel=icon href=data:,><p>The bot</p>", content_type="text/html")

    async def _receive(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self._clock.at = float(request.headers["X-Slack-Request-Timestamp"])
        assert self._verifier.is_valid_request(raw, dict(request.headers))
        self.got.append(Got(_payload(request.content_type, raw), dict(request.headers), request.content_type))
        async with self._came:
            self._came.notify_all()
        await asyncio.sleep(self.delay)
        if isinstance(self.answer, dict):
            return web.json_response(self.answer, status=self.status, headers=self.headers)
        return web.Response(text=self.answer, status=self.status, headers=self.headers)


def _payload(content_type: str, raw: bytes) -> dict[str, Any]:
    if content_type == "application/json":
        return dict(json.loads(raw))
    form = dict(parse_qsl(raw.decode(), keep_blank_values=True))
    return dict(json.loads(form["payload"])) if "payload" in form else form
