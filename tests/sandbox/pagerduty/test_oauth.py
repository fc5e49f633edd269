"""Signing in: codes with PKCE, one use, 30 seconds, refresh rotation, refusals."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.pagerduty.oauth import challenge_of
from bot.sandbox.world import acme
from tests.sandbox.pagerduty.conftest import Api, running

BACK = "http://127.0.0.1:3000/pagerduty/callback"
VERIFIER = "v" * 43


class Browser:
    """A person in front of PagerDuty's pages, and the app that exchanges what comes back."""

    def __init__(self, api: Api, clock: list[datetime]) -> None:
        self.api = api
        self.clock = clock

    async def authorize(self, **extra: str) -> tuple[int, dict[str, list[str]], str]:
        query = {
            "client_id": "pagerline",
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid incidents.read incidents.write nonsense.read",
            "state": "nonce",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **extra,
        }
        url = f"{self.api.pagerduty.origin}/oauth/authorize"
        async with self.api.session.get(url, params=query, allow_redirects=False) as response:
            address = response.headers.get("Location", "")
            return response.status, parse_qs(urlsplit(address).query), await response.text()

    async def code(self, user: str = "PALICE1") -> str:
        _, query, _ = await self.authorize(**{"as": user})
        assert query["state"] == ["nonce"]
        return query["code"][0]

    async def token(self, **form: str) -> tuple[int, Any]:
        base = {"client_id": "pagerline", "client_secret": "hush"}
        url = f"{self.api.pagerduty.origin}/oauth/token"
        async with self.api.session.post(url, data={**base, **form}) as response:
            return response.status, await response.json()

    async def exchange(self, code: str, **form: str) -> tuple[int, Any]:
        base = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
        return await self.token(code=code, **{**base, **form})


@pytest.fixture
async def browser(session: aiohttp.ClientSession) -> AsyncIterator[Browser]:
    clock = [datetime(2026, 3, 4, 12, tzinfo=UTC)]
    async with running(FakePagerDuty(acme(), clock=lambda: clock[0])) as pagerduty:
        pagerduty.register_oauth_app("pagerline", [BACK], "hush")
        yield Browser(Api(session, pagerduty), clock)


async def test_a_code_becomes_tokens_that_act_as_the_person(browser: Browser) -> None:
    status, answer = await browser.exchange(await browser.code("PBOB002"))
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "bearer", 86_400)
    assert answer["scope"] == "incidents.read incidents.write openid", "what is unknown is left out silently"
    claims = answer["id_token"].split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "==="))["user_id"] == "PBOB002"
    bearer = f"Bearer {answer['access_token']}"
    me = await browser.api.get("/users/me", authorization=bearer, by=None)
    assert me["user"]["email"] == "bob@acme.example"
    assert answer["access_token"] not in str(browser.api.pagerduty.journal)
    assert "hush" not in str(browser.api.pagerduty.journal)


async def test_a_code_works_once_and_for_thirty_seconds(browser: Browser) -> None:
    code = await browser.code()
    assert (await browser.exchange(code))[0] == 200
    assert (await browser.exchange(code))[1]["error"] == "invalid_grant"
    late = await browser.code()
    browser.clock[0] += timedelta(seconds=31)
    assert (await browser.exchange(late))[1]["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1/elsewhere"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "other"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_exchange_is_refused(browser: Browser, form: dict[str, str], error: str) -> None:
    _, answer = await browser.exchange(await browser.code(), **form)
    assert answer["error"] == error


async def test_a_refresh_ends_the_token_it_used(browser: Browser) -> None:
    _, first = await browser.exchange(await browser.code())
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    status, second = await browser.token(**form)
    assert (status, "id_token" in second) == (200, False)
    assert second["refresh_token"] != first["refresh_token"]
    assert (await browser.token(**form))[1]["error"] == "invalid_grant"


async def test_an_access_token_lasts_a_day(browser: Browser) -> None:
    _, answer = await browser.exchange(await browser.code())
    browser.clock[0] += timedelta(days=1, seconds=1)
    status, _ = await browser.api.call("GET", "/users/me", authorization=f"Bearer {answer['access_token']}")
    assert status == 401


async def test_the_consent_page_offers_people_and_no(browser: Browser) -> None:
    status, _, page = await browser.authorize()
    assert status == 200
    assert "Allow as Alice Anderson" in page
    _, query, _ = await browser.authorize(deny="1")
    assert (query["error"], query["state"]) == (["access_denied"], ["nonce"])


async def test_without_pkce_or_with_an_unknown_address_nobody_gets_a_code(browser: Browser) -> None:
    _, query, _ = await browser.authorize(code_challenge="", **{"as": "PALICE1"})
    assert query["error"] == ["invalid_request"]
    status, query, _ = await browser.authorize(redirect_uri="http://evil.example/", **{"as": "PALICE1"})
    assert (status, query) == (400, {})


async def test_app_tokens_have_no_user(browser: Browser) -> None:
    form = {"grant_type": "client_credentials", "scope": "as_account-us.acme incidents.read"}
    status, answer = await browser.token(**form)
    assert (status, "refresh_token" in answer) == (200, False)
    bearer = f"Bearer {answer['access_token']}"
    await browser.api.get("/incidents", authorization=bearer, by=None)
    status, _ = await browser.api.call("GET", "/users/me", authorization=bearer)
    assert status == 400


async def test_revoking_ends_a_persons_tokens(browser: Browser) -> None:
    _, answer = await browser.exchange(await browser.code())
    browser.api.pagerduty.control.revoke("PALICE1")
    status, _ = await browser.api.call("GET", "/users/me", authorization=f"Bearer {answer['access_token']}")
    assert status == 401
