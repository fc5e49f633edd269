"""The page in a real browser: what a person sees and does."""

from __future__ import annotations

from playwright.async_api import Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import Sandbox
from tests.sandbox.slack.forms import ACTIONS, SERVICE, TITLE, modal, option, plain
from tests.sandbox.slack.listening_bot import ListeningBot

HOSTILE = "<script>document.title='owned'</script> &lt;b&gt; *bold* <javascript:alert(1)|press me>"


def client(sandbox: Sandbox) -> AsyncWebClient:
    return AsyncWebClient(sandbox.slack.bot_token, base_url=sandbox.slack_api_url)


async def test_messages_come_live_and_buttons_press_as_the_chosen_person(
    sandbox: Sandbox, bot: ListeningBot, browser_page: Page
) -> None:
    page = browser_page
    await page.get_by_label("I am").select_option(label="Bob Brown")
    posted = await client(sandbox).chat_postMessage(
        channel="C0CHECK",
        text="x",
        blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": ":fire: *Disk full*"}}, ACTIONS],
    )
    log = page.get_by_role("log", name="Messages", exact=True)
    await expect(log).to_contain_text("🔥 Disk full")
    await log.get_by_role("button", name="Ack").click()
    await bot.wait_for(1)
    assert (bot.last["user"]["id"], bot.last["actions"][0]["value"]) == ("U0BOB", "ack Q1")
    await log.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Note").click()
    await bot.wait_for(2)
    assert bot.last["actions"][0]["selected_option"]["value"] == "note"
    await client(sandbox).chat_update(channel="C0CHECK", ts=posted["ts"], text="Resolved, all quiet")
    await expect(log).to_contain_text("Resolved, all quiet")
    await expect(log.get_by_role("button", name="Ack")).to_have_count(0)


async def test_what_comes_from_outside_stays_text(
    sandbox: Sandbox, bot: ListeningBot, browser_page: Page
) -> None:
    await client(sandbox).chat_postMessage(channel="C0CHECK", text=HOSTILE)
    log = browser_page.get_by_role("log", name="Messages", exact=True)
    await expect(log).to_contain_text("<b> bold press me")
    await expect(log.get_by_role("link")).to_have_count(0)
    assert "owned" not in await browser_page.title()


async def test_a_command_answers_privately_and_a_thread_can_be_answered(
    sandbox: Sandbox, bot: ListeningBot, browser_page: Page
) -> None:
    page = browser_page
    bot.answer = {"text": "nothing is open"}
    box = page.get_by_role("textbox", name="Message")
    await box.fill("/pager list all")
    await box.press("Enter")
    log = page.get_by_role("log", name="Messages", exact=True)
    await expect(log).to_contain_text("Only visible to you")
    assert (bot.last["command"], bot.last["text"]) == ("/pager", "list all")
    parent = (await client(sandbox).chat_postMessage(channel="C0CHECK", text="parent"))["ts"]
    await client(sandbox).chat_postMessage(channel="C0CHECK", text="first line", thread_ts=parent)
    await page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread).to_contain_text("first line")
    await thread.get_by_role("textbox", name="Reply").fill("@pagerline ack")
    await thread.get_by_role("button", name="Send").click()
    await expect(thread).to_contain_text("@Pagerline ack")
    assert bot.last["event"]["thread_ts"] == parent


async def test_a_form_with_a_field_that_fills_as_one_types(
    sandbox: Sandbox, bot: ListeningBot, browser_page: Page
) -> None:
    page = browser_page
    await page.get_by_role("textbox", name="Message").fill("/pager trigger")
    await page.get_by_role("button", name="Send").click()
    await bot.wait_for(1)
    required = {**SERVICE, "optional": False}
    await client(sandbox).views_open(trigger_id=bot.last["trigger_id"], view=modal(required, TITLE))
    form = page.get_by_role("dialog", name="Form")
    await form.get_by_role("button", name="Go").click()
    await expect(form.get_by_role("alert")).to_have_text(["Please complete this required field."] * 2)
    bot.answer = {"options": [option("checkout"), {"text": plain("Search & find"), "value": "PSVCSEA"}]}
    await form.get_by_role("combobox", name="service").fill("s")
    await form.get_by_role("option", name="Search & find").click()
    await form.get_by_label("title").fill("Disk full")
    bot.answer = {"response_action": "errors", "errors": {"title": "Already open."}}
    await form.get_by_role("button", name="Go").click()
    await expect(form.get_by_role("alert")).to_have_text(["Already open."])
    await expect(form.get_by_label("title")).to_have_value("Disk full")
    bot.answer = ""
    await form.get_by_role("button", name="Go").click()
    await expect(form).to_be_hidden()
    values = bot.last["view"]["state"]["values"]
    assert values["service"]["find"]["selected_option"]["value"] == "PSVCSEA"
    assert values["title"]["text"]["value"] == "Disk full"


async def test_pagerduty_beside_it_triggers_and_resolves(sandbox: Sandbox, browser_page: Page) -> None:
    page = browser_page
    form = page.get_by_role("form", name="Trigger an incident")
    await form.get_by_label("Service").select_option(label="Search")
    await form.get_by_label("Title").fill("Index is behind")
    await form.get_by_role("button", name="Trigger incident").click()
    incidents = page.get_by_role("list", name="Incidents")
    await expect(incidents).to_contain_text("Triggered")
    await expect(incidents).to_contain_text("#1234 Index is behind")
    await page.get_by_role("button", name="Resolve #1234 in PagerDuty").click()
    await expect(incidents).to_contain_text("Resolved")
    assert next(iter(sandbox.pagerduty.state.incidents.values())).status == "resolved"


async def test_a_phone_shows_one_pane_at_a_time_and_nothing_sideways(
    sandbox: Sandbox, browser_page: Page
) -> None:
    page = browser_page
    await page.set_viewport_size({"width": 390, "height": 800})
    await expect(page.get_by_role("form", name="Trigger an incident")).to_be_hidden()
    await page.get_by_role("button", name="PagerDuty", exact=True).click()
    await expect(page.get_by_role("form", name="Trigger an incident")).to_be_visible()
    await page.get_by_role("button", name="Channels").click()
    await page.get_by_role("link", name="# search").click()
    await expect(page.get_by_role("heading", name="#search")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
