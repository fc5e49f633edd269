"""The office with the page in a browser: the real bot, and what a person sees and does on the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from bot.cli.sandbox import completions
from commands import CATALOG
from tests.stories.browser.screen import Screen
from tests.stories.office import InProcess, Office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A bot on SQLite, and #checkout following Checkout."""
    made = Office(f"sqlite:///{tmp_path / 'pagerline.db'}")
    made.sandbox.page.verbs = completions(CATALOG)
    await made.sandbox.start()
    bot = InProcess(made, sweep_seconds=1.0)
    try:
        await bot.start()
        await made.carol.types("subscribe Checkout", made.checkout)
        await made.checkout.expect_private("U0CAROL", "Checkout")
        yield made
    finally:
        await bot.stop()
        await made.sandbox.stop()


@pytest.fixture
async def screen(office: Office, page: Page) -> AsyncIterator[Screen]:
    """The page as Alice sees it on a desk, in #checkout, with the tour skipped."""
    page.set_default_timeout(10_000)
    await page.goto(office.sandbox.page_url)
    shown = Screen(page)
    await shown.skip_the_tour()
    yield shown
    # Leave before the sandbox stops: a lost connection would count as a complaint.
    await page.goto("about:blank")
