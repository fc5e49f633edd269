"""Reading what was said: order, bounds, pages, metadata, threads, and the scopes it needs."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack
from tests.sandbox.slack.refusal import refused

MARK = {"event_type": "pd_incident", "event_payload": {"row": 7}}


async def test_history_is_newest_first_page_by_page(client: AsyncWebClient) -> None:
    for number in range(5):
        await client.chat_postMessage(channel="C0CHECK", text=str(number))
    seen = []
    async for page in await client.conversations_history(channel="C0CHECK", limit=2):
        seen += [m["text"] for m in page["messages"]]
    assert seen == ["4", "3", "2", "1", "0"]


async def test_bounds_leave_out_their_own_message_unless_inclusive(client: AsyncWebClient) -> None:
    ts = [(await client.chat_postMessage(channel="C0CHECK", text=str(n)))["ts"] for n in range(3)]
    after = await client.conversations_history(channel="C0CHECK", oldest=ts[1])
    assert [m["text"] for m in after["messages"]] == ["2"]
    from_there = await client.conversations_history(channel="C0CHECK", oldest=ts[1], inclusive=True)
    assert [m["text"] for m in from_there["messages"]] == ["2", "1"]
    assert (
        await refused(client.conversations_history(channel="C0CHECK", oldest="soon")) == "invalid_ts_oldest"
    )


async def test_metadata_comes_only_when_asked_for(client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0CHECK", text="x", metadata=MARK)
    without = await client.conversations_history(channel="C0CHECK")
    assert "metadata" not in without["messages"][0]
    asked = await client.conversations_history(channel="C0CHECK", include_all_metadata=True)
    assert asked["messages"][0]["metadata"] == MARK


async def test_replies_stay_in_their_thread_unless_broadcast(client: AsyncWebClient) -> None:
    parent = (await client.chat_postMessage(channel="C0CHECK", text="parent"))["ts"]
    await client.chat_postMessage(channel="C0CHECK", text="quiet", thread_ts=parent)
    await client.chat_postMessage(channel="C0CHECK", text="loud", thread_ts=parent, reply_broadcast=True)
    history = (await client.conversations_history(channel="C0CHECK"))["messages"]
    assert [m["text"] for m in history] == ["loud", "parent"]
    assert history[0]["subtype"] == "thread_broadcast"
    assert history[1]["reply_count"] == 2
    thread = await client.conversations_replies(channel="C0CHECK", ts=parent)
    assert [m["text"] for m in thread["messages"]] == ["parent", "quiet", "loud"]
    assert await refused(client.conversations_replies(channel="C0CHECK", ts="1.1")) == "thread_not_found"


async def test_without_the_scope_or_the_channel_there_is_no_history(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    assert await refused(client.conversations_history(channel="C0GENERAL")) == "not_in_channel"
    slack.history_scope(granted=False)
    assert await refused(client.conversations_history(channel="C0CHECK")) == "missing_scope"
    assert await refused(client.conversations_history(channel="G0PRIV")) == "missing_scope"
    slack.history_scope(granted=True)
    assert (await client.conversations_history(channel="C0CHECK"))["ok"]
