"""The page's parts by the names a screen reader says, and the few things every story does with them."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect


class Screen:
    """One browser tab with the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.log = page.get_by_role("log", name="Messages", exact=True)
        self.thread = page.get_by_role("complementary", name="Thread")
        self.box = page.get_by_role("textbox", name="Message", exact=True)
        self.form = page.get_by_role("dialog")
        self.channels = page.get_by_role("navigation", name="Channels")
        self.incidents = page.get_by_role("list", name="Incidents")
        self.strip = page.get_by_role("status", name="What the bot is doing")
        self.tour = page.get_by_role("region", name="Tour")
        self.inspector = page.get_by_role("region", name="Inspector")

    async def skip_the_tour(self) -> None:
        await self.tour.get_by_role("button", name="Skip the tour").click()
        await expect(self.tour).to_be_hidden()

    def message(self, words: str) -> Locator:
        """The messages of the channel that say this."""
        return self.log.get_by_role("listitem").filter(has_text=words)

    def private(self) -> Locator:
        """What only this person sees, without what tells to wait for an answer that takes long."""
        return self.message("Only visible to you").filter(has_not_text="Working on it")

    async def become(self, name: str) -> None:
        await self.page.get_by_label("I am").select_option(label=name)

    async def send(self, line: str) -> None:
        await self.box.fill(line)
        await self.page.get_by_role("form", name="Write a message").get_by_role("button", name="Send").click()

    async def trigger(self, title: str, service: str = "Checkout") -> None:
        form = self.page.get_by_role("form", name="Trigger an incident")
        await form.get_by_label("Service").select_option(label=service)
        await form.get_by_label("Title").fill(title)
        await form.get_by_role("button", name="Trigger incident").click()

    async def go_to(self, channel: str) -> None:
        await self.channels.get_by_role("link", name=re.compile(rf"{channel}\b")).click()
        await expect(self.page.get_by_role("heading", name=f"#{channel}")).to_be_visible()

    async def break_things(self) -> Locator:
        """The open box of switches."""
        box = self.page.locator("#break-box")
        if await box.get_attribute("open") is None:
            await box.get_by_text("Break things", exact=True).click()
        return box
