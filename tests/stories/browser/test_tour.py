"""The first run: five steps, each done by doing it, and the whole of it copied as a test that runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.stories.browser.screen import Screen
from tests.stories.office import InProcess, Office


@pytest.fixture
async def fresh(office: Office, page: Page) -> Any:
    """The page as somebody sees it who has never been here."""
    page.set_default_timeout(10_000)
    await page.goto(office.sandbox.page_url)
    yield Screen(page)
    await page.goto("about:blank")


async def take_the_tour(office: Office, screen: Screen) -> None:
    """From the first step to the last, as a new user would."""
    tour = screen.tour
    await tour.get_by_role("button", name="Trigger it").click()
    await expect(tour).to_contain_text("1 of 5")
    message = screen.message("Card payments fail").first
    await expect(message).to_contain_text("level 1 of 3")
    await message.get_by_role("button", name="Acknowledge").click()
    await expect(tour).to_contain_text("2 of 5")
    await tour.get_by_role("button", name="Show the thread").click()
    reply = screen.thread.get_by_role("textbox", name="Reply")
    await reply.fill("@pagerline note Found it")
    await reply.press("Enter")
    await expect(tour).to_contain_text("3 of 5")
    await expect(screen.thread).to_contain_text("Found it")
    await screen.thread.get_by_role("button", name="Close thread").click()
    await screen.incidents.get_by_role("button", name=re.compile("Resolve #")).click()
    await expect(tour).to_contain_text("4 of 5")
    await expect(message).to_contain_text("Resolved")
    await tour.get_by_role("button", name="Write it for me").click()
    await screen.box.press("Enter")
    await screen.page.get_by_role("button", name="Share to channel").click()
    await expect(tour).to_contain_text("5 of 5")
    await expect(screen.message("On call for").filter(has_not_text="Only visible to you")).to_be_visible()
    box = await screen.break_things()
    twice = box.get_by_role("switch", name="Webhooks come twice")
    await twice.click()
    await expect(tour).to_contain_text("That was the tour.")
    await twice.click()
    await tour.get_by_role("button", name="Done").click()


async def test_the_tour_is_taken_remembered_and_runs_as_a_story(
    office: Office, fresh: Screen, tmp_path: Path
) -> None:
    await take_the_tour(office, fresh)
    await expect(fresh.tour).to_be_hidden()
    await fresh.page.reload()
    await expect(fresh.page.get_by_role("heading", name="#checkout")).to_be_visible()
    await expect(fresh.tour).to_be_hidden()
    await fresh.channels.get_by_role("button", name="Inspector").click()
    await fresh.inspector.get_by_role("tab", name="Test story").click()
    text = await fresh.inspector.get_by_role("region", name="The session as a test").inner_text()
    for line in (
        'office.trigger("Card payments fail"',
        '.press("Acknowledge", by="U0ALICE")',
        "office.alice.mentions(",
        '"resolve", by="PALICE1"',
        '.press("Share to channel"',
        'set_mode("duplicate")',
    ):
        assert line in text, text
    await run(text, tmp_path / "again.db")


async def run(text: str, database: Path) -> None:
    """The copied story in an office of its own."""
    office = Office(f"sqlite:///{database}")
    await office.sandbox.start()
    bot = InProcess(office)
    await bot.start()
    try:
        await office.carol.types("subscribe Checkout", office.checkout)
        await office.checkout.expect_private("U0CAROL", "Checkout")
        told: dict[str, Any] = {}
        exec(compile(text, "copied.py", "exec"), told)
        await told["test_a_session_in_the_sandbox"](office)
    finally:
        await bot.stop()
        await office.close()


async def test_the_tour_is_skipped_and_can_be_taken_later(office: Office, fresh: Screen) -> None:
    await office.trigger("Disk full")
    await expect(fresh.tour).to_contain_text("An incident has just triggered in #checkout.")
    await fresh.skip_the_tour()
    await expect(fresh.channels.get_by_role("button", name="Take the tour")).to_be_focused()
    await fresh.page.reload()
    await expect(fresh.message("Disk full")).to_be_visible()
    await expect(fresh.tour).to_be_hidden()
    await fresh.channels.get_by_role("button", name="Take the tour").click()
    await expect(fresh.tour).to_contain_text("1 of 5")
