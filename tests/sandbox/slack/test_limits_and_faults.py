"""Rate limits and faults: what a bot meets on a bad day."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack
from tests.sandbox.slack.conftest import Clock
from tests.sandbox.slack.refusal import refused
from tests.stories.waiting import until


async def post(client: AsyncWebClient, channel: str = "C0CHECK", text: str = "x") -> str:
    return str((await client.chat_postMessage(channel=channel, text=text))["ts"])


async def test_limits_are_off_until_switched_on(client: AsyncWebClient) -> None:
    for _ in range(10):
        await post(client)


async def test_a_channel_takes_a_burst_of_three_then_one_a_second(
    slack: FakeSlack, client: AsyncWebClient, clock: Clock
) -> None:
    slack.rate_limits(enabled=True)
    for _ in range(3):
        await post(client)
    with pytest.raises(SlackApiError) as failure:
        await post(client)
    assert failure.value.response.status_code == 429
    assert failure.value.response.headers["Retry-After"] == "1"
    await post(client, "C0SEARCH")
    clock.forward(1)
    await post(client)


async def test_a_method_takes_its_tier_a_minute_and_others_go_on(
    slack: FakeSlack, client: AsyncWebClient, clock: Clock
) -> None:
    slack.rate_limits(enabled=True, per_minute={"chat.update": 2})
    ts = await post(client)
    for _ in range(2):
        await client.chat_update(channel="C0CHECK", ts=ts, text="y")
    with pytest.raises(SlackApiError) as failure:
        await client.chat_update(channel="C0CHECK", ts=ts, text="y")
    assert failure.value.response.headers["Retry-After"] == "60"
    await client.users_info(user="U0BOB")
    clock.forward(60)
    await client.chat_update(channel="C0CHECK", ts=ts, text="y")


async def test_faults_strike_as_often_as_asked_and_where(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.fault("chat.postMessage", "error", error="fatal_error", count=2, channel="C0CHECK")
    await post(client, "C0SEARCH")
    for _ in range(2):
        assert await refused(client.chat_postMessage(channel="C0CHECK", text="x")) == "fatal_error"
    await post(client)
    slack.fault("*", "rate_limit", retry_after=7)
    with pytest.raises(SlackApiError) as failure:
        await client.auth_test()
    assert failure.value.response.headers["Retry-After"] == "7"
    slack.fault("*", "server_error")
    with pytest.raises(SlackApiError):
        await client.auth_test()


async def test_a_dropped_connection_may_hide_a_post_that_was_made(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.fault("chat.postMessage", "drop_before")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(client)
    assert slack.messages("C0CHECK") == []
    slack.fault("chat.postMessage", "drop_after")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(client)
    assert len(slack.messages("C0CHECK")) == 1
    assert [e.fault for e in slack.journal.calls("chat.postMessage")] == ["drop_before", "drop_after"]


async def test_a_call_can_be_carried_out_after_its_connection_was_dropped(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.fault("chat.postMessage", "late", seconds=0.5)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(client)
    assert slack.messages("C0CHECK") == []
    await until(lambda: len(slack.messages("C0CHECK")) == 1, "it was never carried out")


async def test_a_call_can_hang_with_or_without_being_carried_out(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    for carried_out, count in ((False, 0), (True, 1)):
        slack.fault("chat.postMessage", "hang", seconds=30, carried_out=carried_out)
        call = asyncio.create_task(post(client))
        await until(lambda: not slack.faults.waiting, "the call did not come")
        await until(lambda count=count: len(slack.messages("C0CHECK")) == count, "not as it should be")  # type: ignore[misc]
        assert not (await asyncio.wait({call}, timeout=0.2))[0]
        assert len(slack.messages("C0CHECK")) == count
        call.cancel()
        await asyncio.wait({call})


async def test_a_fault_that_does_not_exist_is_refused(slack: FakeSlack) -> None:
    with pytest.raises(ValueError, match="server_error"):
        slack.fault("chat.update", "explode")
    with pytest.raises(ValueError, match="retry_after"):
        slack.fault("chat.update", "error", colour="red")
