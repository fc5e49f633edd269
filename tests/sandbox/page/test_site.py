"""The page's server: what it shows to whom, what it lets a person do, and whom it turns away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.server import Sandbox
from tests.sandbox.slack.listening_bot import ListeningBot


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.page_url) as session:
        yield session


async def look(http: aiohttp.ClientSession, path: str, user: str = "U0ALICE") -> Any:
    async with http.get(f"/view/{path}", params={"user": user}) as answer:
        return await answer.json()


async def do(http: aiohttp.ClientSession, path: str, body: Any) -> tuple[int, Any]:
    async with http.post(f"/do/{path}", json=body) as answer:
        return answer.status, await answer.json()


async def test_a_person_sees_their_channels_and_their_own_ephemeral_messages(
    http: aiohttp.ClientSession, bot: ListeningBot
) -> None:
    workspace = await look(http, "workspace")
    assert [c["name"] for c in workspace["channels"]][:2] == ["checkout", "search"]
    bot.answer = {"text": "only you"}
    await do(http, "slack/command", {"user": "U0ALICE", "channel": "C0CHECK", "text": "list"})
    mine = await look(http, "channel/C0CHECK")
    assert [m["text"] for m in mine["messages"]] == ["only you"]
    assert (await look(http, "channel/C0CHECK", "U0BOB"))["messages"] == []
    assert (await look(http, "channel/D0ALICE", "U0BOB")) == {"error": "channel_not_found"}


async def test_an_incident_is_triggered_and_acted_on_as_a_person(http: aiohttp.ClientSession) -> None:
    status, made = await do(http, "pagerduty/trigger", {"service": "PSVCCHK", "title": "Disk full"})
    assert status == 200
    act = {"incident": made["id"], "verb": "acknowledge", "by": "PALICE1"}
    assert (await do(http, "pagerduty/act", act))[0] == 200
    shown = await look(http, "pagerduty")
    assert (shown["open"], shown["incidents"][0]["status"]) == (1, "acknowledged")


async def test_what_cannot_be_done_is_said_in_a_sentence(http: aiohttp.ClientSession) -> None:
    cases: list[tuple[str, Any, int, str]] = [
        ("pagerduty/trigger", {"service": "PNOPE", "title": "x"}, 400, "There is no service"),
        ("pagerduty/trigger", {"title": "x"}, 400, "missing"),
        ("pagerduty/outage", {"mode": "down"}, 404, "trigger, act and speed"),
        ("slack/fault", {}, 404, "no verb"),
        ("slack/command", {"user": "U0ALICE"}, 400, "channel"),
        ("slack/command", [], 400, "object"),
    ]
    for path, body, status, says in cases:
        got, answer = await do(http, path, body)
        assert (got, says in answer["error"]) == (status, True), answer


async def test_other_sites_cannot_act_through_a_visitors_browser(http: aiohttp.ClientSession) -> None:
    async with http.post("/do/pagerduty/trigger", data={"service": "PSVCCHK", "title": "x"}) as answer:
        assert answer.status == 415
    async with http.get("/", headers={"Host": "evil.example"}) as answer:
        assert answer.status == 403
    async with http.get("/") as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_the_stream_says_where_to_look_again_and_ends_with_the_sandbox(
    sandbox: Sandbox, http: aiohttp.ClientSession, bot: ListeningBot
) -> None:
    async with http.get("/stream", params={"user": "U0ALICE"}) as stream:

        async def hint() -> Any:
            while not (line := await asyncio.wait_for(stream.content.readline(), 30)).startswith(b"data: "):
                assert line, "the stream ended"
            return json.loads(line[6:])

        assert await hint() == {"part": "all"}
        await sandbox.slack.message("U0BOB", "C0CHECK", "hi")
        assert (await hint())["part"] == "channel"
        sandbox.pagerduty.trigger("PSVCCHK", "Disk full")
        assert (await hint())["part"] == "pagerduty"
        bot.answer = {"text": "not for Alice"}
        await sandbox.slack.command("U0BOB", "C0CHECK", "list")
        await sandbox.slack.message("U0BOB", "C0SEARCH", "hi")
        while (seen := await hint())["part"] != "channel":
            pass
        assert seen["channel"] == "C0SEARCH"
        stopping = asyncio.create_task(sandbox.page.stop())
        rest = await asyncio.wait_for(stream.content.read(), 30)
        await stopping
        assert b"not for Alice" not in rest
