"""Linking a person from outside says how far it came."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.linking import NotLinked, link, unlink
from bot.sandbox.server import Sandbox
from tests.sandbox.slack.forms import plain
from tests.sandbox.slack.listening_bot import ListeningBot


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    running = Sandbox(speed=100)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[ListeningBot]:
    listening = ListeningBot(sandbox.slack.signing_secret)
    sandbox.connect(await listening.start())
    yield listening
    await listening.stop()


def offer(url: str) -> dict[str, object]:
    """A private reply with a Link button."""
    button = {"type": "button", "action_id": "link", "text": plain("Link"), "url": url}
    return {"text": "Link first", "blocks": [{"type": "actions", "elements": [button]}]}


async def test_the_button_is_pressed_and_the_pages_are_walked(sandbox: Sandbox, bot: ListeningBot) -> None:
    bot.answer = offer(f"{str(sandbox.slack.delivery.url).removesuffix('/slack/events')}/link")
    assert await link(sandbox.slack, "U0UMA") == "The bot"
    pressed = sandbox.slack.journal.deliveries("block_actions")
    assert [one.actor for one in pressed] == ["U0UMA"]


async def test_a_page_that_fails_is_told(sandbox: Sandbox, bot: ListeningBot) -> None:
    bot.answer = offer(f"{sandbox.pagerduty_url}/oauth/authorize?client_id=nobody")
    with pytest.raises(NotLinked, match=r"U0UMA came to 400: .*This link does not work"):
        await link(sandbox.slack, "U0UMA")


async def test_so_is_what_the_bot_says_instead_of_a_button(sandbox: Sandbox, bot: ListeningBot) -> None:
    bot.answer = {"text": "You are linked already"}
    with pytest.raises(NotLinked, match="U0UMA asked to link and was told: You are linked already"):
        await link(sandbox.slack, "U0UMA", within=0.1)
    assert await unlink(sandbox.slack, "U0UMA") == "You are linked already"
