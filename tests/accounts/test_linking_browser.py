"""Linking walked in a real browser, on a phone: the stylesheet counts, the cookie holds, forms lead on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from playwright.async_api import Page

from tests.accounts.link_desk import BOB, UMA, Desk, linking_desk


@pytest.fixture
async def desk(migrated_sqlite_url: str) -> AsyncIterator[Desk]:
    async with linking_desk(migrated_sqlite_url, sign_in=True) as opened:
        yield opened


async def fits(page: Page) -> bool:
    """Nothing sticks out to the right."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def test_uma_links_on_her_phone(desk: Desk, page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 780})
    await page.goto((await desk.offer()).url)
    assert await page.get_by_role("heading", name="Link Slack to PagerDuty").is_visible()
    assert await page.get_by_role("note").is_visible()
    assert await fits(page)
    color = await page.get_by_role("button", name="Continue to PagerDuty").evaluate(
        "button => getComputedStyle(button).backgroundColor"
    )
    assert color == "rgb(11, 110, 79)"  # so the stylesheet was let in
    (cookie,) = await page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("pagerline", True, "Lax")

    await page.get_by_role("button", name="Continue to PagerDuty").click()
    await as_in_pagerduty(page, UMA.id)
    await page.get_by_role("heading", name="Are both of these you?").wait_for()
    assert await fits(page)
    assert "code=" not in page.url
    await page.reload()
    await page.get_by_role("button", name="Link them").click()
    await page.get_by_role("heading", name="You are linked").wait_for()
    assert await page.get_by_role("link", name="Back to Slack").get_attribute("href") == (
        "slack://open?team=T0ACME"
    )
    assert await desk.linked_person() == "PUMA007"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_doubt_is_settled_by_signing_in_with_slack(
    desk: Desk, page: Page, scheme: Literal["light", "dark"]
) -> None:
    await page.emulate_media(color_scheme=scheme)
    await page.goto((await desk.offer()).url)
    await page.get_by_role("button", name="Continue to PagerDuty").click()
    await as_in_pagerduty(page, BOB.id)
    await page.get_by_role("heading", name="One more proof").wait_for()
    await page.get_by_role("button", name="Sign in with Slack").click()
    await as_in_pagerduty(page, UMA.id)
    await page.get_by_role("heading", name="You are linked").wait_for()
    assert await desk.linked_person() == "PBOB002"


async def as_in_pagerduty(page: Page, user_id: str) -> None:
    """On a sign-in page of the sandbox's (PagerDuty's, or Slack's): be this person, and allow it."""
    await page.wait_for_url("**/authorize?*")
    await page.goto(f"{page.url}&as={user_id}")
    await page.locator("button[value=allow]").click()
