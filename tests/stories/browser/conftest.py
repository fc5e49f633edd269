"""The office with the page in a browser: the real bot, and what a person sees and does on the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page

from bot.cli.sandbox import completions
from commands import CATALOG
from tests.stories.browser.screen import Screen
from tests.stories.office import InProcess, Office


@asynccontextmanager
async def opened(folder: Path, people: Literal["email", "oauth"]) -> AsyncIterator[Office]:
    """A bot on SQLite, and #checkout following Checkout."""
    made = Office(f"sqlite:///{folder / 'pagerline.db'}", people=people)
    made.be_patient()
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
        await made.close()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """People are known by their e-mail address."""
    async with opened(tmp_path, "email") as made:
        yield made


@pytest.fixture
async def linking_office(tmp_path: Path) -> AsyncIterator[Office]:
    """People link their PagerDuty account; nobody has yet."""
    async with opened(tmp_path, "oauth") as made:
        yield made


async def shown(office: Office, page: Page) -> Screen:
    """The page as Alice sees it on a desk, in #checkout, with the tour skipped."""
    await page.goto(office.sandbox.page_url)
    screen = Screen(page)
    await screen.skip_the_tour()
    return screen


@pytest.fixture
async def screen(office: Office, page: Page) -> AsyncIterator[Screen]:
    """The page of the office by e-mail."""
    yield await shown(office, page)
    # Leave before the sandbox stops: a lost connection would count as a complaint.
    await page.goto("about:blank")


@pytest.fixture
async def linking_screen(linking_office: Office, page: Page) -> AsyncIterator[Screen]:
    """The page of the office where people link."""
    yield await shown(linking_office, page)
    await page.goto("about:blank")
