"""The inspector: raw HTTP both ways with secrets masked, and what the bot's database holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from playwright.async_api import expect

from tests.stories.browser.screen import Screen
from tests.stories.office import Office


async def test_every_request_can_be_read_both_ways_without_a_secret(office: Office, screen: Screen) -> None:
    await office.trigger("Disk full")
    message = screen.message("Disk full").first
    await message.get_by_role("button", name="Acknowledge").click()
    await expect(message).to_contain_text("Acknowledged")
    await screen.channels.get_by_role("button", name="Inspector").click()
    lines = screen.inspector.get_by_role("list", name="Requests, newest first")
    await expect(screen.inspector.get_by_role("tab", name="HTTP")).to_be_focused()
    read = ""
    for find, way in (
        ("chat.postMessage", "bot → Slack"),
        ("block_actions", "Slack → bot"),
        ("PUT /incidents", "bot → PagerDuty"),
        ("incident.triggered", "PagerDuty → bot"),
    ):
        await screen.inspector.get_by_label("Filter requests").fill(find)
        line = lines.get_by_role("button").filter(has_text=way).first
        await line.click()
        await expect(line).to_have_attribute("aria-pressed", "true")
        whole = screen.inspector.get_by_role("region", name="The request and its answer")
        await expect(whole).to_contain_text(re.compile(r"HTTP/1\.1 20\d"))
        await expect(whole).to_contain_text(re.compile("Disk full|incident_reference"))
        read += await whole.inner_text()
    assert "authorization: Token token=•••" in read
    assert [secret for secret in office.sandbox.secrets() if secret in read] == []
    assert re.search(r"/response/(?!•)", read) is None


async def test_the_database_s_idea_of_each_message(office: Office, screen: Screen) -> None:
    async def inspect(channel: str) -> Sequence[dict[str, Any]]:
        return [{"ts": "1.2", "table": "messages", "incident": "Q1", "channel": channel, "gone": None}]

    await screen.channels.get_by_role("button", name="Inspector").click()
    await screen.inspector.get_by_role("tab", name="HTTP").press("ArrowRight")
    await expect(screen.inspector).to_contain_text("has not been lent the bot's database")
    office.sandbox.page.inspect = inspect
    await expect(screen.inspector.get_by_role("row").last).to_contain_text("messages")
    await expect(screen.inspector.get_by_role("row").last).to_contain_text("C0CHECK")
    await screen.page.reload()
    await expect(screen.inspector).to_be_visible()
    await screen.inspector.get_by_role("button", name="Close inspector").click()
    await expect(screen.inspector).to_be_hidden()
