"""Nobody is shut out: axe finds no serious fault in light or dark, and what the page looks like is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from tests.stories.browser.screen import Screen
from tests.stories.office import Office

# Looked at by people, ignored by git.
PICTURES = Path(__file__).resolve().parents[3] / "build" / "pictures"
SERIOUS = ("serious", "critical")


async def faults(screen: Screen) -> list[str]:
    """Axe's serious findings, each with where it is."""
    found = (await Axe().run(screen.page)).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


async def pictures(screen: Screen, name: str) -> None:
    """The page as it is, on a desk and on a phone."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for width in (1280, 390):
        await screen.page.set_viewport_size({"width": width, "height": 800})
        assert await screen.page.evaluate("document.documentElement.scrollWidth") <= width
        await screen.page.screenshot(path=PICTURES / f"{name}-{width}.png", animations="disabled")
    await screen.page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_everything_at_once(office: Office, screen: Screen, theme: str) -> None:
    page = screen.page
    await page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    incident = await office.trigger("Disk full on db-1", priority="P1")
    await office.trigger("Card payments fail for <everybody> & co")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    assert await faults(screen) == []
    await pictures(screen, f"triggered-{theme}")

    await message.get_by_role("button", name="Acknowledge").click()
    await expect(message).to_contain_text("Acknowledged")
    office.pagerduty.act(incident.id, "note", by="PBOB002", text="Rotated the logs")
    office.pagerduty.act(incident.id, "escalate", by="PALICE1", level=2)
    await expect(screen.message("replied to a thread")).to_be_visible()
    await page.get_by_role("navigation", name="Channels").get_by_role("button", name="Take the tour").click()
    await message.get_by_role("button", name="2 replies").click()
    await expect(screen.thread).to_contain_text("Rotated the logs")
    await screen.box.fill("/pager ")
    await expect(page.get_by_role("listbox", name="Suggestions").first).to_be_visible()
    box = await screen.break_things()
    await box.get_by_role("switch", name="Webhooks are lost").click()
    await expect(screen.strip).not_to_be_empty()
    await screen.box.press_sequentially("es")
    await expect(page.get_by_role("listbox", name="Suggestions").first).to_be_visible()
    assert await faults(screen) == []
    await pictures(screen, f"thread-{theme}")

    await screen.thread.get_by_role("button", name="Close thread").click()
    await box.get_by_role("button", name="Mend everything").click()
    for line in (
        "/pager oncall checkout",
        "/pager list",
        "/pager help",
        "/pager show " + str(incident.number),
    ):
        await screen.send(line)
    await expect(screen.log).to_contain_text("Latest")
    assert await faults(screen) == []
    await pictures(screen, f"answers-{theme}")

    await page.get_by_role("navigation", name="Channels").get_by_role("button", name="Inspector").click()
    await screen.inspector.get_by_role("list").get_by_role("button").first.click()
    assert await faults(screen) == []
    await pictures(screen, f"inspector-{theme}")
    await screen.inspector.get_by_role("tab", name="Test story").click()
    await expect(screen.inspector.get_by_role("button", name="Copy as test story")).to_be_visible()
    assert await faults(screen) == []
    await pictures(screen, f"story-{theme}")

    await screen.send("/pager trigger")
    await screen.form.get_by_role("button", name="Trigger").click()
    await expect(screen.form.get_by_role("alert").first).to_be_visible()
    assert await faults(screen) == []
    await pictures(screen, f"form-{theme}")


async def test_a_phone_s_other_panes(office: Office, screen: Screen) -> None:
    await office.trigger("Disk full on db-1")
    await screen.page.set_viewport_size({"width": 390, "height": 800})
    for pane in ("Channels", "PagerDuty"):
        await screen.page.get_by_role("navigation", name="Panes").get_by_role("button", name=pane).click()
        assert await faults(screen) == []
        PICTURES.mkdir(parents=True, exist_ok=True)
        await screen.page.screenshot(path=PICTURES / f"phone-{pane.lower()}.png")
