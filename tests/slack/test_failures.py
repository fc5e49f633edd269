"""What can go wrong between us and Slack, and what we make of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.errors import SlackFailure
from bot.sandbox.slack import FakeSlack
from bot.slack import failures
from bot.slack.client import Slack
from bot.slack.failures import (
    ContentRefused,
    Limited,
    OutcomeUnknown,
    TokenBad,
    Unreachable,
    ViewExpired,
    classify,
)
from bot.slack.marks import Mark, read_mark

CHANNEL = "C0CHECK"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OddServer:
    """Answers every call with whatever a test gives it: a proxy's page, a broken body, nothing."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.calls = 0
        self.origin = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        assert self.answer is not None
        return await self.answer(request)

    def says(self, text: str, *, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=status, text=text, content_type=kind, headers=headers)

        self.answer = answer


@pytest.fixture
async def odd() -> AsyncIterator[OddServer]:
    server = OddServer()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
async def slack_behind(odd: OddServer, session: aiohttp.ClientSession) -> Slack:
    return Slack(session, SecretStr("xoxb-test"), base_url=f"{odd.origin}/api/", team_id="T0ACME")


class TestAPostIsNeverRepeated:
    async def test_when_the_connection_drops_after_it_was_carried_out(
        self, slack: Slack, fake: FakeSlack
    ) -> None:
        fake.fault("chat.postMessage", "drop_after")
        with pytest.raises(OutcomeUnknown):
            await slack.post(CHANNEL, "Disk full")
        assert len(fake.workspace.posted) == 1

    async def test_when_the_connection_drops_before(self, slack: Slack, fake: FakeSlack) -> None:
        fake.fault("chat.postMessage", "drop_before")
        with pytest.raises(OutcomeUnknown):
            await slack.post(CHANNEL, "Disk full")
        assert fake.workspace.posted == []

    async def test_when_slack_is_silent(self, slack: Slack, fake: FakeSlack) -> None:
        fake.fault("chat.postMessage", "hang", seconds=4)
        with pytest.raises(OutcomeUnknown) as silent:
            await slack.post(CHANNEL, "Disk full")
        assert silent.value.code == "timeout"
        assert len(fake.workspace.posted) == 1

    async def test_when_slack_limits(self, slack: Slack, fake: FakeSlack) -> None:
        fake.fault("chat.postMessage", "rate_limit", retry_after=7)
        with pytest.raises(Limited) as limited:
            await slack.post(CHANNEL, "Disk full")
        assert limited.value.seconds == 7
        assert fake.workspace.posted == []

    async def test_when_slack_breaks(self, slack: Slack, fake: FakeSlack) -> None:
        fake.fault("chat.postMessage", "server_error")
        with pytest.raises(OutcomeUnknown):
            await slack.post(CHANNEL, "Disk full")
        for code in ("internal_error", "fatal_error"):
            fake.fault("chat.postMessage", "error", error=code)
            with pytest.raises(OutcomeUnknown):
                await slack.post(CHANNEL, "Disk full")


async def test_an_edit_is_repeated_once_when_its_connection_drops(slack: Slack, fake: FakeSlack) -> None:
    posted = await slack.post(CHANNEL, "Disk full")
    fake.fault("chat.update", "drop_after")
    await slack.update(CHANNEL, posted.ts, "Resolved")
    fake.fault("chat.update", "drop_before", count=2)
    with pytest.raises(OutcomeUnknown):
        await slack.update(CHANNEL, posted.ts, "Resolved")
    fake.fault("chat.update", "rate_limit", retry_after=3)
    with pytest.raises(Limited):
        await slack.update(CHANNEL, posted.ts, "Resolved")


async def test_nobody_listens(session: aiohttp.ClientSession) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    slack = Slack(session, SecretStr("xoxb-test"), base_url=f"http://127.0.0.1:{port}/api/")
    with pytest.raises(Unreachable):
        await slack.post(CHANNEL, "Disk full")
    with pytest.raises(Unreachable):
        await slack.respond(f"http://127.0.0.1:{port}/response/1", text="Done")


