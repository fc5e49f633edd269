"""PagerDuty's half: time passing, trouble on purpose, and what the strip says of it."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.stories.browser.screen import Screen
from tests.stories.office import Office


async def test_triggered_escalated_by_waiting_and_resolved_there(office: Office, screen: Screen) -> None:
    await screen.trigger("Disk full")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    await expect(screen.incidents).to_contain_text(re.compile(r"escalates in \d+ s"))
    await screen.page.get_by_label("Time").select_option(label="300 × as fast")
    # At that speed it may have gone on to the third before anybody looks.
    await expect(message).to_contain_text(re.compile(r"level [23] of 3"))
    await expect(screen.message("replied to a thread").first).to_contain_text("not acknowledged in time")
    await screen.incidents.get_by_role("button", name=re.compile("Resolve #")).click()
    await expect(message).to_contain_text("Resolved")
    await expect(screen.incidents).to_contain_text("Resolved")
    assert office.pagerduty.lifecycle.speed == 300


async def test_lost_webhooks_are_told_and_healed(office: Office, screen: Screen) -> None:
    incident = await office.trigger("Disk full")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    box = await screen.break_things()
    lost = box.get_by_role("switch", name="Webhooks are lost")
    await lost.click()
    await expect(lost).to_be_checked()
    office.pagerduty.act(incident.id, "resolve", by="PBOB002")
    await expect(screen.strip).to_contain_text("events never arrived. The bot looks for itself")
    await expect(message).to_contain_text("Resolved")
    await lost.click()
    await expect(screen.strip).to_contain_text("Every message is true again")


async def test_slack_limits_us_in_a_storm_and_everything_comes_true(office: Office, screen: Screen) -> None:
    await office.carol.types("subscribe all", office.incidents)
    box = await screen.break_things()
    await box.get_by_role("switch", name="Slack limits us").click()
    await expect(screen.strip).to_contain_text("Slack")
    await box.get_by_label("Incidents in the storm").fill("6")
    await box.get_by_role("button", name="Storm").click()
    await expect(screen.strip).to_contain_text("behind")
    await box.get_by_role("button", name="Mend everything").click()
    await expect(screen.strip).to_contain_text("Every message is true again")
    await screen.go_to("incidents")
    await expect(screen.message("Triggered")).to_have_count(6)


async def test_pagerduty_is_down_and_a_press_is_told_so(office: Office, screen: Screen) -> None:
    await office.trigger("Disk full")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    box = await screen.break_things()
    await box.get_by_role("switch", name="PagerDuty is down").click()
    await message.get_by_role("button", name="Acknowledge").click()
    await expect(screen.strip).to_contain_text(
        re.compile(r"PagerDuty answers 503. The bot has asked (once|\d+ times)")
    )
    await expect(screen.private().last).to_contain_text("PagerDuty does not answer")
    await box.get_by_role("button", name="Mend everything").click()
    await message.get_by_role("button", name="Acknowledge").click()
    await expect(message).to_contain_text("Acknowledged")
