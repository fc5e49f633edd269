"""Modals and Home: triggers, stacks, hashes, what was typed, and what the bot answers to a submission."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.acting import CannotAct
from tests.sandbox.slack.conftest import Clock
from tests.sandbox.slack.forms import ACTIONS, SERVICE, TITLE, URGENCY, field, modal, option, plain
from tests.sandbox.slack.listening_bot import ListeningBot
from tests.sandbox.slack.refusal import refused


async def trigger(slack: FakeSlack, bot: ListeningBot) -> str:
    await slack.command("U0ALICE", "C0CHECK", "trigger")
    return str(bot.last["trigger_id"])


@pytest.fixture
async def opened(slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot) -> dict[str, Any]:
    view = modal(TITLE, URGENCY, SERVICE, ACTIONS, private_metadata="C0CHECK", callback_id="form")
    answer = await client.views_open(trigger_id=await trigger(slack, bot), view=view)
    return dict(answer["view"])


async def test_a_trigger_opens_one_view_within_three_seconds(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot, clock: Clock
) -> None:
    first = await trigger(slack, bot)
    await client.views_open(trigger_id=first, view=modal(TITLE))
    assert await refused(client.views_open(trigger_id=first, view=modal(TITLE))) == "exchanged_trigger_id"
    late = await trigger(slack, bot)
    clock.forward(3.1)
    assert await refused(client.views_open(trigger_id=late, view=modal(TITLE))) == "expired_trigger_id"
    assert await refused(client.views_open(trigger_id="1.2.x", view=modal(TITLE))) == "invalid_trigger_id"


async def test_a_bad_view_does_not_use_the_trigger_up(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot
) -> None:
    ticket = await trigger(slack, bot)
    bad = modal(TITLE, title=plain("x" * 25))
    assert await refused(client.views_open(trigger_id=ticket, view=bad)) == "invalid_arguments"
    await client.views_open(trigger_id=ticket, view=modal(TITLE))


async def test_a_submission_carries_the_fields(
    slack: FakeSlack, bot: ListeningBot, opened: dict[str, Any]
) -> None:
    answer = await slack.submit(
        "U0ALICE", values={"title": "Disk full", "pick": "high", "service": "PSVCCHK"}
    )
    assert answer.status == 200
    payload = bot.last
    assert payload["type"] == "view_submission"
    values = payload["view"]["state"]["values"]
    assert values["title"]["text"] == {"type": "plain_text_input", "value": "Disk full"}
    assert values["urgency"]["pick"]["selected_option"] == option("high")
    assert values["service"]["find"]["selected_option"]["value"] == "PSVCCHK"
    assert payload["view"]["private_metadata"] == "C0CHECK"
    assert payload["view"]["id"] == opened["id"]
    assert "response_url" not in payload
    assert slack.views.top("U0ALICE") is None


async def test_the_browser_refuses_what_it_can_see_is_wrong(
    slack: FakeSlack, bot: ListeningBot, opened: dict[str, Any]
) -> None:
    before = len(bot.got)
    assert (await slack.submit("U0ALICE", values={})).failure == "not_sent"
    assert (await slack.submit("U0ALICE", values={"title": "x" * 21})).body["errors"]["title"]
    assert len(bot.got) == before
    with pytest.raises(CannotAct, match="no colour"):
        await slack.submit("U0ALICE", values={"colour": "red"})


async def test_errors_from_the_bot_stand_beside_their_fields(
    slack: FakeSlack, bot: ListeningBot, opened: dict[str, Any]
) -> None:
    bot.answer = {"response_action": "errors", "errors": {"title": "Taken."}}
    await slack.submit("U0ALICE", values={"title": "x"})
    top = slack.views.top("U0ALICE")
    assert top is not None
    assert top.errors == {"title": "Taken."}
    bot.answer = {"response_action": "errors", "errors": {"acts": "Not an input."}}
    await slack.submit("U0ALICE", values={"title": "x"})
    assert slack.state()["failures"][-1]["error"] == "invalid_errors"


async def test_answers_update_push_clear_and_fail(
    slack: FakeSlack, bot: ListeningBot, opened: dict[str, Any]
) -> None:
    values = {"title": "x"}
    bot.answer = {"response_action": "update", "view": modal(TITLE, title=plain("Sure?"))}
    await slack.submit("U0ALICE", values=values)
    bot.answer = {"response_action": "push", "view": modal(TITLE, title=plain("Really?"))}
    await slack.submit("U0ALICE", values=values)
    titles = [v.payload["title"]["text"] for v in slack.views.stacks["U0ALICE"]]
    assert titles == ["Sure?", "Really?"]
    bot.answer, bot.status = "", 500
    await slack.submit("U0ALICE", values=values)
    top = slack.views.top("U0ALICE")
    assert top is not None
    assert top.notice
    bot.answer, bot.status = {"response_action": "clear"}, 200
    await slack.submit("U0ALICE", values=values)
    assert slack.views.top("U0ALICE") is None


async def test_what_was_typed_survives_an_update_that_keeps_the_field(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot, opened: dict[str, Any]
) -> None:
    typed = {"title": {"text": {"type": "plain_text_input", "value": "half a ti"}}}
    await slack.action("U0ALICE", "run:ack", view=opened["id"], values=typed)
    assert bot.last["view"]["state"]["values"]["title"]["text"]["value"] == "half a ti"
    assert "response_url" not in bot.last
    fresh = field("other", {"type": "plain_text_input", "action_id": "more_text"}, optional=True)
    await client.views_update(view_id=opened["id"], view=modal(TITLE, fresh))
    await slack.submit("U0ALICE", values={})
    values = bot.last["view"]["state"]["values"]
    assert (values["title"]["text"]["value"], values["other"]["more_text"]["value"]) == ("half a ti", None)


async def test_a_stale_hash_and_a_closed_view_are_refused(
    slack: FakeSlack, client: AsyncWebClient, opened: dict[str, Any]
) -> None:
    again = await client.views_update(view_id=opened["id"], view=modal(TITLE), hash=opened["hash"])
    stale = client.views_update(view_id=opened["id"], view=modal(TITLE), hash=opened["hash"])
    assert await refused(stale) == "hash_conflict"
    assert again["view"]["hash"] != opened["hash"]
    await slack.close("U0ALICE")
    assert await refused(client.views_update(view_id=opened["id"], view=modal(TITLE))) == "not_found"


async def test_three_views_and_no_more(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot, opened: dict[str, Any]
) -> None:
    for _ in range(2):
        await client.views_push(trigger_id=await trigger(slack, bot), view=modal(TITLE))
    too_many = client.views_push(trigger_id=await trigger(slack, bot), view=modal(TITLE))
    assert await refused(too_many) == "push_limit_reached"


async def test_closing_is_told_only_when_asked_for(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot, opened: dict[str, Any]
) -> None:
    before = len(bot.got)
    await slack.close("U0ALICE")
    assert len(bot.got) == before
    view = modal(TITLE, notify_on_close=True)
    await client.views_open(trigger_id=await trigger(slack, bot), view=view)
    await slack.close("U0ALICE")
    assert (bot.last["type"], bot.last["is_cleared"]) == ("view_closed", False)


async def test_home_is_published_and_guarded_by_its_hash(slack: FakeSlack, client: AsyncWebClient) -> None:
    home = {"type": "home", "blocks": [ACTIONS]}
    first = await client.views_publish(user_id="U0ALICE", view=home)
    await client.views_publish(user_id="U0ALICE", view=home, hash=first["view"]["hash"])
    stale = client.views_publish(user_id="U0ALICE", view=home, hash=first["view"]["hash"])
    assert await refused(stale) == "hash_conflict"
    assert await refused(client.views_publish(user_id="U0ALICE", view=modal(TITLE))) == "invalid_arguments"


async def test_shortcuts_bring_a_trigger_and_on_a_message_the_message(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot
) -> None:
    await slack.shortcut("U0ALICE", "page")
    assert (bot.last["type"], bot.last["callback_id"]) == ("shortcut", "page")
    assert "channel" not in bot.last
    ts = (await client.chat_postMessage(channel="C0CHECK", text="x"))["ts"]
    await slack.shortcut("U0ALICE", "note", channel="C0CHECK", message=ts)
    assert (bot.last["type"], bot.last["message"]["ts"]) == ("message_action", ts)
    await client.views_open(trigger_id=bot.last["trigger_id"], view=modal(TITLE))