async def test_a_proxy_in_the_environment_is_not_asked(
    slack: Slack, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with aiohttp.ClientSession() as session:
        ours = Slack(session, SecretStr(fake.bot_token), base_url=f"{fake.acting.origin}/api/")
        assert (await ours.identity()).team_id == "T0ACME"


@pytest.mark.parametrize(
    ("text", "status", "kind"),
    [
        ("<html>Bad gateway</html>", 502, "text/html"),
        ("<html>Log in to the hotel's network</html>", 200, "text/html"),
        ("Service unavailable", 503, "text/plain"),
        ("ok", 200, "text/plain"),
        ("not json", 200, "application/json"),
        ("", 200, "application/json"),
        ("null", 200, "application/json"),
        ("[1]", 200, "application/json"),
        ('{"ok": true}', 200, "application/json"),
        ('{"ok": false}', 200, "application/json"),
        ('{"ok": false, "error": {"odd": 1}}', 200, "application/json"),
    ],
)
async def test_what_is_not_slacks_answer_tells_nothing(
    odd: OddServer, slack_behind: Slack, text: str, status: int, kind: str
) -> None:
    odd.says(text, status=status, kind=kind)
    with pytest.raises(OutcomeUnknown):
        await slack_behind.post(CHANNEL, "Disk full")
    assert odd.calls == 1


async def test_a_limit_is_understood_in_any_dress(odd: OddServer, slack_behind: Slack) -> None:
    odd.says("slow down", status=429, kind="text/plain", **{"Retry-After": "12"})
    with pytest.raises(Limited) as limited:
        await slack_behind.post(CHANNEL, "Disk full")
    assert limited.value.seconds == 12
    odd.says('{"ok": false, "error": "rate_limited"}')
    with pytest.raises(Limited) as limited:
        await slack_behind.post(CHANNEL, "Disk full")
    assert limited.value.seconds > 0


async def test_slack_says_why_it_refuses_blocks(slack: Slack) -> None:
    with pytest.raises(ContentRefused) as refused:
        await slack.post(CHANNEL, "Disk full", [{"type": "no_such_block"}])
    assert refused.value.reasons


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_a_dead_token_is_told_apart(slack: Slack, fake: FakeSlack, code: str) -> None:
    fake.token(dead=code)
    with pytest.raises(TokenBad):
        await slack.post(CHANNEL, "Disk full")


async def test_an_unknown_code_keeps_its_name(slack: Slack, fake: FakeSlack) -> None:
    fake.fault("chat.postMessage", "error", error="brand_new_error")
    with pytest.raises(SlackFailure, match="brand_new_error") as failure:
        await slack.post(CHANNEL, "Disk full")
    assert type(failure.value) is SlackFailure


class TestAnsweringAtItsOwnAddress:
    async def test_it_ends_after_five_answers(self, odd: OddServer, slack_behind: Slack) -> None:
        odd.says('{"ok": false, "error": "used_url"}', status=404)
        with pytest.raises(ViewExpired):
            await slack_behind.respond(f"{odd.origin}/response/1", text="Done")

    @pytest.mark.parametrize("error", ["used_url", "invalid_blocks", "brand_new_error"])
    async def test_no_in_a_good_status_is_a_no(self, odd: OddServer, slack_behind: Slack, error: str) -> None:
        odd.says(f'{{"ok": false, "error": "{error}"}}', status=200)
        with pytest.raises(SlackFailure, match=error):
            await slack_behind.respond(f"{odd.origin}/response/1", text="Done")

    async def test_it_carries_what_to_do_with_the_original(self, odd: OddServer, slack_behind: Slack) -> None:
        bodies = []

        async def answer(request: web.Request) -> web.Response:
            bodies.append(await request.json())
            return web.Response(text="ok")

        odd.answer = answer
        url = f"{odd.origin}/response/1"
        await slack_behind.respond(url, text="Done")
        await slack_behind.respond(url, text="Shared", blocks=[], in_channel=True, replace_original=True)
        assert [body["response_type"] for body in bodies] == ["ephemeral", "in_channel"]
        assert [body["replace_original"] for body in bodies] == [False, True]
        assert "blocks" not in bodies[0]

    async def test_its_address_is_in_no_error(self, odd: OddServer, slack_behind: Slack) -> None:
        async def silent(request: web.Request) -> web.Response:
            await asyncio.sleep(4)
            return web.Response()

        odd.answer = silent
        with pytest.raises(OutcomeUnknown) as failure:
            await slack_behind.respond(f"{odd.origin}/response/secret", text="Done")
        assert "secret" not in str(failure.value)
        assert failure.value.__suppress_context__ or failure.value.__context__ is None


def test_every_code_has_one_kind() -> None:
    kinds = failures._Known.__subclasses__()
    assert sum(len(kind.codes) for kind in kinds) == len(failures.BY_CODE)


@given(
    status=st.integers(200, 599),
    body=st.one_of(st.none(), st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.integers()))),
    retry_after=st.one_of(st.none(), st.text(max_size=5)),
)
def test_any_answer_becomes_some_kind(status: int, body: object, retry_after: str | None) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    assert isinstance(classify("chat.update", status, body, headers), SlackFailure)


def test_a_mark_survives_the_way_through_slack() -> None:
    for mark in (Mark("incident", 7, "Q1"), Mark("line", 7, "Q1", event=3), Mark("page", 9)):
        assert read_mark(mark.metadata()) == mark


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)
    )
)
def test_other_metadata_is_nobodys_mark(metadata: object) -> None:
    assert read_mark(metadata) is None
    assert read_mark({"event_type": "pagerline_incident", "event_payload": metadata}) is None
