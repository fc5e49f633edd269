"""A running fake PagerDuty, a client that speaks as someone, and a place where webhooks arrive.

Every exchange of every test here is held against PagerDuty's OpenAPI documents when those are present.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from tests.contract.pagerduty_openapi import available, check_exchange

ACCEPT = "application/vnd.pagerduty+json;version=2"
DEADLINE = 40.0  # seconds any condition may take, also on a busy machine


async def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until something is true, for at most the deadline."""
    end = asyncio.get_running_loop().time() + DEADLINE
    while not condition():
        if asyncio.get_running_loop().time() > end:
            pytest.fail(f"{what} did not come true within {DEADLINE} s")
        await asyncio.sleep(0.005)


@dataclass
class Api:
    """REST as someone: the account key with `From` unless `key` or `bearer` is given."""

    session: aiohttp.ClientSession
    pagerduty: FakePagerDuty
    last_headers: dict[str, str] = field(default_factory=dict)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: str | None = "alice",
        authorization: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        sent = {
            "Accept": ACCEPT,
            "Authorization": authorization or f"Token token={self.pagerduty.api_key}",
            **({"From": f"{by}@acme.example"} if by else {}),
            **(headers or {}),
        }
        url = self.pagerduty.origin + path
        async with self.session.request(method, url, json=body, headers=sent) as response:
            self.last_headers = {name.lower(): value for name, value in response.headers.items()}
            text = await response.text()
            return response.status, json.loads(text) if text.startswith(("{", "[")) else text

    async def get(self, path: str, **options: Any) -> Any:
        status, body = await self.call("GET", path, **options)
        assert status == 200, body
        return body

    async def put_incident(self, incident: str, fields: dict[str, Any], **options: Any) -> tuple[int, Any]:
        body = {"incident": {"type": "incident_reference", **fields}}
        return await self.call("PUT", f"/incidents/{incident}", body, **options)

    async def incident(self, incident: str) -> Any:
        return (await self.get(f"/incidents/{incident}"))["incident"]


@dataclass
class Receiver:
    """A webhook endpoint that answers with scripted statuses (then 202) and keeps what it got."""

    url: str = ""
    script: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hang: asyncio.Event | None = None

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append(({k.lower(): v for k, v in request.headers.items()}, await request.read()))
        if self.hang is not None:
            await self.hang.wait()
        return web.Response(status=self.script.pop(0) if self.script else 202)

    def events(self) -> list[Any]:
        return [json.loads(body)["event"] for _, body in self.got]

    def types(self) -> list[str]:
        return [event["event_type"] for event in self.events()]

    async def expect(self, count: int) -> list[Any]:
        """The events, once there are so many."""
        await until(
            lambda: len(self.got) >= count, f"the arrival of {count} webhooks (there are {self.types()})"
        )
        return self.events()


@asynccontextmanager
async def running(pagerduty: FakePagerDuty) -> AsyncIterator[FakePagerDuty]:
    await pagerduty.start()
    try:
        yield pagerduty
    finally:
        await pagerduty.stop()
    if available():
        assert [problem for exchange in pagerduty.journal for problem in check_exchange(exchange)] == []


@pytest.fixture
async def pagerduty() -> AsyncIterator[FakePagerDuty]:
    """Time runs at its true pace: nothing escalates during a test."""
    async with running(FakePagerDuty(acme())) as fake:
        yield fake


@pytest.fixture
async def fast() -> AsyncIterator[FakePagerDuty]:
    """Ten minutes take a fifth of a second."""
    async with running(FakePagerDuty(acme(), speed=3000)) as fake:
        yield fake


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def api(pagerduty: FakePagerDuty, session: aiohttp.ClientSession) -> Api:
    return Api(session, pagerduty)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()
