"""The HTTP door: whatever is sent gets the right status at once, and never a traceback."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.inbound.slack_http import Refused, slack_endpoint, verify
from bot.sandbox.pagerduty import Incident
from tests.command.switchboard import Switchboard, switchboard
from tests.stories.slack_eyes import Seen

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def signed(body: bytes, *, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    moment = str(int(time.time() if at is None else at))
    told = hmac.new(secret.encode(), b"v0:" + moment.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": moment,
        "X-Slack-Signature": f"v0={told}",
        "Content-Type": "application/json",
    }


@pytest.fixture
async def door() -> AsyncIterator[str]:
    """The endpoint over an app without listeners."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="")

    app = AsyncApp(
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        url_verification_enabled=False,
    )
    server = web.Application()
    server.router.add_post("/slack/events", slack_endpoint(app, SecretStr(SECRET)))
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await runner.cleanup()


async def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        return answer.status, await answer.text()


EVENT = json.dumps({"type": "event_callback", "event": {"type": "nothing_we_know"}}).encode()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"X-Slack-Signature": None}, 401),
        ({"X-Slack-Request-Timestamp": None}, 401),
        ({"X-Slack-Request-Timestamp": "abc"}, 400),
        ({"X-Slack-Request-Timestamp": "-1"}, 400),
        ({"X-Slack-Request-Timestamp": "١٢٣"}, 400),
        ({"X-Slack-Request-Timestamp": "9" * 30}, 400),
        ({"X-Slack-Signature": "v0=ключ"}, 400),
        ({"X-Slack-Signature": "v1=abc"}, 400),
        ({"X-Slack-Signature": "v0="}, 401),
        ({"X-Slack-Signature": "v0=" + "0" * 64}, 401),
    ],
)
async def test_what_is_not_signed_is_refused(door: str, change: dict[str, str | None], status: int) -> None:
    headers = {name: value for name, value in (signed(EVENT) | change).items() if value is not None}
    assert (await post(door, EVENT, headers))[0] == status


async def test_old_and_future_requests_are_refused(door: str) -> None:
    for at in (time.time() - 400, time.time() + 400):
        assert (await post(door, EVENT, signed(EVENT, at=at)))[0] == 401
    assert (await post(door, EVENT, signed(EVENT, secret="another")))[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json {",
        b"null",
        b"[]",
        b"[1, 2]",
        b'"text"',
        b"17",
        b"\xff\xfe\xfa",
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"{}",
    ],
)
async def test_a_signed_body_that_is_not_slacks_is_400(door: str, body: bytes) -> None:
    assert (await post(door, body, signed(body)))[0] == 400


@pytest.mark.parametrize("payload", ["", "null", "[]", "not json", "[" * 5000, "17"])
async def test_so_is_a_form_with_such_a_payload(door: str, payload: str) -> None:
    body = urlencode({"payload": payload}).encode()
    headers = signed(body) | {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await post(door, body, headers))[0] in (200, 400)


async def test_two_megabytes_are_too_much(door: str) -> None:
    body = b'{"a":"' + b"x" * 2_000_000 + b'"}'
    host, _, port = door.removeprefix("http://").partition("/")[0].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{name}: {value}" for name, value in signed(body).items()]
    head = "\r\n".join(["POST /slack/events HTTP/1.1", "Host: a", *lines, f"Content-Length: {len(body)}"])
    writer.write(f"{head}\r\n\r\n".encode() + body[:1000])
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()
    await writer.wait_closed()


async def test_nor_may_it_come_in_chunks(door: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    async with aiohttp.ClientSession() as session:
        with contextlib.suppress(aiohttp.ClientError):  # it may end the connection while we still send
            async with session.post(door, data=chunks(), headers=signed(b"")) as answer:
                assert answer.status == 413


async def test_what_nobody_listens_to_is_answered_all_the_same(door: str) -> None:
    assert await post(door, EVENT, signed(EVENT)) == (200, "")


async def test_slacks_challenge_is_returned(door: str) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "prove it"}).encode()
    status, text = await post(door, body, signed(body))
    assert (status, json.loads(text)) == (200, {"challenge": "prove it"})


