"""Signing in: codes with PKCE, one use, 30 seconds, refresh rotation, refusals."""

from __future__ import annotations

import asyncio
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
from bot.sandbox.sign_in_page import PRESENT_PERSON
from bot.sandbox.world import acme
from tests.sandbox.pagerduty.conftest import Api, running, until

BACK = "http://127.0.0.1:3000/pagerduty/callback"
VERIFIER = "v" * 43


class Browser:
    """A person in front of PagerDuty's pages, and the app that exchanges what comes back."""

    def __init__(self, api: Api, clock: list[datetime]) -> None:
        self.api = api
        self.clock = clock
        self.oauth = api.pagerduty.oauth

    def query(self, **extra: str) -> dict[str, str]:
        return {
            "client_id": "pagerline",
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid incidents.read incidents.write nonsense.read",
            "state": "nonce",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **extra,
        }

    async def opens(self, person: str = "", **extra: str) -> tuple[int, dict[str, list[str]], str]:
        """The consent page, with `person` (a Slack id) at the sandbox's page."""
        url = f"{self.api.pagerduty.origin}/oauth/authorize"
        cookies = {"Cookie": f"{PRESENT_PERSON}={person}"} if person else {}
        async with self.api.session.get(
            url, params=self.query(**extra), allow_redirects=False, headers=cookies
        ) as response:
            address = response.headers.get("Location", "")
            return response.status, parse_qs(urlsplit(address).query), await response.text()

    async def decides(
        self, decision: str, user: str = "U0ALICE", **extra: str
    ) -> tuple[int, dict[str, list[str]], str]:
        url = f"{self.api.pagerduty.origin}/oauth/authorize"
        form = {"decision": decision, "user": user}
        async with self.api.session.post(
            url, params=self.query(**extra), data=form, allow_redirects=False
        ) as response:
            address = response.headers.get("Location", "")
            return response.status, parse_qs(urlsplit(address).query), await response.text()

    async def code(self, user: str = "U0ALICE", **extra: str) -> str:
        status, query, _ = await self.decides("allow", user, **extra)
        assert (status, query["state"]) == (303, ["nonce"])
        return query["code"][0]

    async def token(self, **form: str) -> tuple[int, Any]:
        base = {"client_id": "pagerline", "client_secret": "hush"}
        url = f"{self.api.pagerduty.origin}/oauth/token"
        async with self.api.session.post(url, data={**base, **form}) as response:
            return response.status, await response.json()

    async def exchange(self, code: str, **form: str) -> tuple[int, Any]:
        base = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
        return await self.token(code=code, **{**base, **form})

    async def link(self, user: str = "U0ALICE", **extra: str) -> Any:
        """The tokens a person has allowed."""
        status, answer = await self.exchange(await self.code(user, **extra))
        assert status == 200, answer
        return answer

    async def refresh(self, tokens: Any) -> tuple[int, Any]:
        return await self.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    async def me(self, tokens: Any) -> int:
        """The status of `GET /users/me` with an access token."""
        bearer = f"Bearer {tokens['access_token']}"
        status, _ = await self.api.call("GET", "/users/me", authorization=bearer, by=None)
        return status


@pytest.fixture
async def browser(session: aiohttp.ClientSession) -> AsyncIterator[Browser]:
    clock = [datetime(2026, 3, 4, 12, tzinfo=UTC)]
    async with running(FakePagerDuty(acme(), clock=lambda: clock[0])) as pagerduty:
        pagerduty.register_oauth_app("pagerline", [BACK], "hush")
        yield Browser(Api(session, pagerduty), clock)


async def test_a_code_becomes_tokens_that_act_as_the_person(browser: Browser) -> None:
    status, answer = await browser.exchange(await browser.code("U0BOB"))
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
    first = await browser.link()
    status, second = await browser.refresh(first)
    assert (status, "id_token" in second) == (200, False)
    assert second["refresh_token"] != first["refresh_token"]
    assert (await browser.refresh(first))[1]["error"] == "invalid_grant"
    assert [browser.oauth.count(what, "PALICE1") for what in ("exchange", "refresh")] == [1, 1]
    assert browser.oauth.count("refused") == 1


