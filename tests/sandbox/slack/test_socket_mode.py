"""Socket Mode: hello, envelopes, acks, several connections, goodbyes — also with Slack's own client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack


class Connection:
    """A bare websocket client that acks when told to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def receive(self) -> dict[str, Any]:
        return dict(json.loads(await asyncio.wait_for(self.socket.receive_str(), 30)))

    async def ack(self, envelope: dict[str, Any], **more: Any) -> None:
        await self.socket.send_json({"envelope_id": envelope["envelope_id"], **more})


async def connect(slack: FakeSlack, session: aiohttp.ClientSession) -> Connection:
    client = AsyncWebClient(base_url=f"{slack.acting.origin}/api/", session=session)
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    connection = Connection(await session.ws_connect(url))
    assert (await connection.receive())["type"] == "hello"
    return connection


async def test_a_command_is_an_envelope_and_its_ack_may_answer(slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        connection = await connect(slack, session)
        command = asyncio.create_task(slack.command("U0ALICE", "C0CHECK", "list"))
        envelope = await connection.receive()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
        assert envelope["payload"]["text"] == "list"
        await connection.ack(envelope, payload={"text": "none open"})
        assert (await command).body == {"text": "none open"}
        assert slack.messages("C0CHECK", seen_by="U0ALICE")[-1].text == "none open"


async def test_each_payload_goes_to_one_connection_in_turn(slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        pair = [await connect(slack, session) for _ in range(2)]
        assert slack.delivery.sockets.connected == 2
        for _ in range(2):
            task = asyncio.create_task(slack.mention("U0BOB", "C0CHECK", "hi"))
            receivers = [asyncio.create_task(c.receive()) for c in pair]
            done, waiting = await asyncio.wait(receivers, return_when=asyncio.FIRST_COMPLETED)
            assert len(done) == 1
            for rest in waiting:
                rest.cancel()
            connection = pair[receivers.index(done.copy().pop())]
            await connection.ack(done.pop().result())
            assert (await task).status == 200


async def test_an_envelope_without_ack_is_a_timeout_and_events_come_again(slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        connection = await connect(slack, session)
        task = asyncio.create_task(slack.mention("U0BOB", "C0CHECK", "hi"))
        first = await connection.receive()
        assert (await task).failure == "operation_timeout"
        second = await connection.receive()
        assert second["payload"]["event_id"] == first["payload"]["event_id"]
        assert (second["retry_attempt"], second["retry_reason"]) == (1, "http_timeout")
        await connection.ack(second)


async def test_a_disconnect_says_why_and_only_a_warning_leaves_the_socket_open(slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        connection = await connect(slack, session)
        await slack.socket("warning")
        assert (await connection.receive())["reason"] == "warning"
        assert slack.delivery.sockets.connected == 1
        await slack.socket("refresh_requested")
        assert (await connection.receive())["reason"] == "refresh_requested"
        assert (await connection.socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert slack.delivery.sockets.connected == 0


async def test_a_ticket_is_good_for_one_connection(slack: FakeSlack) -> None:
    url = slack.delivery.sockets.new_url(slack.acting.origin).replace("ws", "http", 1)
    async with aiohttp.ClientSession() as session:
        await session.ws_connect(url)
        async with session.get(url) as again:
            assert again.status == 403


async def test_slacks_own_client_connects_answers_and_comes_back(slack: FakeSlack) -> None:
    got: asyncio.Queue[str] = asyncio.Queue()
    hellos: list[dict[str, Any]] = []
    came_back = asyncio.Event()

    async def listener(socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await socket.send_socket_mode_response(SocketModeResponse(request.envelope_id, {"text": "hi"}))
        await got.put(request.payload["text"])

    async def watch(socket: AsyncBaseSocketModeClient, message: dict[str, Any], raw: str | None) -> None:
        if message.get("type") == "hello":
            hellos.append(message)
        if len(hellos) == 2:
            came_back.set()

    web = AsyncWebClient(base_url=f"{slack.acting.origin}/api/")
    client = SocketModeClient(slack.app_token, web_client=web, ping_interval=1)
    client.socket_mode_request_listeners.append(listener)
    client.message_listeners.append(watch)
    try:
        await client.connect()  # type: ignore[no-untyped-call]
        assert (await slack.command("U0ALICE", "C0CHECK", "one")).body == {"text": "hi"}
        await slack.socket("refresh_requested")
        await asyncio.wait_for(came_back.wait(), 30)
        await slack.command("U0ALICE", "C0CHECK", "two")
        assert [await got.get(), await got.get()] == ["one", "two"]
    finally:
        await client.close()  # type: ignore[no-untyped-call]
