"""The same without a mouse: every key one presses, and where the focus is afterwards."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.stories.browser.screen import Screen
from tests.stories.office import Office


async def test_one_picks_who_one_is_and_goes_to_a_channel(office: Office, screen: Screen) -> None:
    keys = screen.page.keyboard
    await screen.page.get_by_label("I am").focus()
    await keys.type("Bob")
    await expect(screen.page.get_by_label("I am")).to_have_value("U0BOB")
    await keys.press("F6")
    await expect(screen.channels.get_by_role("link", name="# checkout")).to_be_focused()
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(screen.page.get_by_role("heading", name="#search")).to_be_visible()
    await keys.press("F6")
    await expect(screen.box).to_be_focused()


async def test_a_button_is_pressed_and_the_focus_stays_on_the_message(office: Office, screen: Screen) -> None:
    await office.trigger("Disk full")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    keys = screen.page.keyboard
    await screen.box.focus()
    await keys.press("Shift+Tab")
    await expect(message.get_by_role("button", name="Reply in thread")).to_be_focused()
    await keys.press("Home")
    await expect(message).to_be_focused()
    for _ in range(3):
        await keys.press("Tab")
    await expect(message.get_by_role("button", name="Acknowledge")).to_be_focused()
    await keys.press("Enter")
    await expect(message).to_contain_text("Acknowledged")
    await expect(message).to_be_focused()
    await expect(screen.page.locator("#announcer")).to_contain_text("cknowledged")
    await expect(screen.private()).to_be_visible()
    for _ in range(await screen.message("Only visible to you").count()):
        await keys.press("ArrowDown")
    await expect(screen.private()).to_be_focused()


async def test_the_overflow_menu_and_its_form(office: Office, screen: Screen) -> None:
    incident = await office.trigger("Disk full")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    keys = screen.page.keyboard
    more = message.get_by_role("button", name="More actions")
    await more.focus()
    await keys.press("Enter")
    await expect(screen.page.get_by_role("menuitem", name="Add note")).to_be_focused()
    await keys.press("ArrowDown")
    await expect(screen.page.get_by_role("menuitem", name="Who's on call")).to_be_focused()
    await keys.press("Escape")
    await expect(more).to_be_focused()
    await keys.press("Enter")
    await keys.press("Enter")
    note = screen.form.get_by_label("Note")
    await expect(note).to_be_focused()
    await keys.type("Rotated the logs.")
    await keys.press("Tab")
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(screen.form).to_be_hidden()
    await expect(message.get_by_role("button", name="1 reply")).to_be_visible()
    assert [one.content for one in office.truth(incident).notes] == ["Rotated the logs."]


async def test_a_command_is_completed_and_its_answer_shared(office: Office, screen: Screen) -> None:
    keys = screen.page.keyboard
    await screen.box.focus()
    await keys.type("/pager onc")
    await keys.press("Tab")
    await keys.type("check")
    await keys.press("ArrowDown")
    await expect(screen.box).to_have_attribute("aria-activedescendant", re.compile(r"suggestions-\d+-0"))
    await keys.press("Enter")
    await expect(screen.box).to_have_value("/pager oncall Checkout ")
    await keys.press("Enter")
    await expect(screen.private()).to_contain_text("Alice Anderson")
    await keys.press("Shift+Tab")
    await keys.press("Shift+Tab")
    await expect(screen.page.get_by_role("button", name="Share to channel")).to_be_focused()
    await keys.press("Enter")
    await expect(screen.message("On call for").filter(has_not_text="Only visible to you")).to_be_visible()


async def test_a_thread_is_opened_answered_and_closed(office: Office, screen: Screen) -> None:
    incident = await office.trigger("Disk full")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    keys = screen.page.keyboard
    await screen.box.focus()
    await keys.press("Shift+Tab")
    await keys.press("Enter")
    await expect(screen.thread.get_by_role("textbox", name="Reply")).to_be_focused()
    await keys.type("@pagerline ack")
    await keys.press("Enter")
    await expect(message).to_contain_text("Acknowledged")
    assert office.truth(incident).status == "acknowledged"
    await keys.press("Escape")
    await expect(screen.thread).to_be_hidden()
    await expect(message).to_be_focused()


async def test_something_is_broken_and_mended(office: Office, screen: Screen) -> None:
    keys = screen.page.keyboard
    await screen.box.focus()
    await keys.press("F6")
    await expect(screen.page.get_by_label("Time")).to_be_focused()
    await screen.page.locator("#break-box summary").focus()
    await keys.press("Enter")
    await keys.press("Tab")
    limits = screen.page.get_by_role("switch", name="Slack limits us")
    await expect(limits).to_be_focused()
    await keys.press("Space")
    await expect(limits).to_be_checked()
    await expect(screen.strip).to_contain_text("Slack limits")
    await keys.press("Space")
    await expect(limits).not_to_be_checked()
    await expect(screen.strip).to_contain_text("Every message is true again")
