"""What is behind the page: trouble on purpose, raw HTTP without secrets, and the session as a story."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.page.truth import Truth
from bot.sandbox.server import Sandbox
from tests.sandbox.slack.forms import ACTIONS, plain
from tests.sandbox.slack.listening_bot import ListeningBot


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.page_url) as session:
        yield session


async def look(http: aiohttp.ClientSession, path: str, **query: str) -> Any:
    async with http.get(f"/view/{path}", params=query) as answer:
        return await answer.json()


async def do(http: aiohttp.ClientSession, path: str, **body: Any) -> tuple[int, Any]:
    async with http.post(f"/do/{path}", json=body) as answer:
        return answer.status, await answer.json()


def client(sandbox: Sandbox) -> AsyncWebClient:
    return AsyncWebClient(sandbox.slack.bot_token, base_url=sandbox.slack_api_url)


async def post_about(sandbox: Sandbox, incident: str, text: str) -> str:
    """A message as the bot would post it."""
    mark = {"event_type": "pagerline_incident", "event_payload": {"incident": incident}}
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{text}*"}}, ACTIONS]
    posted = await client(sandbox).chat_postMessage(
        channel="C0CHECK", text=text, blocks=blocks, metadata=mark
    )
    return str(posted["ts"])


async def test_each_thing_breaks_and_is_mended(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    switches = [one["name"] for one in (await look(http, "trouble"))["switches"]]
    assert len(switches) == 6
    for name in switches:
        status, view = await do(http, "trouble/switch", name=name, on=True)
        assert (status, view["tone"], bool(view["said"])) == (200, "trouble", True)
    assert (sandbox.slack.limits.enabled, sandbox.pagerduty.webhooks.mode) == (True, "drop")
    assert [fault.mode for fault in sandbox.slack.faults.waiting] == ["server_error"]
    await do(http, "trouble/mend")
    assert (sandbox.slack.limits.enabled, sandbox.pagerduty.webhooks.mode) == (False, "deliver")
    assert sandbox.slack.faults.waiting == []
    assert (await client(sandbox).auth_test())["ok"]


async def test_an_incident_on_a_page_of_a_storm_is_told(sandbox: Sandbox) -> None:
    truth = Truth(sandbox.slack, sandbox.pagerduty)
    first, second = (sandbox.pagerduty.trigger("PSVCCHK", title) for title in ("Disk full", "Disk slow"))
    await post_about(sandbox, first.id, "Triggered: Disk full")
    deadline = time.monotonic() + 5
    while truth.behind(since=0) != 1:  # changes count when they are half a second old
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    row = f"<https://acme.pagerduty.com/incidents/{second.id}|#{second.number}> *triggered* Disk slow"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": row}}]
    mark = {"event_type": "pagerline_page", "event_payload": {"kind": "page", "row": 2}}
    await client(sandbox).chat_postMessage(channel="C0CHECK", text="Page", blocks=blocks, metadata=mark)
    assert truth.behind(since=0) == 0
    sandbox.pagerduty.act(second.id, "acknowledge", "PALICE1")
    while truth.behind(since=0) != 1:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_the_strip_counts_what_is_not_true_yet(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    await do(http, "trouble/switch", name="webhooks_dropped", on=True)
    _, made = await do(http, "pagerduty/trigger", service="PSVCCHK", title="Disk full")
    ts = await post_about(sandbox, made["id"], "Triggered: Disk full")
    await do(http, "pagerduty/act", incident=made["id"], verb="acknowledge", by="PALICE1")

    async def said(words: str) -> Any:
        deadline = time.monotonic() + 5
        while words not in (view := await look(http, "trouble"))["said"]:
            assert time.monotonic() < deadline, view
            await asyncio.sleep(0.05)
        return view

    await said("1 message is behind.")
    await client(sandbox).chat_update(channel="C0CHECK", ts=ts, text="Acknowledged: Disk full")
    await said("Every message is true.")
    await do(http, "trouble/mend")
    assert (await said("true again"))["tone"] == "healed"


async def test_what_cannot_be_broken_is_said_in_a_sentence(http: aiohttp.ClientSession) -> None:
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("trouble/switch", {"name": "gravity", "on": True}, 400, "gravity"),
        ("trouble/switch", {"on": True}, 400, "missing"),
        ("trouble/storm", {"count": 5000}, 400, "1 to 1000"),
        ("trouble/panic", {}, 404, "switch, storm and mend"),
        ("pagerduty/speed", {"speed": "fast"}, 400, "1 to 1000 times"),
    ]
    for path, body, status, words in cases:
        got, answer = await do(http, path, **body)
        assert (got, words in answer["error"]) == (status, True), answer


async def test_no_secret_can_be_read_on_the_page(
    sandbox: Sandbox, http: aiohttp.ClientSession, bot: ListeningBot
) -> None:
    await do(http, "slack/command", user="U0ALICE", channel="C0CHECK", text="list")
    await client(sandbox).chat_postMessage(channel="C0CHECK", text=f"a slip: {sandbox.webhook_secret}")
    for line in (await look(http, "wire"))["exchanges"]:
        whole = await look(http, f"wire/{line['id']}")
        text = whole["request"] + whole["response"]
        assert [secret for secret in sandbox.secrets() if secret in text] == []
        assert "/response/" not in text.replace("/response/•••", "")
        assert f'"trigger_id": "{bot.last["trigger_id"]}"' not in text
    assert (await look(http, "wire", find="nothing like this"))["exchanges"] == []
    async with http.get("/view/wire/zz") as answer:
        assert answer.status == 404


async def test_what_links_a_person_cannot_be_read_either(
    sandbox: Sandbox, http: aiohttp.ClientSession, bot: ListeningBot
) -> None:
    url = "http://127.0.0.1:3000/pagerduty/link?ticket=the-ticket"
    button = {"type": "button", "action_id": "link", "text": plain("Link"), "url": url, "value": "the-ticket"}
    blocks = [{"type": "actions", "elements": [button]}]
    posted = await client(sandbox).chat_postMessage(channel="C0CHECK", text="Link", blocks=blocks)
    press = {"user": "U0BOB", "channel": "C0CHECK", "message": posted["ts"], "action_id": "link"}
    await do(http, "slack/action", **press)
    await bot.wait_for(1)
    said = "code=the-code&state=the-state&code_verifier=the-verifier and token=the-token"
    await client(sandbox).chat_postMessage(channel="C0CHECK", text=said)
    query = {"client_id": sandbox.oauth_client_id, "state": "the-state", "code_challenge": "the-challenge"}
    async with http.get(f"{sandbox.pagerduty_url}/oauth/authorize", params=query) as answer:
        assert answer.status == 400
    tokens = {"token": "the-token", "code": "the-code", "code_verifier": "the-verifier"}
    async with http.post(f"{sandbox.pagerduty_url}/oauth/token", data=tokens) as answer:
        assert answer.status == 401
    shown = [await look(http, f"wire/{one['id']}") for one in (await look(http, "wire"))["exchanges"]]
    text = "".join(one["request"] + one["response"] for one in shown)
    assert text.count("•••") > 8
    for secret in ("ticket", "code", "state", "verifier", "challenge", "token"):
        assert f"the-{secret}" not in text, secret


async def test_the_session_is_told_as_a_story(
    sandbox: Sandbox, http: aiohttp.ClientSession, bot: ListeningBot
) -> None:
    _, made = await do(http, "pagerduty/trigger", service="PSVCCHK", title='Disk "full" & <slow>')
    ts = await post_about(sandbox, made["id"], "Triggered")
    press = {"user": "U0BOB", "channel": "C0CHECK", "message": ts, "action_id": "ack"}
    button = next(e for e in ACTIONS["elements"] if e["type"] == "button")
    await do(http, "slack/action", **(press | {"action_id": button["action_id"]}))
    await do(http, "slack/command", user="U0STRANG", channel="C0GENERAL", text=f"show {made['number']}")
    await do(http, "slack/message", user="U0BOB", channel="C0CHECK", text="@pagerline ack", thread_ts=ts)
    await do(http, "slack/action", **(press | {"action_id": "no such thing"}))
    text = (await look(http, "story"))["text"]
    for line in (
        'incident_1 = await office.trigger("Disk \\"full\\" & <slow>", "PSVCCHK", urgency="high")',
        f'await message_1.press("{button["text"]["text"]}", by="U0BOB")',
        '(office.slack, "U0STRANG").types(f"show {incident_1.number}", Place(office.slack, "C0GENERAL"))',
        'await office.bob.mentions("ack", office.checkout, thread_ts=message_1.ts)',
        "from tests.stories.slack_eyes import Person, Place",
    ):
        assert line in text, text
    assert "no such thing" not in text
    compile(text, "story.py", "exec")