async def test_refusals_are_logged_without_the_body(door: str, caplog: pytest.LogCaptureFixture) -> None:
    body = b'{"token": "very-secret"}'
    with caplog.at_level(logging.DEBUG):
        await post(door, body, signed(body, secret="another"))
    assert "very-secret" not in caplog.text


@given(st.text(max_size=30), st.text(max_size=80), st.binary(max_size=80))
def test_no_header_breaks_the_check(timestamp: str, signature: str, body: bytes) -> None:
    headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}
    with pytest.raises(Refused) as refused:
        verify(b"key", headers, body, time.time())
    assert refused.value.status in (400, 401)


# --------------------------------------------------------------------- signed, but odd, to the listeners


@pytest.fixture
async def board(sqlite_url: str) -> AsyncIterator[Switchboard]:
    async with switchboard(sqlite_url) as opened:
        yield opened


def interaction(**more: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": "U0ALICE", "team_id": "T0ACME"},
        "team": {"id": "T0ACME"},
        "trigger_id": "1.2.abc",
        "channel": {"id": "C0CHECK"},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C0CHECK"},
        "actions": [{"type": "button", "action_id": "run:ack", "block_id": "b", "value": "ack 1"}],
    } | more


@pytest.mark.parametrize(
    "payload",
    [
        interaction(actions=[]),
        interaction(actions=None),
        interaction(actions=["?"]),
        interaction(actions=[{"type": "button", "action_id": "open:link", "url": "https://a.example"}]),
        interaction(actions=[{"type": "button", "action_id": "run:gone", "value": "no-such-verb Q1"}]),
        interaction(actions=[{"type": "overflow", "action_id": "run:more", "selected_option": None}]),
        interaction(actions=[{"type": "button", "action_id": 17, "value": {}}]),
        interaction(user=None),
        interaction(user="U0ALICE"),
        interaction(trigger_id=None),
        interaction(container=None, channel=None, message={"metadata": {"event_type": "pagerline_incident"}}),
        interaction(view={"id": "V1", "private_metadata": "not ours"}),
        {"type": "view_submission", "view": {}, "user": {"id": "U0ALICE"}, "team": {"id": "T0ACME"}},
        {
            "type": "view_submission",
            "view": {"id": "V1", "callback_id": "form:gone", "private_metadata": '{"verb":"gone"}'},
            "user": {"id": "U0ALICE"},
        },
        {"type": "view_closed", "view": {"id": "V1", "callback_id": "form:note"}, "user": {"id": "U0ALICE"}},
        {"type": "shortcut", "callback_id": "old", "user": {"id": "U0ALICE"}, "trigger_id": "1"},
        {"type": "message_action", "callback_id": "old", "user": {"id": "U0ALICE"}, "trigger_id": "1"},
        {"type": "block_suggestion", "action_id": 17, "block_id": 3, "value": {}, "view": []},
        {"type": "block_suggestion"},
        {"type": "shortcut", "callback_id": 17},
        {"type": "message_action", "callback_id": {}},
        {"type": "interactive_message", "callback_id": ["x"], "actions": 3},
        {"type": "dialog_suggestion", "callback_id": 1.5},
        {"type": "block_suggestion", "action_id": "field:gone", "block_id": "b", "value": "x", "view": {}},
        {"type": "block_suggestion", "action_id": "field:service", "block_id": "b", "value": "x"},
        {"type": "something_new"},
    ],
)
async def test_every_interaction_is_answered(board: Switchboard, payload: dict[str, Any]) -> None:
    body = urlencode({"payload": json.dumps(payload)}).encode()
    headers = signed(body, secret=board.slack.signing_secret)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    status, _ = await post(f"{board.url}/slack/events", body, headers)
    assert status == 200
    await board.settle()


