"""Socket Mode: the same listeners, over a websocket that we opened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.inbound.slack_socket import SocketFront
from tests.command.switchboard import Switchboard, switchboard
from tests.stories.waiting import until, until_async


@pytest.fixture
async def board(sqlite_url: str) -> AsyncIterator[Switchboard]:
    async with switchboard(sqlite_url) as opened:
        socket = SocketFront(opened.front.app, SecretStr(opened.slack.app_token), look_seconds=0.02)
        stop = asyncio.Event()
        running = asyncio.create_task(socket.run(stop))
        await until(lambda: opened.slack.delivery.sockets.connected > 0, "the socket did not open")
        yield opened
        stop.set()
        await running


async def test_commands_presses_and_forms_come_through(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    assert "Acknowledged" in await board.types(f"ack {incident.number}")
    assert board.truth(incident).status == "acknowledged"
    await board.types(f"show {incident.number}")
    await board.newest().press("Add note", by="U0ALICE")
    await board.alice.fills(text="By socket")
    await board.settle()
    assert [one.content for one in board.truth(incident).notes] == ["By socket"]
    deliveries = [one for one in board.slack.journal if one.direction == "delivery"]
    assert all("/slack/events" not in one.path for one in deliveries)


async def test_mentions_and_pickers_too(board: Switchboard) -> None:
    await board.slack.mention("U0ALICE", "C0CHECK", "whoami")
    await board.settle()
    assert "act as Alice" in board.newest().text
    await board.types("trigger")
    view = board.slack.views.top("U0ALICE")
    assert view is not None
    offered = await board.slack.options("U0ALICE", "field:service", "login", view=view.id)
    assert [one["value"] for one in offered.body["options"]] == ["PSVCLOG"]


async def test_it_comes_back_after_slack_closed_it(board: Switchboard) -> None:
    await board.slack.socket("refresh_requested")

    async def answered() -> bool:
        answer = await board.slack.command("U0ALICE", "C0CHECK", "whoami")
        return answer.status == 200

    await until_async(answered, "no socket came back")
    await asyncio.wait_for(board.settle(), 30)


async def test_a_wrong_app_token_is_a_complaint_and_stops_nothing(sqlite_url: str) -> None:
    async with switchboard(sqlite_url) as opened:
        socket = SocketFront(opened.front.app, SecretStr("xapp-wrong"), look_seconds=0.02)
        stop = asyncio.Event()
        running = asyncio.create_task(socket.run(stop))
        await until(lambda: socket.problems() or None, "nobody complained")
        assert "SLACK_APP_TOKEN" in socket.problems()[0]
        stop.set()
        await asyncio.wait_for(running, 30)
