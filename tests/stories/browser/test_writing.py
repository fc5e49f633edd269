"""What one writes: commands with completion, forms, mentions, and an answer shared with everybody."""

from __future__ import annotations

from playwright.async_api import expect

from tests.stories.browser.screen import Screen
from tests.stories.office import Office
from tests.stories.waiting import until


async def test_commands_complete_their_verbs_arguments_and_live_names(office: Office, screen: Screen) -> None:
    incident = await office.trigger("Disk full")
    offers = screen.page.get_by_role("listbox", name="Suggestions").first
    await expect(screen.incidents).to_contain_text("Disk full")
    await screen.box.press_sequentially("/pager es")
    await expect(offers.get_by_role("option")).to_contain_text(["escalate N [level]"])
    await screen.box.press("Tab")
    await expect(screen.box).to_have_value("/pager escalate ")
    await expect(offers.get_by_role("option").first).to_contain_text(
        f"{incident.number}Disk full · triggered"
    )
    await screen.box.press("Tab")
    await expect(screen.box).to_have_value(f"/pager escalate {incident.number} ")
    await screen.box.fill("/pager oncall pay")
    await expect(offers.get_by_role("option")).to_contain_text(["Payments API", "Payments"])
    await screen.box.fill("/pager oncall bob")
    await offers.get_by_role("option", name="Bob Brown").click()
    await expect(screen.box).to_have_value('/pager oncall "Bob Brown" ')
    await screen.box.press("Enter")
    await expect(screen.private()).to_contain_text("Bob Brown")
    await screen.box.fill("@pagerline ac")
    await screen.box.press("Tab")
    await expect(screen.box).to_have_value("@pagerline ack ")


async def test_a_form_is_filled_refused_beside_the_field_and_sent(office: Office, screen: Screen) -> None:
    await screen.send("/pager trigger")
    form = screen.form
    await form.get_by_label("Title").fill("Queue is stuck")
    await form.get_by_role("button", name="Trigger").click()
    await expect(form.get_by_role("alert")).to_have_text("Please complete this required field.")
    service = form.get_by_role("combobox", name="Service")
    await expect(service).to_have_attribute("aria-invalid", "true")
    await service.fill("check")
    await form.get_by_role("option", name="Checkout").first.click()
    await form.get_by_role("button", name="Trigger").click()
    await expect(form).to_be_hidden()
    await expect(screen.message("Queue is stuck").first).to_contain_text("Triggered")
    assert [one.title for one in office.pagerduty.state.incidents.values()] == ["Queue is stuck"]


async def test_a_mention_in_a_thread_is_understood(office: Office, screen: Screen) -> None:
    incident = await office.trigger("Disk full")
    message = screen.message("Disk full").first
    await expect(message).to_contain_text("level 1 of 3")
    await message.hover()
    await message.get_by_role("button", name="Reply in thread").click()
    reply = screen.thread.get_by_role("textbox", name="Reply")
    await reply.fill("@pagerline note Found it: & < the log is full")
    await reply.press("Enter")
    await until(lambda: office.truth(incident).notes or None, "no note was written")
    assert office.truth(incident).notes[0].content == "Found it: & < the log is full"
    await expect(screen.thread).to_contain_text("Found it: & < the log is full")
    await reply.fill("/pager ack")
    await reply.press("Enter")
    await expect(screen.page.get_by_text("Slack has no slash commands in threads.")).to_be_visible()


async def test_an_on_call_answer_is_shared_with_the_channel(office: Office, screen: Screen) -> None:
    await screen.send("/pager oncall checkout")
    private = screen.private()
    await expect(private).to_contain_text("Alice Anderson")
    await private.get_by_role("button", name="Share to channel").click()
    shared = screen.message("On call for").filter(has_not_text="Only visible to you")
    await expect(shared).to_contain_text("Alice Anderson")
    await screen.become("Bob Brown")
    await expect(shared).to_contain_text("Bob Brown")
