"""The bench measures what it says: its requests are good ones, its floors serve, its figures add up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.pagerduty.webhooks import Verdict, parse, verify
from tests.bench import floors
from tests.bench.load import Load, closed_loop, open_loop
from tests.bench.measures import at_least, at_most
from tests.bench.requests import BODY_BYTES, UNKNOWN, slash, webhook, webhooks

HOST, SECRET = "127.0.0.1", "secret" * 8


def parts(request: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines), body


def commands(count: int) -> list[bytes]:
    return [
        slash(SECRET, "help", channel="C1", user="U1", response_url="http://127.0.0.1/") for _ in range(count)
    ]


@pytest.fixture(params=["webhook", "webhook-commit", "slack", "slack-commit"])
async def floor(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[tuple[str, int]]:
    """A floor's kind and port."""
    runner = web.AppRunner(floors.application(request.param, SECRET, database_url), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    yield request.param, runner.addresses[0][1]
    await runner.cleanup()


def test_a_webhook_is_one_the_bot_would_take() -> None:
    headers, body = parts(webhook(SECRET, "Q1", 3, 2))
    assert verify(body, headers["X-PagerDuty-Signature"], [SECRET]) is Verdict.VALID
    event = parse(body, headers, {})
    assert (event.incident_id, event.type) == ("Q1", "incident.priority_updated")
    assert event.seen is not None
    assert abs(len(body) - BODY_BYTES) < 20
    assert int(headers["Content-Length"]) == len(body)


def test_no_webhook_comes_twice() -> None:
    seen = [parse(parts(one)[1], parts(one)[0], {}) for one in webhooks(SECRET, 20, UNKNOWN[:5])]
    assert len({event.id for event in seen}) == len({event.webhook_id for event in seen}) == 20
    assert len({event.incident_id for event in seen}) == 5


async def test_every_floor_takes_what_the_bot_takes(floor: tuple[str, int]) -> None:
    kind, port = floor
    requests = webhooks(SECRET, 40, UNKNOWN) if kind.startswith("webhook") else commands(40)
    load = await closed_loop(HOST, port, requests, connections=4, seconds=5)
    load.expect(202 if kind.startswith("webhook") else 200)
    assert len(load.latencies) == 40
    assert load.rate > 0
    refused = await closed_loop(
        HOST, port, [requests[0].replace(b"v1=", b"v1=0").replace(b"v0=", b"v0=0")], connections=1, seconds=1
    )
    with pytest.raises(RuntimeError, match="401"):
        refused.expect(202, 200)


async def test_an_open_loop_keeps_its_rate_and_counts_the_wait() -> None:
    """A server that stalls is asked on; what waited for it is counted from when it was due."""
    go = asyncio.Event()
    waiting = 0

    async def stall(request: web.Request) -> web.Response:
        nonlocal waiting
        waiting += 1
        if waiting == 4:
            go.set()
        await go.wait()
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/pagerduty/webhook", stall)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    began = time.perf_counter()
    requests = webhooks(SECRET, 8, UNKNOWN)
    load = await open_loop(HOST, runner.addresses[0][1], requests, rate=100, connections=4)
    await runner.cleanup()
    assert load.statuses == {202: 8}
    # The first waited until the fourth was due, 30 ms later.
    assert max(load.latencies) >= 0.03
    assert load.seconds <= time.perf_counter() - began


def test_the_figures() -> None:
    load = Load(seconds=2, latencies=[0.1 * n for n in range(1, 11)])
    assert load.rate == 5
    assert load.percentile(0.5) == pytest.approx(0.6)
    assert load.percentile(0.99) == pytest.approx(1.0)
    assert at_least("rate", 100, 31, 0.30).met
    assert not at_least("rate", 100, 29, 0.30).met
    assert at_most("time", 0.010, 0.025, 2.5).met
    assert not at_most("time", 0.010, 0.026, 2.5).met
