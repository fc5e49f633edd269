"""What is told of requests as a whole: how each ended, how much of its time it took, what the limit leaves of
the minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.errors import PagerDutyNotFound, PagerDutyUnavailable
from bot.pagerduty.credentials import UserToken
from bot.pagerduty.http import PagerDutyHttp
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from tests.pagerduty.test_http import Bench


class Watched(Bench):
    """A bench that is told how requests end."""

    def __post_init__(self) -> None:
        self.ends: list[tuple[str, str]] = []
        self.shares: list[float] = []
        super().__post_init__()

    def client(self, url: str | None = None, **options: Any) -> PagerDutyHttp:
        return super().client(url, on_end=self.ended, **options)

    def ended(self, rank: str, end: str, share: float) -> None:
        self.ends.append((rank, end))
        self.shares.append(share)


@pytest.fixture
async def bench() -> AsyncIterator[Watched]:
    fake = FakePagerDuty(acme())
    await fake.start()
    async with aiohttp.ClientSession() as session:
        yield Watched(fake, session)
    await fake.stop()


async def test_a_request_ends_once_however_often_it_was_tried(bench: Watched) -> None:
    bench.fake.outage("down", count=2)
    await bench.get("/abilities")
    assert len(bench.counted) == 3
    assert bench.ends == [("read", "answered")]
    assert 0 < bench.shares[0] < 1


async def test_whose_it_was_is_told(bench: Watched) -> None:
    await bench.ack(bench.fake.trigger("Checkout", "Disk full"))
    await bench.http.request("GET", "/abilities", type(bench.key)(bench.key.secret, in_background=True))
    assert bench.ends == [("act", "answered"), ("background", "answered")]


async def test_a_refusal_is_an_end_too(bench: Watched) -> None:
    with pytest.raises(PagerDutyNotFound):
        await bench.get("/incidents/QNOSUCH")
    assert bench.ends == [("read", "refused")]


async def test_giving_up_is_not_being_late(bench: Watched) -> None:
    bench.fake.outage("down")
    with pytest.raises(PagerDutyUnavailable):
        await bench.get("/abilities", deadline=600)
    assert bench.ends == [("read", "unavailable")]


async def test_a_wait_that_would_pass_the_deadline_is_too_late(bench: Watched) -> None:
    bench.fake.outage("limited", count=1)
    with pytest.raises(PagerDutyUnavailable):
        await bench.get("/abilities", deadline=0.5)
    assert bench.ends == [("read", "too_late")]


async def test_so_is_an_answer_that_does_not_come_in_time(bench: Watched) -> None:
    bench.fake.outage("slow", seconds=30)
    with pytest.raises(PagerDutyUnavailable):
        await bench.get("/abilities", deadline=0.2)
    assert bench.ends == [("read", "too_late")]
    assert bench.shares[0] == pytest.approx(1, abs=0.9)


async def test_and_a_place_that_does_not_become_free(bench: Watched) -> None:
    bench.fake.outage("slow", seconds=30)
    narrow = bench.client(max_in_flight=1)
    first = asyncio.ensure_future(narrow.request("GET", "/abilities", bench.key))
    await asyncio.sleep(0)
    with pytest.raises(PagerDutyUnavailable):
        await narrow.request("GET", "/abilities", bench.key, deadline=0.1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert bench.ends == [("read", "too_late"), ("read", "cancelled")]


# ---------------------------------------------------------------------------------------------- the budgets


async def test_nothing_is_told_of_a_limit_that_pagerduty_did_not_speak_of(bench: Watched) -> None:
    assert bench.http.budgets() == {}


async def test_each_kind_of_token_has_its_own_and_the_tightest_is_told(bench: Watched) -> None:
    tokens = [
        UserToken(SecretStr(bench.fake.bearer(one)), label=f"T0ACME:{one}") for one in ("PALICE1", "PBOB002")
    ]
    await bench.get("/abilities")
    for token, times in zip(tokens, (1, 3), strict=True):
        for _ in range(times):
            await bench.http.request("GET", "/abilities", token)
    budgets = bench.http.budgets()
    assert set(budgets) == {"account", "person"}
    assert budgets["account"].remaining == budgets["account"].limit - 1
    assert budgets["person"].remaining == budgets["person"].limit - 3
    shown = repr(budgets)
    assert bench.fake.api_key not in shown
    assert "U0" not in shown