def event(**inner: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T0ACME", "event_id": "Ev1", "event": inner}


@pytest.mark.parametrize(
    "payload",
    [
        event(type="message", subtype="message_changed", channel="C0CHECK", channel_type="channel", ts="1"),
        event(type="message", subtype="message_deleted", channel="D1", channel_type="im", ts="1"),
        event(type="message", subtype="bot_message", channel="D1", channel_type="im", ts="1", bot_id="B1"),
        event(type="message", text=None, channel="D1", channel_type="im", ts="1", user="U0ALICE"),
        event(type="message", channel_type="im"),
        event(type="app_mention", text="<@U0PAGER>", channel="C0CHECK", ts="2", user="U0PAGER"),
        event(type="member_joined_channel", user="U0ALICE", channel="C0CHECK"),
        event(type="channel_left", channel="C0NOSUCH"),
        event(type="channel_left", channel={"id": "C0CHECK"}),
        event(type="channel_rename", channel={"id": "C0CHECK", "name": "new"}),
        event(type="tokens_revoked", tokens={"bot": ["U0PAGER"]}),
        event(type="never_heard_of"),
        {"type": "app_rate_limited", "team_id": "T0ACME", "minute_rate_limited": 1},
        {"type": "event_callback", "team_id": "T0ACME", "event": None},
        {"type": "event_callback", "team_id": "T0ACME", "authorizations": [], "event": {"type": "x"}},
    ],
)
async def test_every_event_is_answered(board: Switchboard, payload: dict[str, Any]) -> None:
    body = json.dumps(payload).encode()
    headers = signed(body, secret=board.slack.signing_secret)
    status, _ = await post(f"{board.url}/slack/events", body, headers)
    assert status == 200
    await board.settle()


async def test_slash_commands_with_fields_missing_are_answered(board: Switchboard) -> None:
    for fields in ({"command": "/pager"}, {"command": "/pager", "user_id": "U0ALICE", "text": "ack 1"}):
        body = urlencode(fields).encode()
        headers = signed(body, secret=board.slack.signing_secret)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        assert (await post(f"{board.url}/slack/events", body, headers))[0] == 200
    await board.settle()


async def test_when_the_store_is_away_an_act_is_refused_in_the_answer(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.services.intents._batcher.close()
    answer = await board.slack.command("U0ALICE", "C0CHECK", f"ack {incident.number}")
    assert answer.status == 200
    assert "cannot remember" in str(answer.body)
    assert board.truth(incident).status == "triggered"
    assert "act as Alice" in await board.types("whoami")  # reading needs no memory


async def shown_to_alice(board: Switchboard) -> tuple[Seen, Incident]:
    """An incident's private answer, with its buttons."""
    incident = await board.breaks("Disk full")
    await board.types(f"show {incident.number}")
    return board.newest(), incident


async def test_when_the_store_is_away_who_presses_is_told_before_slack_is_answered(
    board: Switchboard,
) -> None:
    shown, incident = await shown_to_alice(board)
    await board.services.intents._batcher.close()
    await shown.press("Acknowledge", by="U0ALICE")
    assert "cannot remember" in board.newest().text
    assert board.truth(incident).status == "triggered"


async def test_what_is_neither_kept_nor_told_is_not_taken_for_accepted(board: Switchboard) -> None:
    """Slack shows who pressed that it failed."""
    shown, incident = await shown_to_alice(board)
    button = next(one for one in shown.controls if one.label == "Acknowledge")
    await board.services.intents._batcher.close()
    board.slack.fault("*", "server_error", count=99)
    answer = await board.slack.action(
        "U0ALICE", button.action_id, channel=shown.channel, message=shown.ts, value=button.value
    )
    board.slack.faults.clear()
    assert answer.status == 503
    assert board.truth(incident).status == "triggered"


async def test_while_it_stops_presses_are_told_and_events_left_to_who_comes_after(board: Switchboard) -> None:
    shown, incident = await shown_to_alice(board)
    assert await board.runner.tasks.finish(30) == 0
    await shown.press("Acknowledge", by="U0ALICE")
    assert "restarting" in board.newest().text
    assert board.truth(incident).status == "triggered"
    asked = await board.slack.mention("U0ALICE", "C0CHECK", f"ack {incident.number}")
    assert asked.status == 503  # Slack sends it again


async def test_bolt_sets_the_level_of_no_logger_of_ours(door: str) -> None:
    del door
    assert logging.getLogger("pagerline").level == logging.NOTSET
