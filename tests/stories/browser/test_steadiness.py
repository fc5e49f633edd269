"""A reload loses nothing, and thousands of incidents slow nothing down."""

from __future__ import annotations

import time

from playwright.async_api import expect

from bot.sandbox.slack.state import Message
from tests.stories.browser.screen import Screen
from tests.stories.office import Office

QUICK = 2.0  # seconds
THOUSANDS = 5_000


async def test_a_reload_loses_nothing(office: Office, screen: Screen) -> None:
    await office.trigger("Disk full")
    await screen.become("Bob Brown")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    await screen.send("/pager whoami")
    await screen.private().get_by_role("button", name="Dismiss").click()
    await message.hover()
    await message.get_by_role("button", name="Reply in thread").click()
    await screen.thread.get_by_role("textbox", name="Reply").fill("half an answer")
    await screen.box.fill("/pager list")
    await screen.page.get_by_label("Theme").select_option("dark")
    box = await screen.break_things()
    await box.get_by_role("switch", name="Slack limits us").click()
    await expect(screen.strip).to_contain_text("Slack limits")
    await message.get_by_role("button", name="More actions").click()
    await screen.page.get_by_role("menuitem", name="Add note").click()
    await expect(screen.form.get_by_role("heading", name="Add a note")).to_be_visible()
    await screen.page.reload()
    await expect(screen.form.get_by_role("heading", name="Add a note")).to_be_visible()
    await screen.form.get_by_role("button", name="Close").click()
    await expect(screen.page.get_by_label("I am")).to_have_value("U0BOB")
    await expect(screen.thread.get_by_role("textbox", name="Reply")).to_have_value("half an answer")
    await expect(screen.box).to_have_value("/pager list")
    await expect(screen.private()).to_have_count(0)
    await expect(screen.strip).to_contain_text("Slack limits")
    await expect(box.get_by_role("switch", name="Slack limits us")).to_be_checked()
    assert await screen.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


async def test_it_works_with_thousands_of_incidents_and_messages(office: Office, screen: Screen) -> None:
    # The bot hears of nothing: this is about the page.
    office.pagerduty.webhooks.set_mode("drop")
    office.pagerduty.outage("down")
    office.pagerduty.storm(THOUSANDS)
    workspace = office.slack.workspace
    place = workspace.channel("C0CHECK")
    for number in range(400):
        workspace.put(
            place, Message("C0CHECK", workspace.next_ts(), workspace.bot, f"line {number}", by_bot=True)
        )
    await screen.page.reload()
    await expect(screen.message("line 399")).to_be_in_viewport()
    assert await screen.page.locator("#messages > li").count() == 150
    newest = next(reversed(place.messages.values()))
    took: list[float] = []
    while min(took, default=QUICK) >= QUICK:  # again on a machine that was busy just then
        assert len(took) < 10, took
        newest.text = f"line 399 changed {len(took)}"
        began = time.monotonic()
        workspace.touch(newest)
        await expect(screen.message(newest.text)).to_be_visible()
        took.append(time.monotonic() - began)
    await screen.page.get_by_role("button", name="Show earlier messages").click()
    await expect(screen.page.locator("#messages > li")).to_have_count(300)
    await expect(screen.page.get_by_text("5000 open")).to_be_visible()
    await expect(screen.incidents.get_by_role("listitem").filter(has_text="#")).to_have_count(60)
    await screen.page.get_by_label("Find incidents").fill("node-4321")
    await expect(screen.incidents).to_contain_text("node-4321")
    await expect(screen.incidents.locator("> li")).to_have_count(1)
    await screen.incidents.get_by_role("button", name="Resolve #").click()
    await expect(screen.incidents).to_contain_text("Resolved")