async def test_tokens_of_scoped_apps_last_a_day_and_thirty(browser: Browser) -> None:
    tokens = await browser.link()
    browser.clock[0] += timedelta(days=1, seconds=1)
    assert await browser.me(tokens) == 401
    status, renewed = await browser.refresh(tokens)
    assert status == 200
    browser.oauth.let_pass(timedelta(days=30))
    assert (await browser.refresh(renewed))[1]["error"] == "invalid_grant"


async def test_tokens_of_classic_apps_last_longer_and_know_read_and_write(browser: Browser) -> None:
    browser.oauth.change_app("pagerline", kind="classic", client_secret=None)
    tokens = await browser.link(scope="read write incidents.read")
    assert (tokens["scope"], tokens["expires_in"]) == ("openid read write", 30 * 86_400)
    browser.oauth.let_pass(timedelta(days=209))
    assert await browser.me(tokens) == 401
    assert (await browser.refresh(tokens))[0] == 200


async def test_scopes_are_cut_to_those_of_the_registration(browser: Browser) -> None:
    browser.oauth.change_app("pagerline", scopes=frozenset({"incidents.read"}))
    tokens = await browser.link()
    assert tokens["scope"] == "incidents.read openid"
    assert (await browser.link(scope="incidents.reed read write"))["scope"] == "openid"


async def test_the_page_knows_who_sits_there_and_asks_in_plain_words(browser: Browser) -> None:
    status, _, page = await browser.opens("U0UMA")
    assert status == 200
    assert "Signed in as <strong>Uma Ueda</strong>" in page
    assert "In your name it may change" in page
    assert "<li>incidents</li>" in page
    assert browser.oauth.count("consent") == 0, "looking allows nothing"
    _, _, other = await browser.opens("U0UMA", **{"as": "U0BOB"})
    assert "Signed in as <strong>Bob Brown</strong>" in other


@pytest.mark.parametrize("person", ["", "U0DANA"])
async def test_whoever_has_no_pagerduty_user_is_asked_who_they_are(browser: Browser, person: str) -> None:
    _, _, page = await browser.opens(person)
    assert "Nobody is signed in here" in page
    assert "Sign in as Alice Anderson" in page
    assert "Dana" not in page
    assert 'value="allow"' not in page


async def test_denying_says_so_and_makes_no_code(browser: Browser) -> None:
    status, query, _ = await browser.decides("deny")
    assert (status, query["error"], query["state"]) == (303, ["access_denied"], ["nonce"])
    assert "code" not in query


async def test_what_the_app_sends_is_drawn_and_never_run(browser: Browser) -> None:
    browser.oauth.change_app("pagerline", name="<script>alert(1)</script>")
    _, _, page = await browser.opens("U0UMA", state='"><script>')
    assert "<script>" not in page


async def test_without_pkce_or_with_an_unknown_address_nobody_gets_a_code(browser: Browser) -> None:
    for act in (browser.opens(code_challenge=""), browser.decides("allow", code_challenge="")):
        _, query, _ = await act
        assert query["error"] == ["invalid_request"]
    for wrong in ("http://evil.example/", BACK + "/", BACK + "?next=1"):
        for act in (browser.opens(redirect_uri=wrong), browser.decides("allow", redirect_uri=wrong)):
            status, query, page = await act
            assert (status, query) == (400, {})
            assert "This link does not work" in page


async def test_app_tokens_have_no_user(browser: Browser) -> None:
    form = {"grant_type": "client_credentials", "scope": "as_account-us.acme incidents.read"}
    status, answer = await browser.token(**form)
    assert (status, "refresh_token" in answer) == (200, False)
    bearer = f"Bearer {answer['access_token']}"
    await browser.api.get("/incidents", authorization=bearer, by=None)
    status, _ = await browser.api.call("GET", "/users/me", authorization=bearer)
    assert status == 400


