"""Linking as a person does it: a press, a button, consent in a new tab, and back to what was asked for."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.stories.browser.screen import Screen
from tests.stories.linking import ALLOW, CONFIRM, CONTINUE, DENY, LINK
from tests.stories.office import Office


async def fits(tab: Page) -> None:
    """Nothing stands beyond the right edge."""
    assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def asked_to_link(screen: Screen) -> Page:
    """Uma presses Acknowledge, then the Link button she gets: the tab it opens."""
    await screen.become("Uma Ueda")
    await screen.message("Disk full").first.get_by_role("button", name="Acknowledge").click()
    offer = screen.private().last
    async with screen.page.context.expect_page() as opened:
        await offer.get_by_role("button", name=LINK).click()
    return await opened.value


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
async def test_uma_links_and_the_incident_is_acknowledged_by_her(
    linking_office: Office, linking_screen: Screen, width: int, height: int
) -> None:
    office, screen = linking_office, linking_screen
    await screen.page.set_viewport_size({"width": width, "height": height})
    await office.trigger("Disk full")
    tab = await asked_to_link(screen)
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Link Slack to PagerDuty")
    await fits(tab)
    await tab.get_by_role("button", name=CONTINUE).click()
    await expect(tab.get_by_text("Signed in as")).to_contain_text("Uma Ueda")
    await fits(tab)
    await tab.get_by_role("button", name=ALLOW).click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Are both of these you?")
    await fits(tab)
    assert "code=" not in tab.url
    await tab.get_by_role("button", name=CONFIRM).click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("You are linked")
    await fits(tab)
    await tab.reload()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("You are linked")
    await tab.close()

    await expect(screen.message("Linked as Uma Ueda")).to_have_count(1)
    await expect(screen.log.get_by_role("button", name=LINK)).to_have_count(0)
    await expect(screen.message("Disk full").first).to_contain_text("Uma Ueda")
    await expect(screen.message("Disk full").first).to_contain_text("Acknowledged")


async def test_saying_no_leaves_the_button(linking_office: Office, linking_screen: Screen) -> None:
    office, screen = linking_office, linking_screen
    await office.trigger("Disk full")
    tab = await asked_to_link(screen)
    await tab.get_by_role("button", name=CONTINUE).click()
    await tab.get_by_role("button", name=DENY).click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("You said no in PagerDuty")
    await tab.close()
    await expect(screen.log.get_by_role("button", name=LINK)).to_have_count(1)
    await expect(screen.message("Disk full").first).to_contain_text("Triggered")
