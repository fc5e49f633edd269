"""Generic V2 webhooks at the door: off unless there is a secret, and never taken without it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from bot.inbound.pagerduty import PATH
from tests.inbound.doors import serving
from tests.inbound.webhook_door import Door
from tests.pagerduty.legacy_samples import TYPES, V1, body, message

SECRET = "a secret that is long enough to be one"
SAFE = SECRET.replace(" ", "%20")
BASIC = {"Authorization": "Basic " + base64.b64encode(f"pagerduty:{SECRET}".encode()).decode()}


@asynccontextmanager
async def door(*secrets: str) -> AsyncIterator[Door]:
    door = Door(v2_secrets=secrets)
    async with serving(("POST", PATH, door.handler().__call__)) as door.origin:
        yield door


async def test_off_it_says_what_to_do() -> None:
    async with door() as closed:
        status, text = await closed.post(body(message()), BASIC)
    assert status == 403
    assert "Generic Webhook (v3)" in text
    assert "PAGERDUTY_V2_SECRETS" in text
    assert closed.taken == []
    assert closed.outcomes() == {"legacy_v2_off": 1}


@pytest.mark.parametrize("headers", [BASIC, {"X-Webhook-Secret": SECRET}])
async def test_the_secret_may_come_in_a_header(headers: Mapping[str, str]) -> None:
    async with door("another", SECRET) as opened:
        assert (await opened.post(body(message()), headers))[0] == 202
    assert [one.id for one in opened.taken] == ["v2:2f9a-incident.trigger"]
    assert opened.afterwards == opened.taken


async def test_the_secret_may_come_in_the_query() -> None:
    async with door(SECRET) as opened:
        assert (await opened.post(body(message()), {}, query=f"?secret={SAFE}"))[0] == 202
        assert (await opened.post(body(message()), {}, query="?secret=nonsense"))[0] == 503
    assert len(opened.taken) == 1


@pytest.mark.parametrize(
    ("headers", "status", "outcome"),
    [
        ({}, 401, "unsigned"),
        ({"Authorization": "Basic !!!"}, 401, "unsigned"),
        ({"Authorization": "Bearer " + SECRET}, 401, "unsigned"),
        ({"X-Webhook-Secret": "another"}, 503, "unknown_secret"),
    ],
)
async def test_without_the_secret_nothing_is_taken(
    headers: Mapping[str, str], status: int, outcome: str
) -> None:
    async with door(SECRET) as opened:
        assert (await opened.post(body(message()), headers))[0] == status
    assert opened.taken == []
    assert opened.outcomes() == {outcome: 1}


async def test_every_type_in_one_body_is_taken_and_a_repeat_is_harmless() -> None:
    raw = body(*(message(kind) for kind in TYPES))
    async with door(SECRET) as opened:
        assert (await opened.post(raw, BASIC))[0] == 202
        assert (await opened.post(raw, BASIC))[0] == 202
    assert len({one.id for one in opened.taken}) == len(TYPES)
    assert opened.outcomes() == {"accepted": 1, "duplicate": 1}


async def test_v1_is_told_to_use_v3_and_nothing_is_switched_off() -> None:
    async with door(SECRET) as opened:
        status, text = await opened.post(V1, BASIC)
    assert (status, "Generic Webhook (v3)" in text) == (200, True)
    assert opened.outcomes() == {"legacy_v1": 1}


async def test_nothing_to_understand_is_refused_and_the_store_away_is_tried_again() -> None:
    async with door(SECRET) as opened:
        assert (await opened.post(body({"event": "incident.trigger"}), BASIC))[0] == 400
        opened.store_is_away = True
        assert (await opened.post(body(message()), BASIC))[0] == 503
    assert opened.outcomes() == {"not_a_webhook": 1, "store_away": 1}


async def test_a_v3_delivery_is_never_taken_for_an_old_one() -> None:
    async with door(SECRET) as opened:
        status, _ = await opened.post(body(message()), {**BASIC, "X-PagerDuty-Signature": "v1=" + "0" * 64})
    assert (status, opened.taken) == (503, [])
