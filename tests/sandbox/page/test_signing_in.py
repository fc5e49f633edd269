"""A button that leads out reaches the bot and opens a tab, where the fakes know who sits there."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.pagerduty.oauth import challenge_of
from bot.sandbox.server import Sandbox
from tests.sandbox.slack.forms import plain
from tests.sandbox.slack.listening_bot import ListeningBot

TICKET = "a-ticket-of-43-characters-that-nobody-guess"


def bot_of(sandbox: Sandbox) -> str:
    """Where the bot is."""
    return str(sandbox.slack.delivery.url).removesuffix("/slack/events")


def pagerduty_asks(sandbox: Sandbox, **more: str) -> str:
    """The address of the consent page, as the bot's app would send somebody to it."""
    query = {
        "client_id": sandbox.oauth_client_id,
        "redirect_uri": f"{bot_of(sandbox)}/pagerduty/callback",
        "response_type": "code",
        "scope": "incidents.read incidents.write schedules.read users.read oncalls.read",
        "state": "nonce",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
        **more,
    }
    return f"{sandbox.pagerduty_url}/oauth/authorize?{urlencode(query)}"


def slack_asks(sandbox: Sandbox) -> str:
    """The same of Sign in with Slack."""
    query = {
        "client_id": sandbox.slack.tokens.client_id,
        "redirect_uri": f"{bot_of(sandbox)}/slack/signed_in",
        "response_type": "code",
        "scope": "openid email",
        "state": "some state",
        "nonce": "some nonce",
    }
    return f"{sandbox.slack.acting.origin}/openid/connect/authorize?{urlencode(query)}"


async def offer(sandbox: Sandbox, url: str) -> None:
    """A message with a button that leads there."""
    button = {"type": "button", "action_id": "link", "text": plain("Link"), "url": url, "value": TICKET}
    client = AsyncWebClient(sandbox.slack.bot_token, base_url=sandbox.slack_api_url)
    blocks = [{"type": "actions", "elements": [button]}]
    await client.chat_postMessage(channel="C0CHECK", text="Link your account", blocks=blocks)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
async def test_the_consent_page_knows_who_pressed(
    sandbox: Sandbox, bot: ListeningBot, browser_page: Page, width: int, height: int
) -> None:
    sandbox.connect(bot_of(sandbox))
    page = browser_page
    await page.set_viewport_size({"width": width, "height": height})
    await page.get_by_label("I am").select_option(label="Uma Ueda")
    await offer(sandbox, pagerduty_asks(sandbox))
    log = page.get_by_role("log", name="Messages", exact=True)
    async with page.context.expect_page() as opened:
        await log.get_by_role("button", name="Link").click()
    tab = await opened.value
    await bot.wait_for(1)
    assert (bot.last["user"]["id"], bot.last["actions"][0]["value"]) == ("U0UMA", TICKET)
    assert "url" not in bot.last["actions"][0]

    await expect(tab.get_by_role("heading", level=1)).to_have_text(
        "Allow Pagerline to use your PagerDuty account?"
    )
    await expect(tab.get_by_text("Signed in as")).to_contain_text("Uma Ueda")
    assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await tab.get_by_text("Not you?").click()
    await tab.get_by_role("link", name="Sign in as Bob Brown").click()
    await expect(tab.get_by_text("Signed in as")).to_contain_text("Bob Brown")
    async with tab.expect_request(lambda request: "/pagerduty/callback" in request.url) as back:
        await tab.get_by_role("button", name="Deny").click()
    assert "error=access_denied" in (await back.value).url
    assert sandbox.pagerduty.oauth.count("denied", "PBOB002") == 1
    await tab.close()


async def test_slack_asks_who_one_is_when_nobody_chose(
    sandbox: Sandbox, bot: ListeningBot, browser_page: Page
) -> None:
    sandbox.connect(bot_of(sandbox))
    tab = browser_page
    await tab.goto("about:blank")
    await tab.context.clear_cookies()
    await tab.goto(slack_asks(sandbox))
    await tab.get_by_role("link", name="Sign in as Dana Diaz").click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Pagerline asks who you are in Slack")
    await expect(tab.get_by_text("Signed in as")).to_contain_text("Dana Diaz")
    async with tab.expect_request(lambda request: "code=" in request.url):
        await tab.get_by_role("button", name="Allow").click()
