"""PagerDuty's sign-in over real HTTP: what is asked, what an answer means, and nothing is asked twice."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.pagerduty.credentials import UserToken
from bot.pagerduty.oauth import (
    DAY,
    Granted,
    OAuthRefused,
    OAuthUnavailable,
)
from tests.accounts.replicas import CLIENT_ID, CLIENT_SECRET, REDIRECT, SCOPES, Site, site_on

Answer = Callable[[], Awaitable[web.StreamResponse]]
REFRESH = SecretStr("planted-refresh-token")


@pytest.fixture
async def site(sqlite_url: str) -> AsyncIterator[Site]:
    async with site_on(sqlite_url) as opened:
        yield opened


# ----------------------------------------------------------------------------------------------- consenting


async def test_the_address_of_the_consent_page_says_all_pagerduty_wants(site: Site) -> None:
    address = urlsplit(site.app().authorize_url("s&t=", "challenge"))
    assert (address.netloc, address.path) == (urlsplit(site.fake.origin).netloc, "/oauth/authorize")
    asked = {name: values[0] for name, values in parse_qs(address.query, strict_parsing=True).items()}
    assert set(asked.pop("scope").split()) == {"openid", "users.read", *SCOPES}
    assert asked == {
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "code_challenge": "challenge",
        "code_challenge_method": "S256",
        "state": "s&t=",
    }
    assert CLIENT_SECRET not in address.query


async def test_a_classic_app_asks_to_read_and_write(site: Site) -> None:
    asked = parse_qs(urlsplit(site.app(kind="classic").authorize_url("s", "c")).query)
    assert asked["scope"] == ["read write"]


async def test_a_code_is_exchanged_for_a_pair_that_works(site: Site) -> None:
    granted = await site.granted("PALICE1")
    assert granted.expires_in == DAY
    assert granted.refresh is not None
    assert site.app().missing_scopes(granted) == frozenset()
    one = await site.replica()
    me = await site.me(one, granted)
    assert (me.id, me.name, me.email) == ("PALICE1", "Alice Anderson", "alice@acme.example")


async def test_a_code_works_once_and_only_with_its_verifier(site: Site) -> None:
    app, verifier = site.app(), secrets.token_urlsafe(48)
    code = site.consent(app, "PALICE1", verifier)
    with pytest.raises(OAuthRefused) as refused:
        await app.exchange(code, secrets.token_urlsafe(48))
    assert refused.value.is_used_up
    assert refused.value.status == 400
    with pytest.raises(OAuthRefused):
        await app.exchange(code, verifier)


async def test_what_was_not_granted_is_named(site: Site) -> None:
    site.fake.oauth.change_app(CLIENT_ID, scopes=frozenset({"users.read", "incidents.read"}))
    granted = await site.granted("PALICE1")
    assert site.app().missing_scopes(granted) == {"incidents.write", "oncalls.read"}


@pytest.mark.parametrize(
    ("granted", "missing"), [("openid write", ""), ("openid read", "write"), ("openid", "read write")]
)
async def test_write_covers_read_in_a_classic_app(site: Site, granted: str, missing: str) -> None:
    pair = Granted(SecretStr("a"), None, frozenset(granted.split()), 1.0)
    assert site.app(kind="classic").missing_scopes(pair) == frozenset(missing.split())


# ------------------------------------------------------------------------------------ refreshing, revoking


async def test_a_refresh_gives_a_new_pair_and_uses_up_the_old_one(site: Site) -> None:
    app, first = site.app(), await site.granted("PALICE1")
    assert first.refresh
    second = await app.refresh(first.refresh)
    assert second.refresh
    assert len({first.access, second.access, first.refresh, second.refresh}) == 4
    with pytest.raises(OAuthRefused) as refused:
        await app.refresh(first.refresh)
    assert refused.value.is_used_up


async def test_a_wrong_client_secret_is_told_apart(site: Site) -> None:
    granted = await site.granted("PALICE1")
    assert granted.refresh
    with pytest.raises(OAuthRefused) as refused:
        await site.app(client_secret=SecretStr("made-up")).refresh(granted.refresh)
    assert (refused.value.error, refused.value.is_used_up) == ("invalid_client", False)


async def test_revoking_ends_the_consent_and_is_best_effort(site: Site) -> None:
    granted = await site.granted("PALICE1")
    assert granted.refresh
    assert await site.app().revoke(granted.refresh)
    assert site.fake.access.tokens() == []
    site.fake.outage("down", paths=["/oauth"])
    assert not await site.app().revoke(granted.refresh)


@pytest.mark.parametrize(
    ("mode", "maybe_done"),
    [("down", True), ("error", True), ("drop_before", True), ("drop_after", True), ("limited", False)],
)
async def test_no_answer_is_no_refusal_and_asked_once(site: Site, mode: Any, maybe_done: bool) -> None:
    site.asked()
    site.fake.outage(mode, paths=["/oauth"])
    with pytest.raises(OAuthUnavailable) as failed:
        await site.app().refresh(REFRESH)
    assert failed.value.maybe_done == maybe_done
    assert site.asked() == 1


async def test_a_slow_answer_is_not_waited_for(site: Site) -> None:
    site.fake.outage("slow", paths=["/oauth"], seconds=5)
    with pytest.raises(OAuthUnavailable, match="in time") as failed:
        await site.app(call_seconds=0.05).refresh(REFRESH)
    assert failed.value.maybe_done


async def test_nobody_there_means_that_nothing_happened(site: Site) -> None:
    with pytest.raises(OAuthUnavailable, match="cannot be reached") as failed:
        await site.app(identity_url="http://127.0.0.1:9").refresh(REFRESH)
    assert not failed.value.maybe_done


# ------------------------------------------------------------------------------------------ odd answers


Serve = Callable[[int, str], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Something at PagerDuty's place that gives one answer; gives its origin."""
    runners: list[web.AppRunner] = []

    async def start(status: int, body: str) -> str:
        async def answer(request: web.Request) -> web.Response:
            del request
            return web.Response(status=status, text=body, content_type="application/json")

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    await asyncio.gather(*(runner.cleanup() for runner in runners))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>"),
        (200, "[]"),
        (200, "{}"),
        (200, '{"access_token": ""}'),
        (200, '{"access_token": 7}'),
        (302, ""),
        (500, '{"error": "invalid_grant"}'),
        (503, ""),
        (408, '{"error": "invalid_grant"}'),
    ],
)
async def test_what_means_nothing_ends_nothing(site: Site, serve: Serve, status: int, body: str) -> None:
    with pytest.raises(OAuthUnavailable):
        await site.app(identity_url=await serve(status, body)).refresh(REFRESH)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "400"),
        ("no", "400"),
        ("[]", "400"),
        ('{"error": {"message": "planted"}}', "400"),
        ('{"error": "Planted words, with a planted-refresh-token"}', "400"),
        ('{"error": "invalid_grant", "error_description": "planted-refresh-token"}', "invalid_grant"),
    ],
)
async def test_a_refusal_passes_on_oauths_word_and_nothing_else(
    site: Site, serve: Serve, body: str, error: str
) -> None:
    with pytest.raises(OAuthRefused) as refused:
        await site.app(identity_url=await serve(400, body)).refresh(REFRESH)
    assert refused.value.error == error
    assert "planted" not in str(refused.value).lower()


