"""PagerDuty's published lists: what is one, and what is refused because nobody must apply it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.errors import PagerDutyUnavailable
from bot.pagerduty.http import open_session
from bot.pagerduty.safelist import LARGEST, SNAPSHOT, NotASafelist, fetch, networks, read_list, words
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme


@pytest.mark.parametrize(
    "text",
    [
        '["192.0.2.7", "198.51.100.0/24", "2001:db8::/48"]',
        '{"addresses": ["198.51.100.0/24", {"more": ["2001:db8::/48", "192.0.2.7"]}]}',
        "192.0.2.7\n198.51.100.0/24\n2001:db8::/48\n",
        "192.0.2.7, 198.51.100.0/24, 2001:db8::/48",
        '["192.0.2.7", "192.0.2.7/32", "198.51.100.0/24", "2001:db8::/48"]',
    ],
)
def test_a_list_may_have_any_shape(text: str) -> None:
    assert words(read_list(text)) == ("192.0.2.7", "198.51.100.0/24", "2001:db8::/48")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "<!doctype html><html><body>Sign in</body></html>",
        '["192.0.2.7", "and others"]',
        '["192.0.2.7", 3221225991]',
        '["0.0.0.0/0"]',
        '["192.0.2.7", "10.0.0.0/8"]',
        '["2000::/3"]',
        "[" * 100_000,
        json.dumps([f"10.1.{one // 250}.{one % 250}" for one in range(1001)]),
    ],
    ids=range(12),
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(NotASafelist):
        read_list(text)


def test_the_list_in_the_code_is_one() -> None:
    assert {region: len(networks(one)) for region, one in SNAPSHOT.items()} == {"us": 13, "eu": 12}
    assert all(tuple(one) == tuple(dict.fromkeys(one)) for one in SNAPSHOT.values())


@pytest.fixture
async def pagerduty() -> AsyncIterator[FakePagerDuty]:
    fake = FakePagerDuty(acme())
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


async def test_a_list_is_fetched_by_kind_and_region(
    pagerduty: FakePagerDuty, session: aiohttp.ClientSession
) -> None:
    pagerduty.safelists.publish(["192.0.2.7"], region="eu")
    pagerduty.safelists.publish(["198.51.100.9"], kind="rest-api", region="us")
    origin = pagerduty.origin + "/"
    assert words(await fetch(session, origin, "webhooks", "eu")) == ("192.0.2.7",)
    told: list[tuple[str, str, int]] = []
    assert words(
        await fetch(session, origin, "rest-api", "us", on_call=lambda *call: told.append(call[:3]))
    ) == ("198.51.100.9",)
    assert told == [("GET", "/ip-safelists/rest-api-us-service-region-json", 200)]


async def test_what_goes_wrong_says_what(pagerduty: FakePagerDuty, session: aiohttp.ClientSession) -> None:
    pagerduty.safelists.say("maintenance", status=503)
    with pytest.raises(PagerDutyUnavailable, match="answered 503"):
        await fetch(session, pagerduty.origin, "webhooks", "us")
    pagerduty.safelists.say("1" * (LARGEST + 1))
    with pytest.raises(NotASafelist, match="far too long"):
        await fetch(session, pagerduty.origin, "webhooks", "us")
    await pagerduty.stop()
    with pytest.raises(PagerDutyUnavailable, match="did not answer"):
        await fetch(session, pagerduty.origin, "webhooks", "us")
