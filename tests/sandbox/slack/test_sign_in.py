"""Sign in with Slack: the page, one code for one address, an identity token for the app that asked."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.sign_in_page import PRESENT_PERSON
from bot.sandbox.slack import FakeSlack
from tests.sandbox.slack.conftest import Clock
from tests.sandbox.slack.refusal import refused

BACK = "http://127.0.0.1:3000/slack/back"


def basic(slack: FakeSlack) -> str:
    """What stands behind `Basic` for the app."""
    return base64.b64encode(f"{slack.tokens.client_id}:{slack.tokens.client_secret}".encode()).decode()


class Browser:
    """A person in front of Slack's page, and the app that exchanges what comes back."""

    def __init__(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        self.slack = slack
        self.client = client

    async def opens(
        self, person: str = "", decision: str = "", **extra: str
    ) -> tuple[int, dict[str, list[str]], str]:
        """Look at the page, or with a decision send its form."""
        query = {
            "client_id": self.slack.tokens.client_id,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid",
            "state": "some state",
            "nonce": "some nonce",
            **extra,
        }
        url = f"{self.slack.acting.origin}/openid/connect/authorize"
        headers = {"Cookie": f"{PRESENT_PERSON}={person}"} if person else {}
        form = {"decision": decision, "user": person}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                "POST" if decision else "GET",
                url,
                params=query,
                data=form if decision else None,
                headers=headers,
                allow_redirects=False,
            ) as answer,
        ):
            back = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
            return answer.status, back, await answer.text()

    async def code(self, person: str = "U0UMA", **extra: str) -> str:
        status, back, _ = await self.opens(person, "allow", **extra)
        assert (status, back["state"]) == (303, ["some state"])
        return back["code"][0]

    async def exchange(self, code: str, **other: str) -> Any:
        tokens = self.slack.tokens
        given = {"client_id": tokens.client_id, "client_secret": tokens.client_secret, "redirect_uri": BACK}
        return await self.client.api_call("openid.connect.token", data={**given, "code": code, **other})


@pytest.fixture
def browser(slack: FakeSlack, client: AsyncWebClient) -> Browser:
    slack.tokens.redirect_uris.add(BACK)
    return Browser(slack, client)


async def test_a_code_becomes_an_identity_token(browser: Browser, clock: Clock) -> None:
    answer = await browser.exchange(await browser.code())
    claims = json.loads(base64.urlsafe_b64decode(answer["id_token"].split(".")[1] + "==="))
    assert claims["https://slack.com/user_id"] == "U0UMA"
    assert claims["https://slack.com/team_id"] == "T0ACME"
    assert claims["nonce"] == "some nonce"
    assert (claims["iss"], claims["aud"]) == ("https://slack.com", browser.slack.tokens.client_id)
    assert claims["exp"] > clock()
    assert "email" not in claims, "only when the scope asks for it"
    info = await browser.client.openid_connect_userInfo(token=answer["access_token"])
    assert info["sub"] == "U0UMA"


async def test_a_code_works_once_for_its_address_and_ten_minutes(browser: Browser, clock: Clock) -> None:
    code = await browser.code()
    await browser.exchange(code)
    assert await refused(browser.exchange(code)) == "code_already_used"
    other = browser.exchange(await browser.code(), redirect_uri=BACK + "/")
    assert await refused(other) == "bad_redirect_uri"
    late = await browser.code()
    clock.forward(601)
    assert await refused(browser.exchange(late)) == "invalid_code"


async def test_the_app_must_prove_itself(browser: Browser) -> None:
    code = await browser.code()
    assert await refused(browser.exchange(code, client_secret="guess")) == "bad_client_secret"
    assert await refused(browser.exchange(code, client_id="other")) == "invalid_client_id"
    headers = {"Authorization": f"Basic {basic(browser.slack)}"}
    url = f"{browser.slack.acting.origin}/api/openid.connect.token"
    form = {"code": code, "redirect_uri": BACK}
    async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as answer:
        assert (await answer.json())["ok"], "by HTTP Basic too, and the code is still good"


async def test_the_page_says_who_is_signed_in_and_what_is_asked(browser: Browser) -> None:
    status, _, page = await browser.opens("U0DANA", scope="openid email")
    assert status == 200
    assert "Signed in as <strong>Dana Diaz</strong>" in page
    assert "your e-mail address" in page
    _, _, nobody = await browser.opens()
    assert "Who are you?" in nobody
    assert "Sam Stranger" not in nobody
    assert 'value="allow"' not in nobody


async def test_denying_and_asking_wrongly_lead_back_without_a_code(browser: Browser) -> None:
    for decision in ("deny", "allow"):
        scope = "openid" if decision == "deny" else "users:read"
        _, back, _ = await browser.opens("U0UMA", decision, scope=scope)
        assert back["error"] == ["access_denied" if decision == "deny" else "invalid_scope"]
        assert "code" not in back


async def test_nobody_is_sent_to_an_address_that_is_not_the_apps(browser: Browser) -> None:
    for decision in ("", "allow"):
        status, back, page = await browser.opens("U0UMA", decision, redirect_uri="http://evil.example/")
        assert (status, back) == (400, {})
        assert "This link does not work" in page


async def test_nothing_secret_stands_in_the_journal(browser: Browser) -> None:
    code = await browser.code()
    answer = await browser.exchange(code)
    written = str(list(browser.slack.journal))
    known = (answer["access_token"], answer["id_token"], browser.slack.tokens.client_secret)
    for secret in (code, *known, basic(browser.slack)):
        assert secret not in written
