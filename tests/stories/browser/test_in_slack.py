"""What one does in Slack's half of the page, with the real bot behind it."""

from __future__ import annotations

from playwright.async_api import expect

from tests.stories.browser.screen import Screen
from tests.stories.office import Office


async def test_one_picks_who_one_is(office: Office, screen: Screen) -> None:
    await office.trigger("Disk full")
    for name, words in (
        ("Dana Diaz (no PagerDuty user)", "dana@acme.example"),
        ("Gus Guest (guest)", "guest"),
        ("Alice Anderson", "Acknowledged"),
        ("Carol Chen (admin)", "Resolved"),
    ):
        await screen.become(name)
        verb = "Resolve" if words == "Resolved" else "Acknowledge"
        await screen.message("Disk full").first.get_by_role("button", name=verb).click()
        await expect(screen.private().last).to_contain_text(words, ignore_case=True)


async def test_channels_have_unread_marks_until_they_are_read(office: Office, screen: Screen) -> None:
    await office.carol.types("subscribe Search", office.search)
    await office.trigger("Index is behind", "PSVCSEA")
    link = screen.channels.get_by_role("link", name="# search")
    await expect(link).to_have_accessible_name("# search, unread")
    await office.slack.message("U0BOB", "C0SEARCH", "look at this @alice")
    await expect(link).to_have_accessible_name("# search, unread, 1 for you")
    await expect(screen.page).to_have_title("(1) #checkout – Pagerline sandbox")
    await link.click()
    await expect(screen.log).to_contain_text("Index is behind")
    await expect(link).to_have_accessible_name("# search")
    await screen.page.reload()
    await screen.go_to("checkout")
    await expect(link).to_have_accessible_name("# search")
    await office.slack.message("U0BOB", "C0SEARCH", "and at that")
    await expect(link).to_have_accessible_name("# search, unread")
    await link.click()
    await expect(screen.message("and at that")).to_contain_text("New")


async def test_a_message_changes_in_place_and_nothing_moves(office: Office, screen: Screen) -> None:
    incident = await office.trigger("Disk full")
    await expect(screen.message("Disk full")).to_contain_text("level 1 of 3")
    for number in range(25):
        await office.slack.message("U0BOB", "C0CHECK", f"line {number}")
    await expect(screen.message("line 24")).to_be_in_viewport()
    reading = screen.message("line 9")
    await reading.evaluate("node => node.scrollIntoView({block: 'center'})")
    before = await reading.bounding_box()
    office.pagerduty.act(incident.id, "resolve", by="PBOB002")
    await expect(screen.message("Disk full")).to_contain_text("Resolved")
    await office.slack.message("U0BOB", "C0CHECK", "something new below")
    await expect(screen.page.get_by_role("button", name="New messages")).to_be_visible()
    after = await reading.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 1
    await screen.page.get_by_role("button", name="New messages").click()
    await expect(screen.message("something new below")).to_be_in_viewport()


async def test_a_thread_has_its_lines_and_loud_ones_stand_in_the_channel_too(
    office: Office, screen: Screen
) -> None:
    incident = await office.trigger("Disk full")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    office.pagerduty.act(incident.id, "note", by="PBOB002", text="Looking at the disk")
    office.pagerduty.act(incident.id, "escalate", by="PALICE1", level=2)
    loud = screen.message("replied to a thread")
    await expect(loud).to_contain_text("Escalated")
    await message.get_by_role("button", name="2 replies").click()
    await expect(screen.thread).to_contain_text("Looking at the disk")
    await expect(screen.thread).to_contain_text("Also sent to the channel")
    await screen.thread.get_by_role("button", name="Close thread").click()
    await expect(screen.thread).to_be_hidden()
    await loud.get_by_role("button", name="Disk full").click()
    await expect(screen.thread).to_contain_text("Looking at the disk")


async def test_a_press_shows_then_the_message_changes_and_a_private_reply_comes(
    office: Office, screen: Screen
) -> None:
    incident = await office.trigger("Disk full")
    message = screen.message("Disk full").first
    button = message.get_by_role("button", name="Acknowledge")
    office.pagerduty.outage("slow", paths=("/incidents",), seconds=1.5)
    await button.click()
    await expect(button).to_have_attribute("aria-busy", "true")
    await expect(message).to_contain_text("Acknowledged")
    await expect(message.get_by_role("button", name="Acknowledge")).to_have_count(0)
    await expect(screen.private()).to_contain_text(f"#{incident.number}")
    await screen.become("Bob Brown")
    await expect(message).to_contain_text("Alice Anderson")
    await expect(screen.private()).to_have_count(0)


async def test_the_overflow_menu_leads_further(office: Office, screen: Screen) -> None:
    await office.trigger("Disk full")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    await message.get_by_role("button", name="More actions").click()
    await screen.page.get_by_role("menuitem", name="Who's on call").click()
    await expect(screen.private()).to_contain_text("On call for")
    await message.get_by_role("button", name="More actions").click()
    await screen.page.get_by_role("menuitem", name="Add note").click()
    await expect(screen.form.get_by_role("heading", name="Add a note")).to_be_visible()