@pytest.mark.parametrize(
    ("more", "expires_in"),
    [
        ('"expires_in": 864000', 864000.0),
        ('"expires_in": "soon"', DAY),
        ('"expires_in": -1', DAY),
        ('"scope": null', DAY),
    ],
)
async def test_what_an_answer_leaves_out_has_a_default(
    site: Site, serve: Serve, more: str, expires_in: float
) -> None:
    app = site.app(identity_url=await serve(200, f'{{"access_token": "a", {more}}}'))
    granted = await app.refresh(REFRESH)
    assert granted == Granted(SecretStr("a"), None, frozenset(), expires_in)
    assert (await app.exchange("code", "verifier")).scopes == app.scopes


async def test_secrets_stand_in_no_log_and_no_failure(site: Site, serve: Serve) -> None:
    with capture_logs() as logs:
        for origin in ("http://127.0.0.1:9", await serve(400, "{}"), await serve(200, "{}")):
            with pytest.raises((OAuthRefused, OAuthUnavailable)) as failed:
                await site.app(identity_url=origin).refresh(REFRESH)
            assert failed.value.__cause__ is None
            assert "planted" not in str(failed.value)
    told = f"{logs} {site.app()!r} {UserToken(REFRESH)!r}"
    assert "planted" not in told
    assert CLIENT_SECRET not in told
