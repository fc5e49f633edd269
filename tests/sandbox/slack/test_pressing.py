"""Pressing and choosing: what an interaction carries, and what a response URL can do with it."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.acting import CannotAct
from tests.sandbox.slack.conftest import Clock
from tests.sandbox.slack.forms import ACTIONS, SERVICE, option
from tests.sandbox.slack.listening_bot import ListeningBot


@pytest.fixture
async def posted(client: AsyncWebClient) -> str:
    answer = await client.chat_postMessage(channel="C0CHECK", text="Disk full", blocks=[ACTIONS])
    return str(answer["ts"])


@pytest.fixture
async def pressed_url(slack: FakeSlack, bot: ListeningBot, posted: str) -> str:
    await slack.action("U0ALICE", "run:ack", channel="C0CHECK", message=posted)
    return str(bot.last["response_url"])


async def test_a_press_says_who_what_and_where(slack: FakeSlack, bot: ListeningBot, posted: str) -> None:
    await slack.action("U0ALICE", "run:ack", channel="C0CHECK", message=posted)
    payload = bot.last
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == "U0ALICE"
    assert payload["channel"] == {"id": "C0CHECK", "name": "checkout"}
    assert payload["message"]["ts"] == payload["container"]["message_ts"] == posted
    assert payload["actions"][0]["value"] == "ack Q1"
    assert payload["actions"][0]["block_id"] == "acts"
    assert {"trigger_id", "response_url", "state", "team", "api_app_id"} <= set(payload)


async def test_a_menu_sends_the_option_that_was_chosen(
    slack: FakeSlack, bot: ListeningBot, posted: str
) -> None:
    await slack.action("U0ALICE", "more", channel="C0CHECK", message=posted, option="note")
    assert bot.last["actions"][0]["selected_option"] == option("note")


async def test_what_is_not_there_cannot_be_pressed(slack: FakeSlack, bot: ListeningBot, posted: str) -> None:
    with pytest.raises(CannotAct, match="run:ack"):
        await slack.action("U0ALICE", "run:nothing", channel="C0CHECK", message=posted)
    with pytest.raises(CannotAct, match="note, show"):
        await slack.action("U0ALICE", "more", channel="C0CHECK", message=posted, option="no")
    with pytest.raises(CannotAct):
        await slack.action("U0ALICE", "run:ack", channel="C0CHECK", message="1.1")
    assert bot.got == []


async def test_what_was_edited_since_it_was_shown_can_still_be_pressed(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot
) -> None:
    nameless = {key: value for key, value in ACTIONS.items() if key != "block_id"}
    answer = await client.chat_postMessage(channel="C0CHECK", text="Disk full", blocks=[nameless])
    posted = str(answer["ts"])
    seen = slack.workspace.channels["C0CHECK"].messages[posted].blocks[0]["block_id"]
    await client.chat_update(channel="C0CHECK", ts=posted, text="Disk full", blocks=[nameless])
    await slack.action("U0ALICE", "run:ack", channel="C0CHECK", message=posted, block_id=seen)
    assert bot.last["actions"][0]["block_id"] != seen


async def test_an_ephemeral_message_is_pressed_without_its_content(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot
) -> None:
    answer = await client.chat_postEphemeral(channel="C0CHECK", user="U0ALICE", text="x", blocks=[ACTIONS])
    ts = answer["message_ts"]
    await slack.action("U0ALICE", "run:ack", channel="C0CHECK", message=ts)
    assert bot.last["container"]["is_ephemeral"] is True
    assert "message" not in bot.last
    with pytest.raises(CannotAct):
        await slack.action("U0BOB", "run:ack", channel="C0CHECK", message=ts)


async def test_a_select_that_fills_as_one_types(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot
) -> None:
    block = {"type": "actions", "elements": [SERVICE["element"]]}
    ts = (await client.chat_postMessage(channel="C0CHECK", text="x", blocks=[block]))["ts"]
    bot.answer = {"options": [option("checkout")]}
    answer = await slack.options("U0ALICE", "find", "che", channel="C0CHECK", message=ts)
    assert (bot.last["type"], bot.last["value"]) == ("block_suggestion", "che")
    assert answer.body["options"] == [option("checkout")]
    bot.answer = {"options": [option("x" * 80)]}
    answer = await slack.options("U0ALICE", "find", "che", channel="C0CHECK", message=ts)
    assert answer.failure == "invalid_options"


async def test_a_response_url_answers_only_the_person_unless_told_otherwise(
    slack: FakeSlack, pressed_url: str
) -> None:
    async with aiohttp.ClientSession() as session:
        url = AsyncWebhookClient(pressed_url, session=session)
        await url.send(text="done")
        await url.send(text="to all", response_type="in_channel")
    assert [m.text for m in slack.messages("C0CHECK")] == ["Disk full", "to all"]
    assert "done" in [m.text for m in slack.messages("C0CHECK", seen_by="U0ALICE")]


async def test_a_response_url_replaces_and_deletes_what_was_pressed(
    slack: FakeSlack, pressed_url: str
) -> None:
    async with aiohttp.ClientSession() as session:
        url = AsyncWebhookClient(pressed_url, session=session)
        await url.send(text="changed", replace_original=True)
        assert [(m.text, m.blocks) for m in slack.messages("C0CHECK")] == [("changed", [])]
        await url.send(delete_original=True)
        assert slack.messages("C0CHECK") == []


async def test_a_commands_response_url_has_nothing_to_replace(slack: FakeSlack, bot: ListeningBot) -> None:
    await slack.command("U0ALICE", "C0CHECK", "list")
    async with aiohttp.ClientSession() as session:
        url = AsyncWebhookClient(bot.last["response_url"], session=session)
        await url.send(text="working")
        await url.send(text="done", replace_original=True)
    assert [m.text for m in slack.messages("C0CHECK", seen_by="U0ALICE")] == ["working", "done"]


async def test_a_response_url_ends_after_five_uses_or_half_an_hour(
    slack: FakeSlack, pressed_url: str, clock: Clock
) -> None:
    async with aiohttp.ClientSession() as session:
        url = AsyncWebhookClient(pressed_url, session=session)
        for _ in range(5):
            assert (await url.send(text="x")).status_code == 200
        used = await url.send(text="x")
        assert (used.status_code, "used_url" in used.body) == (404, True)
        clock.forward(1801)
        assert "expired_url" in (await url.send(text="x")).body
        slack.fault("response_url", "server_error")
        assert (await url.send(text="x")).status_code == 500


async def test_a_response_url_refuses_what_a_message_could_not_hold(pressed_url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(pressed_url, data=b"not json") as answer:
            assert (answer.status, (await answer.json())["error"]) == (400, "invalid_payload")
        async with session.post(pressed_url, json={"blocks": [{"type": "no"}]}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (400, "invalid_blocks")


async def test_a_failed_press_is_shown_to_the_person(
    slack: FakeSlack, bot: ListeningBot, posted: str
) -> None:
    bot.status = 500
    answer = await slack.action("U0ALICE", "run:ack", channel="C0CHECK", message=posted)
    assert answer.failure == "dispatch_failed"
    assert slack.state()["failures"][0]["what"] == "Ack"
