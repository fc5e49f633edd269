"""Sign in with Slack: whose identity token is believed, and whose is not."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.errors import SlackFailure
from bot.model import SlackUser
from bot.slack.sign_in import NotProven, SignedIn, SignIn
from tests.inbound.doors import serving

CLAIMS = {
    "iss": "https://slack.com",
    "aud": "123.456",
    "exp": 1_000_300,
    "nonce": "n0nce",
    "https://slack.com/user_id": "U0UMA",
    "https://slack.com/team_id": "T0ACME",
}


def jwt(claims: Any) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{middle}.c2ln"


@dataclass
class Endpoint:
    """`openid.connect.token`, answering as told and remembering how it was asked."""

    answer: dict[str, Any] = field(default_factory=lambda: {"ok": True, "id_token": jwt(CLAIMS)})
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sign_in: SignIn = field(init=False)

    async def token(self, request: web.Request) -> web.Response:
        self.asked.append((request.headers["Authorization"], dict(await request.post())))
        assert request.query_string == ""
        return web.json_response(self.answer)


@pytest.fixture
async def endpoint(session: aiohttp.ClientSession) -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    async with serving(("POST", "/api/openid.connect.token", endpoint.token)) as origin:
        endpoint.sign_in = SignIn(
            session,
            base_url=f"{origin}/api/",
            client_id="123.456",
            client_secret=SecretStr("very-secret"),
            redirect_uri="https://pager.example.com/slack/signed_in",
            clock=lambda: 1_000_000.0,
        )
        yield endpoint


async def test_whoever_signed_in_is_told(endpoint: Endpoint) -> None:
    signed_in = await endpoint.sign_in.who("c0de", "n0nce")
    assert signed_in == SignedIn(SlackUser("T0ACME", "U0UMA"), None)
    ((proof, form),) = endpoint.asked
    assert base64.b64decode(proof.removeprefix("Basic ")).decode() == "123.456:very-secret"
    assert form == {
        "code": "c0de",
        "redirect_uri": "https://pager.example.com/slack/signed_in",
        "grant_type": "authorization_code",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://slack.example"},
        {"aud": "999.999"},
        {"aud": None},
        {"exp": 999_000},
        {"exp": "soon"},
        {"nonce": "another"},
        {"nonce": None},
        {"https://slack.com/user_id": None},
        {"https://slack.com/team_id": 7},
    ],
)
async def test_a_token_for_somebody_else_or_another_time_proves_nothing(
    endpoint: Endpoint, change: dict[str, Any]
) -> None:
    endpoint.answer["id_token"] = jwt(CLAIMS | change)
    with pytest.raises(NotProven):
        await endpoint.sign_in.who("c0de", "n0nce")


@pytest.mark.parametrize("token", [None, "", "a.b", "a.!!!.c", jwt([1]), f"a.{'W' * 9}.c", 7])
async def test_what_is_no_token_proves_nothing(endpoint: Endpoint, token: Any) -> None:
    endpoint.answer["id_token"] = token
    with pytest.raises(NotProven):
        await endpoint.sign_in.who("c0de", "n0nce")


async def test_slacks_refusal_is_its_own_word(endpoint: Endpoint) -> None:
    endpoint.answer = {"ok": False, "error": "invalid_code"}
    with pytest.raises(SlackFailure, match="invalid_code") as caught:
        await endpoint.sign_in.who("c0de", "n0nce")
    assert "very-secret" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_the_page_to_go_to_stands_on_slacks_own_origin(session: aiohttp.ClientSession) -> None:
    sign_in = SignIn(
        session,
        base_url="https://slack.com/api/",
        client_id="123.456",
        client_secret=SecretStr("very-secret"),
        redirect_uri="https://pager.example.com/slack/signed_in",
    )
    address = sign_in.authorize_url(state="st4te", nonce="n0nce", team_id="T0ACME")
    assert "very-secret" not in address + repr(sign_in)
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://slack.com/openid/connect/authorize"
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "scope": ["openid"],
        "client_id": ["123.456"],
        "redirect_uri": ["https://pager.example.com/slack/signed_in"],
        "state": ["st4te"],
        "nonce": ["n0nce"],
        "team": ["T0ACME"],
    }


@pytest.mark.parametrize(
    ("signed_in", "same"),
    [
        (SignedIn(SlackUser("T0ACME", "U0UMA"), None), True),
        (SignedIn(SlackUser("T0ACME", "U0BOB"), None), False),
        (SignedIn(SlackUser("T0OTHER", "U0UMA"), None), False),
        (SignedIn(SlackUser("T0OTHER", "U0UMA"), "T0ACME"), True),
    ],
)
def test_the_workspace_counts_and_in_a_grid_the_organisation(signed_in: SignedIn, same: bool) -> None:
    assert signed_in.is_same(SlackUser("T0ACME", "U0UMA")) is same
