"""A sandbox with a bot that answers what a test says, and the page in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from bot.sandbox.server import Sandbox
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
    sandbox.slack.connect(await listening.start())
    yield listening
    await listening.stop()


@pytest.fixture
async def browser_page(sandbox: Sandbox, page: Page) -> AsyncIterator[Page]:
    """The sandbox's page in a browser."""
    await page.goto(sandbox.page_url)
    yield page
    # Leave before the sandbox stops: a lost connection would count as a complaint.
    await page.goto("about:blank")
