"""The Chromium that is installed on this machine, driven by Playwright: nothing is downloaded.

Ask for `page` to get an empty tab; a page that logs an error or throws fails its test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright, expect

PATIENCE = 40_000.0  # milliseconds, for tabs a page opens too: far beyond what any of this takes
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A browser left to itself calls home; a test talks to 127.0.0.1 only.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


def pytest_configure() -> None:
    """What is looked for may come as late as what is pressed."""
    expect.set_options(timeout=PATIENCE)


def find_chromium() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path), None)


@asynccontextmanager
async def launched(executable: str) -> AsyncIterator[Browser]:
    """A headless browser. Root has no user namespace to sandbox it in, so root runs it without."""
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=[*QUIET, *as_root])
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("Chromium is not installed (on Debian: apt-get install chromium)")
    complaints: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def note_exception(error: Error) -> None:
        complaints.append(str(error))

    async with launched(executable) as browser:
        tab = await browser.new_page(viewport={"width": 1280, "height": 800})
        tab.context.set_default_timeout(PATIENCE)
        tab.on("console", note_console)
        tab.on("pageerror", note_exception)
        yield tab
    assert not complaints, "the page complained: " + "; ".join(complaints)