async def test_revoking_in_pagerduty_ends_all_of_a_persons_tokens(browser: Browser) -> None:
    tokens, other = await browser.link(), await browser.link("U0BOB")
    assert browser.oauth.revoke_all_of("PALICE1") == 2
    assert (await browser.me(tokens), await browser.me(other)) == (401, 200)
    assert (await browser.refresh(tokens))[1]["error"] == "invalid_grant"


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_the_app_revokes_what_one_consent_gave(browser: Browser, which: str) -> None:
    tokens, later = await browser.link(), await browser.link()
    url = f"{browser.api.pagerduty.origin}/oauth/revoke"
    form = {"client_id": "pagerline", "client_secret": "hush", "token": tokens[which]}
    async with browser.api.session.post(url, data={**form, "client_secret": "guess"}) as response:
        assert response.status == 401
    assert await browser.me(tokens) == 200
    for _ in range(2):
        async with browser.api.session.post(url, data=form) as response:
            assert response.status == 200, "an unknown token is no error"
    assert (await browser.me(tokens), await browser.me(later)) == (401, 200)
    assert (await browser.refresh(tokens))[1]["error"] == "invalid_grant"


async def test_expired_and_refused_tokens_are_told_apart(browser: Browser) -> None:
    tokens = await browser.link()
    access = browser.api.pagerduty.access
    assert access.holds("PALICE1")
    access.expire("PALICE1")
    assert not access.holds("PALICE1")
    assert await browser.me(tokens) == 401
    status, renewed = await browser.refresh(tokens)
    assert (status, await browser.me(renewed)) == (200, 200)
    browser.oauth.refuse_refresh("PALICE1")
    assert await browser.me(renewed) == 200
    assert (await browser.refresh(renewed))[1]["error"] == "invalid_grant"


async def test_tokens_of_the_other_region_are_good_only_there(browser: Browser) -> None:
    browser.oauth.move("PALICE1", "eu")
    tokens = await browser.link()
    assert await browser.me(tokens) == 401
    assert (await browser.refresh(tokens))[0] == 200
    claims = json.loads(base64.urlsafe_b64decode(tokens["id_token"].split(".")[1] + "==="))
    assert claims["aud"][0] == "https://api.eu.pagerduty.com"
    _, _, page = await browser.opens("U0ALICE")
    assert "EU service region" in page


async def test_a_refresh_can_be_carried_out_and_never_answered(browser: Browser) -> None:
    tokens = await browser.link()
    browser.api.pagerduty.outage(
        "drop_after", paths=("/oauth/token",), fields={"grant_type": "refresh_token"}, count=1
    )
    await browser.link("U0BOB")
    with pytest.raises(aiohttp.ClientError):
        await browser.refresh(tokens)
    assert browser.oauth.count("refresh", "PALICE1") == 1
    assert (await browser.refresh(tokens))[1]["error"] == "invalid_grant"


async def test_a_refresh_can_be_answered_late(browser: Browser) -> None:
    tokens = await browser.link()
    browser.api.pagerduty.outage("late", paths=("/oauth/token",), seconds=0.05, count=1)
    asking = asyncio.create_task(browser.refresh(tokens))
    await until(lambda: browser.oauth.count("refresh") == 1)
    assert not asking.done()
    assert (await asking)[0] == 200


async def test_oauth_takes_no_json(browser: Browser) -> None:
    url = f"{browser.api.pagerduty.origin}/oauth/token"
    async with browser.api.session.post(url, json={"client_id": "pagerline"}) as response:
        assert response.status == 401


async def test_nothing_secret_stands_in_the_journal(browser: Browser) -> None:
    tokens = await browser.link()
    _, renewed = await browser.refresh(tokens)
    url = f"{browser.api.pagerduty.origin}/oauth/revoke"
    form = {"client_id": "pagerline", "client_secret": "hush", "token": renewed["refresh_token"]}
    async with browser.api.session.post(url, data=form) as response:
        assert response.status == 200
    await browser.opens("U0ALICE")
    written = str(browser.api.pagerduty.journal)
    known = [tokens[name] for name in ("access_token", "refresh_token", "id_token")]
    for secret in (*known, renewed["refresh_token"], "hush", VERIFIER, challenge_of(VERIFIER), "'nonce'"):
        assert secret not in written
