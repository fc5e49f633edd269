"""The sandbox as a whole: everything starts, finds the bot, and stops without a trace."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.pagerduty.oauth import OAuthError
from bot.sandbox.server import Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    running = Sandbox(speed=100)
    await running.start()
    yield running
    await running.stop()


async def test_slack_pagerduty_and_the_page_answer(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(sandbox.slack.bot_token, base_url=sandbox.slack_api_url, session=session)
        assert (await client.auth_test())["team"] == "Acme"
        headers = {
            "Authorization": f"Token token={sandbox.pagerduty.api_key}",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
        async with session.get(f"{sandbox.pagerduty_url}/services", headers=headers) as answer:
            assert "Checkout" in [s["name"] for s in (await answer.json())["services"]]
        async with session.get(sandbox.page_url) as answer:
            assert "Pagerline sandbox" in await answer.text()


async def test_connect_sends_both_sides_to_the_bot_with_the_secrets_known_before(sandbox: Sandbox) -> None:
    got: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    async def receive(request: web.Request) -> web.Response:
        raw = await request.read()
        if request.path == "/pagerduty/webhook":
            digest = hmac.new(sandbox.webhook_secret.encode(), raw, hashlib.sha256).hexdigest()
            genuine = f"v1={digest}" in request.headers["X-PagerDuty-Signature"]
        else:
            stamp = request.headers["X-Slack-Request-Timestamp"].encode()
            base = b"v0:" + stamp + b":" + raw
            digest = hmac.new(sandbox.slack.signing_secret.encode(), base, hashlib.sha256).hexdigest()
            genuine = request.headers["X-Slack-Signature"] == f"v0={digest}"
        await got.put((request.path, genuine))
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/{path:.*}", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        sandbox.connect(f"http://127.0.0.1:{runner.addresses[0][1]}")
        sandbox.pagerduty.trigger("PSVCCHK", "Disk full")
        assert await asyncio.wait_for(got.get(), 30) == ("/pagerduty/webhook", True)
        await sandbox.slack.command("U0ALICE", "C0CHECK", "list")
        seen = {await asyncio.wait_for(got.get(), 30)}
        while not got.empty():
            seen.add(got.get_nowait())
        assert ("/slack/events", True) in seen
    finally:
        await runner.cleanup()


async def test_connecting_again_moves_both_sides_to_the_new_bot(sandbox: Sandbox) -> None:
    sandbox.connect("http://127.0.0.1:9")
    sandbox.connect("http://127.0.0.1:10/")
    assert sandbox.slack.delivery.url == "http://127.0.0.1:10/slack/events"
    url = f"{sandbox.pagerduty_url}/control/state"
    async with aiohttp.ClientSession() as session, session.post(url, json={}) as answer:
        subscriptions = (await answer.json())["result"]["webhook_subscriptions"]
    assert [s["delivery_method"]["url"] for s in subscriptions] == ["http://127.0.0.1:10/pagerduty/webhook"]


async def test_browsers_may_be_sent_back_to_every_bot_that_was_connected(sandbox: Sandbox) -> None:
    for port in (9, 10):
        sandbox.connect(f"http://127.0.0.1:{port}/")
        query = {"client_id": sandbox.oauth_client_id, "response_type": "code"}
        for known in range(9, port + 1):
            back = f"http://127.0.0.1:{known}/pagerduty/callback"
            assert sandbox.pagerduty.oauth.ask({**query, "redirect_uri": back}).redirect_uri == back
            assert f"http://127.0.0.1:{known}/slack/signed_in" in sandbox.slack.tokens.redirect_uris
        with pytest.raises(OAuthError):
            sandbox.pagerduty.oauth.ask({**query, "redirect_uri": f"http://127.0.0.1:{port}/elsewhere"})


async def test_a_taken_port_is_an_error_and_leaves_nothing_running(sandbox: Sandbox) -> None:
    port = int(sandbox.page_url.rsplit(":", 1)[1])
    second = Sandbox(page_port=port)
    with pytest.raises(OSError, match=str(port)):
        await second.start()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(second.pagerduty_url)
