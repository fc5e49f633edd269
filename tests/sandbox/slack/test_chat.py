"""Writing messages as the bot: what Slack stores, answers and refuses."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack
from tests.sandbox.slack.refusal import refused

MARK = {"event_type": "pd_incident", "event_payload": {"row": 7}}
BUTTONS = [
    {
        "type": "actions",
        "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Ack"}, "value": "ack Q1"}],
    }
]


async def test_a_post_is_stored_with_ids_for_what_the_bot_left_out(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    answer = await client.chat_postMessage(channel="C0CHECK", text="Disk full", blocks=BUTTONS)
    message = slack.workspace.channel("C0CHECK").messages[answer["ts"]]
    assert message.text == "Disk full"
    assert message.blocks[0]["block_id"]
    assert message.blocks[0]["elements"][0]["action_id"]
    assert answer["message"]["bot_id"] == slack.world.bot_id


async def test_two_posts_never_share_a_ts(slack: FakeSlack, client: AsyncWebClient) -> None:
    first = await client.chat_postMessage(channel="C0CHECK", text="one")
    second = await client.chat_postMessage(channel="C0CHECK", text="two")
    assert float(second["ts"]) > float(first["ts"])


async def test_text_alone_takes_old_blocks_away_and_no_metadata_keeps_the_old(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="C0CHECK", text="a", blocks=BUTTONS, metadata=MARK)
    await client.chat_update(channel="C0CHECK", ts=posted["ts"], text="b")
    message = slack.workspace.channel("C0CHECK").messages[posted["ts"]]
    assert (message.text, message.blocks, message.metadata, message.edits) == ("b", [], MARK, 1)
    await client.chat_update(channel="C0CHECK", ts=posted["ts"], text="b", metadata={})
    assert message.metadata is None


async def test_a_user_id_opens_direct_messages_and_answers_their_channel(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="U0ALICE", text="psst")
    assert posted["channel"].startswith("D")
    assert (
        await refused(client.chat_update(channel="U0ALICE", ts=posted["ts"], text="x")) == "channel_not_found"
    )
    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="x")


async def test_replies_carry_the_thread_of_their_parent(slack: FakeSlack, client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel="C0CHECK", text="parent")
    reply = await client.chat_postMessage(channel="C0CHECK", text="reply", thread_ts=parent["ts"])
    deeper = await client.chat_postMessage(channel="C0CHECK", text="below a reply", thread_ts=reply["ts"])
    assert reply["message"]["thread_ts"] == deeper["message"]["thread_ts"] == parent["ts"]


async def test_channels_the_bot_cannot_write_to(slack: FakeSlack, client: AsyncWebClient) -> None:
    assert await refused(client.chat_postMessage(channel="C0GENERAL", text="x")) == "not_in_channel"
    assert await refused(client.chat_postMessage(channel="C0NOWHERE", text="x")) == "channel_not_found"
    await slack.kick("G0PRIV")
    assert await refused(client.chat_postMessage(channel="G0PRIV", text="x")) == "channel_not_found"
    await slack.archive("C0CHECK")
    assert await refused(client.chat_postMessage(channel="C0CHECK", text="x")) == "is_archived"
    slack.scopes(granted=["chat:write.public"])
    await client.chat_postMessage(channel="C0GENERAL", text="x")


async def test_content_slack_refuses(client: AsyncWebClient) -> None:
    async def post(**said: object) -> str:
        return await refused(client.api_call("chat.postMessage", json={"channel": "C0CHECK", **said}))

    assert await post(text=" ") == "no_text"
    assert await post(blocks="{not json", text="x") == "invalid_blocks_format"
    assert await post(blocks=[{"type": "nonsense"}], text="x") == "invalid_blocks"
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}] * 5
    assert await post(blocks=long, text="x") == "msg_blocks_too_long"
    assert (
        await post(text="x", metadata={"event_type": "a b", "event_payload": {}}) == "invalid_metadata_schema"
    )
    assert await post(text="x", attachments=[{}] * 101) == "too_many_attachments"
    assert await post(text="x", markdown_text="y") == "markdown_text_conflict"


async def test_invalid_blocks_name_the_place(client: AsyncWebClient) -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    with pytest.raises(Exception, match="invalid_blocks") as failure:
        await client.chat_postMessage(channel="C0CHECK", text="x", blocks=blocks)
    messages = failure.value.response["response_metadata"]["messages"]  # type: ignore[attr-defined]
    assert messages == ["[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"]


async def test_long_text_is_cut_in_a_post_and_refused_in_an_update(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="C0CHECK", text="x" * 40_001)
    assert len(slack.workspace.channel("C0CHECK").messages[posted["ts"]].text) == 40_000
    update = client.chat_update(channel="C0CHECK", ts=posted["ts"], text="x" * 4_001)
    assert await refused(update) == "msg_too_long"


async def test_only_own_existing_messages_can_be_changed(slack: FakeSlack, client: AsyncWebClient) -> None:
    await slack.message("U0ALICE", "C0CHECK", "mine")
    theirs = slack.messages("C0CHECK")[0].ts
    assert await refused(client.chat_update(channel="C0CHECK", ts=theirs, text="x")) == "cant_update_message"
    assert await refused(client.chat_delete(channel="C0CHECK", ts=theirs)) == "cant_delete_message"
    assert (
        await refused(client.chat_update(channel="C0CHECK", ts="1.000001", text="x")) == "message_not_found"
    )
    posted = await client.chat_postMessage(channel="C0CHECK", text="x")
    await client.chat_delete(channel="C0CHECK", ts=posted["ts"])
    assert await refused(client.chat_delete(channel="C0CHECK", ts=posted["ts"])) == "message_not_found"
    await slack.archive("C0CHECK")
    assert await refused(client.chat_update(channel="C0CHECK", ts=theirs, text="x")) == "is_inactive"


async def test_an_ephemeral_message_is_seen_by_one_person_and_in_no_history(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    answer = await client.chat_postEphemeral(channel="C0CHECK", user="U0ALICE", text="only you")
    assert [m.text for m in slack.messages("C0CHECK", seen_by="U0ALICE")] == ["only you"]
    assert slack.messages("C0CHECK", seen_by="U0BOB") == []
    assert (await client.conversations_history(channel="C0CHECK"))["messages"] == []
    ts = answer["message_ts"]
    assert await refused(client.chat_update(channel="C0CHECK", ts=ts, text="x")) == "message_not_found"
    nobody = client.chat_postEphemeral(channel="C0CHECK", user="U0GONE", text="x")
    assert await refused(nobody) == "user_not_in_channel"


async def test_reactions_and_permalinks(slack: FakeSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0CHECK", text="x")
    place = {"channel": "C0CHECK", "timestamp": posted["ts"]}
    await client.reactions_add(name="eyes", **place)
    assert await refused(client.reactions_add(name="eyes", **place)) == "already_reacted"
    link = await client.chat_getPermalink(channel="C0CHECK", message_ts=posted["ts"])
    assert link["permalink"].endswith(f"/archives/C0CHECK/p{posted['ts'].replace('.', '')}")


async def test_what_was_posted_twice_shows(slack: FakeSlack, client: AsyncWebClient) -> None:
    first = await client.chat_postMessage(channel="C0CHECK", text="a", metadata=MARK)
    await client.chat_postMessage(channel="C0SEARCH", text="another channel", metadata=MARK)
    assert slack.doubles() == []
    await client.chat_postMessage(channel="C0CHECK", text="again", metadata=MARK)
    assert [[m["text"] for m in group] for group in slack.doubles("row")] == [["a", "again"]]
    await client.chat_delete(channel="C0CHECK", ts=first["ts"])
    assert slack.doubles() == []
    assert len(slack.doubles(existing=False)) == 1


async def test_json_and_forms_are_both_understood(slack: FakeSlack) -> None:
    url = f"{slack.acting.origin}/api/chat.postMessage"
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    said = {"channel": "C0CHECK", "text": "x"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for body in ({"json": said}, {"data": said}):
            async with session.post(url, **body) as answer:  # type: ignore[arg-type]
                assert (await answer.json())["ok"] is True
        async with session.post(url, data=b"[1]", headers={"Content-Type": "application/json"}) as answer:
            assert await answer.json() == {"ok": False, "error": "json_not_object"}
