"""What load balancers, people and Prometheus are told, and who is told it, over real HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.errors import StoreUnavailable
from bot.inbound.health import Health, MetricsPage
from bot.metrics import Metrics
from tests.inbound.doors import serving


@dataclass
class Bot:
    """What the health door is told of the bot."""

    problem: str | None = None
    failure: Exception | None = None
    wrong: list[str] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def store_problem(self) -> str | None:
        await self.answers.wait()
        if self.failure:
            raise self.failure
        return self.problem

    def complaints(self) -> list[str]:
        return self.wrong


@pytest.fixture
def bot() -> Bot:
    bot = Bot()
    bot.answers.set()
    return bot


@pytest.fixture
async def origin(bot: Bot) -> AsyncIterator[str]:
    door = Health(store_problem=bot.store_problem, complaints=bot.complaints)
    routes = (("GET", "/health/live", door.live), ("GET", "/health/ready", door.ready))
    async with serving(*routes) as origin:
        yield origin


async def get(url: str, **headers: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        as_json = answer.content_type == "application/json"
        return answer.status, await answer.json() if as_json else await answer.text()


async def test_live_says_that_the_loop_turns(origin: str, bot: Bot) -> None:
    bot.answers.clear()
    assert await get(f"{origin}/health/live") == (200, {"status": "live"})


async def test_ready_when_all_is_well(origin: str) -> None:
    assert await get(f"{origin}/health/ready") == (200, {"status": "ready", "problems": []})


async def test_not_ready_while_the_schema_is_older(origin: str, bot: Bot) -> None:
    bot.problem = "The schema is at 0001, this code needs 0002: run `python -m bot migrate`."
    assert await get(f"{origin}/health/ready") == (503, {"status": "not ready", "problems": [bot.problem]})


async def test_not_ready_while_the_store_is_away(origin: str, bot: Bot) -> None:
    bot.failure = StoreUnavailable("The database cannot be used right now: gone")
    status, body = await get(f"{origin}/health/ready")
    assert (status, body["problems"]) == (503, ["The database cannot be used right now: gone"])
    bot.failure = None
    assert (await get(f"{origin}/health/ready"))[0] == 200


async def test_ready_though_something_else_is_wrong(origin: str, bot: Bot) -> None:
    """Slack's token refused, PagerDuty away: webhooks must be taken nevertheless."""
    bot.wrong = ["Slack refuses the token: copy it again"]
    assert await get(f"{origin}/health/ready") == (200, {"status": "degraded", "problems": bot.wrong})


async def test_a_store_that_hangs_is_away(bot: Bot) -> None:
    bot.answers.clear()
    door = Health(store_problem=bot.store_problem, complaints=bot.complaints, store_seconds=0.01)
    async with serving(("GET", "/health/ready", door.ready)) as origin:
        status, body = await get(f"{origin}/health/ready")
    assert status == 503
    assert "has not answered" in body["problems"][0]


# ---------------------------------------------------------------------------------------------------- metrics

Page = Callable[[web.Request], Awaitable[web.Response]]


def page(*, guarded: bool = True) -> Page:
    return MetricsPage(Metrics(), guarded=guarded).__call__


async def test_metrics_for_this_machine() -> None:
    async with serving(("GET", "/metrics", page())) as origin:
        status, text = await get(f"{origin}/metrics")
    assert status == 200
    assert "pagerline_backlog" in text


PROXIED = [
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-FORWARDED-PREFIX",
    "x-forwarded-anything",
    "X-Real-IP",
]


@pytest.mark.parametrize("header", PROXIED)
async def test_no_metrics_through_a_proxy_on_the_bots_own_port(header: str) -> None:
    """A proxy on this machine calls from loopback too."""
    async with serving(("GET", "/metrics", page())) as origin:
        status, text = await get(f"{origin}/metrics", **{header: "203.0.113.9"})
    assert status == 403
    assert "METRICS_PORT" in text
    assert "pagerline_" not in text


async def test_a_port_of_its_own_is_open_to_whom_it_is_opened() -> None:
    async with serving(("GET", "/metrics", page(guarded=False))) as origin:
        status, _ = await get(f"{origin}/metrics", **{"X-Forwarded-For": "203.0.113.9"})
    assert status == 200


class From(asyncio.Transport):
    """A connection that comes from this address."""

    def __init__(self, address: object) -> None:
        super().__init__({"peername": address})


@pytest.mark.parametrize(
    ("peer", "allowed"),
    [
        (("127.0.0.1", 1), True),
        (("127.8.9.10", 1), True),
        (("::1", 1, 0, 0), True),
        (("::ffff:127.0.0.1", 1, 0, 0), True),
        (("203.0.113.9", 1), False),
        (("10.0.0.7", 1), False),
        (("::ffff:203.0.113.9", 1, 0, 0), False),
        (("2001:db8::1", 1, 0, 0), False),
        (("fe80::1%eth0", 1, 0, 0), False),
        ("", False),
        (None, False),
    ],
)
async def test_only_this_machine_sees_metrics(peer: object, allowed: bool) -> None:
    request = make_mocked_request("GET", "/metrics", transport=From(peer))
    assert (await page()(request)).status == (200 if allowed else 403)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_metrics_over_ipv6() -> None:
    """A machine without IPv6 proves the same by address above."""
    if has_ipv6():
        async with serving(("GET", "/metrics", page()), host="::1") as origin:
            assert (await get(f"{origin}/metrics"))[0] == 200
            assert (await get(f"{origin}/metrics", Forwarded="for=203.0.113.9"))[0] == 403
