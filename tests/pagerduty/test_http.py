"""Calls over real HTTP to the fake PagerDuty: what is repeated and what is never, and what is told of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.errors import PagerDutyForbidden, PagerDutyNotFound, PagerDutyUnauthorized, PagerDutyUnavailable
from bot.pagerduty.credentials import AccountKey, UserToken
from bot.pagerduty.http import Answer, PagerDutyHttp
from bot.sandbox.pagerduty import FakePagerDuty, Incident
from bot.sandbox.world import acme

ALICE = "alice@acme.example"


@dataclass
class Bench:
    """The fake, our client, and what the client told and waited for. Its waits cost no time."""

    fake: FakePagerDuty
    session: aiohttp.ClientSession
    waits: list[float] = field(default_factory=list)
    counted: list[tuple[str, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = AccountKey(SecretStr(self.fake.api_key))
        self.slept = 0.0
        self.http = self.client()

    def client(self, url: str | None = None, **options: Any) -> PagerDutyHttp:
        settings: dict[str, Any] = {"sleep": self.sleep, "timer": self.timer, "on_call": self.count}
        return PagerDutyHttp(self.session, url or self.fake.origin, **(settings | options))

    def timer(self) -> float:
        return time.monotonic() + self.slept

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.slept += seconds
        await asyncio.sleep(0)

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        assert seconds >= 0
        self.counted.append((method, path, status))

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.http.request("GET", path, self.key, **options)

    async def ack(self, incident: Incident, **options: Any) -> Answer:
        entry = {"id": incident.id, "type": "incident_reference", "status": "acknowledged"}
        body = {"incidents": [entry]}
        return await self.http.request("PUT", "/incidents", self.key, body=body, sender=ALICE, **options)

    async def note(self, incident: Incident) -> Answer:
        path, body = f"/incidents/{incident.id}/notes", {"note": {"content": "hello"}}
        return await self.http.request("POST", path, self.key, body=body, sender=ALICE)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    fake = FakePagerDuty(acme())
    await fake.start()
    async with aiohttp.ClientSession() as session:
        yield Bench(fake, session)
    await fake.stop()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Something at PagerDuty's place that is not PagerDuty; gives its origin."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


# -------------------------------------------------------------------------------------------------- one call


async def test_an_answer_carries_what_pagerduty_said_and_when_it_was_asked(bench: Bench) -> None:
    before = bench.http.clock()
    answer = await bench.get("/abilities")
    assert "teams" in answer.data["abilities"]
    assert answer.status == 200
    assert answer.request_id
    assert before <= answer.sent_at <= bench.http.clock()
    assert answer.sent_at.tzinfo is not None
    assert bench.counted == [("GET", "/abilities", 200)]


async def test_the_last_answer_tells_pagerdutys_clock(bench: Bench) -> None:
    assert bench.http.their_clock.now() is None
    await bench.get("/abilities")
    there = bench.http.their_clock.now()
    assert there is not None
    assert abs((there - bench.http.clock()).total_seconds()) < 60


async def test_both_schemes_are_accepted(bench: Bench) -> None:
    token = UserToken(SecretStr(bench.fake.bearer("PALICE1")))
    answer = await bench.http.request("GET", "/users/me", token)
    assert answer.data["user"]["email"] == ALICE


async def test_from_names_who_acts(bench: Bench) -> None:
    await bench.note(bench.fake.trigger("Checkout", "Disk full"))
    assert bench.fake.journal[-1].actor == "PALICE1"
    assert bench.fake.journal[-1].headers["from"] == ALICE


async def test_reading_sends_no_from(bench: Bench) -> None:
    await bench.get("/incidents")
    assert "from" not in bench.fake.journal[-1].headers


async def test_a_refusal_is_raised_at_once(bench: Bench) -> None:
    with pytest.raises(PagerDutyNotFound) as refused:
        await bench.get("/incidents/QNOPE")
    assert refused.value.code == 2100
    assert refused.value.request_id
    with pytest.raises(PagerDutyUnauthorized):
        await bench.http.request("GET", "/incidents", AccountKey(SecretStr("wrong")))
    olive = UserToken(SecretStr(bench.fake.bearer("POLIVE6")))
    path = f"/incidents/{bench.fake.trigger('Checkout', 'Disk full').id}/notes"
    with pytest.raises(PagerDutyForbidden):
        await bench.http.request("POST", path, olive, body={"note": {"content": "x"}})
    assert bench.waits == []


# ------------------------------------------------------------------------------------------------- repeating


@pytest.mark.parametrize("mode", ["down", "limited", "drop_before", "drop_after"])
async def test_a_read_is_repeated_until_it_succeeds(bench: Bench, mode: Any) -> None:
    bench.fake.outage(mode, count=2)
    assert (await bench.get("/abilities")).status == 200
    assert len(bench.waits) == 2


async def test_it_gives_up_after_a_few_tries(bench: Bench) -> None:
    bench.fake.outage("down")
    with pytest.raises(PagerDutyUnavailable) as failed:
        await bench.get("/abilities")
    assert failed.value.status == 503
    assert not failed.value.maybe_done
    assert len(bench.fake.journal) == 5


async def test_waits_grow_and_are_jittered(bench: Bench) -> None:
    bench.fake.outage("down")
    for _ in range(20):
        with pytest.raises(PagerDutyUnavailable):
            await bench.get("/abilities")
    by_try = [bench.waits[at::4] for at in range(4)]
    for tries, waits in enumerate(by_try):
        assert all(0 <= seconds <= 0.25 * 2**tries for seconds in waits)
        assert len(set(waits)) > 1


async def test_pagerduty_says_how_long_to_wait(bench: Bench) -> None:
    bench.fake.outage("limited", count=1)
    await bench.get("/abilities")
    assert bench.waits[0] == 1


async def test_a_limit_without_headers_is_waited_out_too(bench: Bench) -> None:
    bench.fake.outage("limited", count=1, bare=True)
    assert (await bench.get("/abilities")).status == 200


async def test_a_limited_write_is_repeated_because_nothing_happened(bench: Bench) -> None:
    incident = bench.fake.trigger("Checkout", "Disk full")
    bench.fake.outage("limited", count=1)
    await bench.note(incident)
    assert len(incident.notes) == 1


@pytest.mark.parametrize("mode", ["drop_after", "drop_before", "down"])
async def test_a_note_whose_answer_is_missing_is_not_sent_again(bench: Bench, mode: Any) -> None:
    incident = bench.fake.trigger("Checkout", "Disk full")
    bench.fake.outage(mode, methods=("POST",))
    with pytest.raises(PagerDutyUnavailable) as failed:
        await bench.note(incident)
    assert failed.value.maybe_done
    assert len(bench.fake.journal) == 1
    assert len(incident.notes) == (mode == "drop_after")


async def test_a_put_is_not_repeated_behind_our_back(bench: Bench) -> None:
    """By itself aiohttp does, when a connection drops; and a late acknowledgement reopens an incident."""
    incident = bench.fake.trigger("Checkout", "Disk full")
    await bench.get("/abilities")  # a connection that is kept open
    bench.fake.outage("drop_after", methods=("PUT",))
    with pytest.raises(PagerDutyUnavailable) as failed:
        await bench.ack(incident)
    assert failed.value.maybe_done
    assert [one.method for one in bench.fake.journal] == ["GET", "PUT"]


async def test_a_put_is_repeated_when_the_caller_says_that_is_safe(bench: Bench) -> None:
    incident = bench.fake.trigger("Checkout", "Disk full")
    bench.fake.outage("down", methods=("PUT",), count=1)
    assert (await bench.ack(incident, retry_safe=True)).status == 200


async def test_of_a_repeated_write_that_never_got_through_nothing_is_sure(bench: Bench) -> None:
    incident = bench.fake.trigger("Checkout", "Disk full")
    bench.fake.outage("drop_after", methods=("PUT",), count=1)
    bench.fake.outage("limited", methods=("PUT",))
    with pytest.raises(PagerDutyUnavailable) as failed:
        await bench.ack(incident, retry_safe=True)
    assert failed.value.maybe_done


async def test_no_connection_means_nothing_happened(bench: Bench) -> None:
    nobody = bench.client("http://127.0.0.1:1")
    with pytest.raises(PagerDutyUnavailable) as failed:
        await nobody.request("POST", "/incidents", bench.key, body={}, sender=ALICE)
    assert not failed.value.maybe_done
    assert len(bench.waits) == 4


# ---------------------------------------------------------------------------------------------- time and pace


async def test_a_call_takes_no_longer_than_its_share(bench: Bench) -> None:
    bench.fake.outage("slow", seconds=30)
    hasty = bench.client(call_seconds=1.0)
    incident = bench.fake.trigger("Checkout", "Disk full")
    path, body = f"/incidents/{incident.id}/notes", {"note": {"content": "x"}}
    with pytest.raises(PagerDutyUnavailable) as failed:
        await hasty.request("POST", path, bench.key, body=body, sender=ALICE)
    assert failed.value.maybe_done
    assert "in time" in str(failed.value)


async def test_the_deadline_holds_for_everything_together(bench: Bench) -> None:
    bench.fake.outage("slow", seconds=30)
    with pytest.raises(PagerDutyUnavailable):
        await asyncio.wait_for(bench.get("/abilities", deadline=0.2), 25)


async def test_a_wait_beyond_the_deadline_fails_at_once(bench: Bench) -> None:
    bench.fake.outage("limited")
    with pytest.raises(PagerDutyUnavailable) as failed:
        await bench.get("/abilities", deadline=0.5)
    assert failed.value.status == 429
    assert failed.value.retry_after == 1
    assert bench.waits == []


async def test_it_slows_down_before_the_limit_is_hit(bench: Bench) -> None:
    bench.fake.limits.per_minute = 40
    bench.fake.limits.enforced = True
    for _ in range(25):
        await bench.get("/abilities")
    with pytest.raises(PagerDutyUnavailable) as stopped:  # the last 15 stay in reserve
        await bench.get("/abilities")
    assert stopped.value.status == 429
    assert all(one.status == 200 for one in bench.fake.journal)
    incident = bench.fake.trigger("Checkout", "Disk full")
    assert (await bench.note(incident)).status == 200  # for an act there is some left


async def test_only_so_many_are_in_flight(bench: Bench, serve: Serve) -> None:
    now, most = 0, 0

    async def handler(_: web.Request) -> web.StreamResponse:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return web.json_response({})

    http = bench.client(await serve(handler), max_in_flight=3)
    await asyncio.gather(*(http.request("GET", "/x", bench.key) for _ in range(12)))
    assert most == 3


async def test_a_cancelled_call_frees_its_place(bench: Bench) -> None:
    bench.fake.outage("slow", seconds=30)
    narrow = bench.client(max_in_flight=1)
    waiting = asyncio.ensure_future(narrow.request("GET", "/abilities", bench.key))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    bench.fake.outage("off")
    assert (await narrow.request("GET", "/abilities", bench.key)).status == 200


# ------------------------------------------------------------------------------------------- strange answers


async def test_what_is_not_json_is_no_answer(bench: Bench, serve: Serve) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>hello from the proxy</html>")

    http = bench.client(await serve(handler))
    with pytest.raises(PagerDutyUnavailable):
        await http.request("GET", "/incidents", bench.key)
    with pytest.raises(PagerDutyUnavailable) as failed:
        await http.request("POST", "/incidents", bench.key, body={})
    assert failed.value.maybe_done


async def test_redirects_are_not_followed_with_our_key(bench: Bench, serve: Serve) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{bench.fake.origin}/abilities"})

    http = bench.client(await serve(handler))
    with pytest.raises(PagerDutyUnavailable):
        await http.request("GET", "/abilities", bench.key)
    assert bench.fake.journal == []


async def test_an_empty_answer_is_an_answer(bench: Bench) -> None:
    assert (await bench.get("/abilities/teams")).data == {}


# ------------------------------------------------------------------------------------------------------ logs


async def test_the_log_has_the_request_id_and_no_secret(bench: Bench) -> None:
    bench.fake.outage("down", count=1)
    with capture_logs() as lines:
        await bench.get("/abilities")
    assert {line["event"] for line in lines} == {"pagerduty_call", "pagerduty_call_failed"}
    assert all(line["request_id"] for line in lines)
    assert bench.fake.api_key not in str(lines)
