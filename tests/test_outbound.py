"""Whatever we call, by whichever part: only over TLS 1.2 or newer, only with a certificate that holds, and no
setting says otherwise.
"""

from __future__ import annotations

import ast
import re
import ssl
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from bot import outbound
from bot.errors import Failure
from bot.pagerduty import http as pagerduty_http
from bot.pagerduty import safelist
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.event_fields import Alert
from bot.pagerduty.events import EventsApi
from bot.pagerduty.http import PagerDutyHttp
from bot.pagerduty.journal import Journal
from bot.pagerduty.oauth import PagerDutyOAuth
from bot.settings import Settings
from bot.slack import connection as slack_connection
from bot.slack.connection import Connection
from bot.slack.sign_in import SignIn
from tests.certificates import DAY, Authority, https, only
from tests.command.switchboard import switchboard
from tests.test_architecture import module_name, offenders, source_files, within

SECRET = SecretStr("a" * 32)

Call = Callable[[str], Awaitable[object]]
"""Asks the server at this origin for something, as the bot does."""


async def rest_api(origin: str) -> None:
    async with pagerduty_http.open_session() as session:
        wire = PagerDutyHttp(session, origin)
        await wire.request("GET", "/abilities", AccountKey(SECRET), deadline=0.5)


async def events_api(origin: str) -> None:
    async with pagerduty_http.open_session() as session:
        await EventsApi(session, origin, pauses=()).send(SECRET, Alert(summary="s", source="h"), Journal())


async def identity(origin: str) -> None:
    async with pagerduty_http.open_session() as session:
        app = PagerDutyOAuth(
            session, identity_url=origin, client_id="c", client_secret=SECRET, redirect_uri="https://here"
        )
        await app.refresh(SECRET)


async def published_addresses(origin: str) -> None:
    async with pagerduty_http.open_session() as session:
        await safelist.fetch(session, origin, "webhooks", "us")


async def slack_api(origin: str) -> None:
    async with slack_connection.open_session(2) as session:
        await Connection(session, SECRET, base_url=f"{origin}/api/").read("auth.test")


async def slack_answer(origin: str) -> None:
    async with slack_connection.open_session(2) as session:
        connection = Connection(session, SECRET, base_url=f"{origin}/api/")
        await connection.respond(f"{origin}/commands/1", {"text": "hello"})


async def slack_sign_in(origin: str) -> None:
    async with slack_connection.open_session(2) as session:
        app = SignIn(
            session,
            base_url=f"{origin}/api/",
            client_id="c",
            client_secret=SECRET,
            redirect_uri="https://here",
        )
        await app.who("code", "nonce")


CALLS: tuple[Call, ...] = (
    rest_api,
    events_api,
    identity,
    published_addresses,
    slack_api,
    slack_answer,
    slack_sign_in,
)
every_call = pytest.mark.parametrize("call", CALLS, ids=[getattr(call, "__name__", "") for call in CALLS])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """This machine trusts the authority: the only way there is."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


async def reached(call: Call, context: ssl.SSLContext) -> bool:
    """Whether the call's request, with the secrets in it, came to a server with this side of TLS."""
    async with https(context) as (origin, asked):
        try:
            await call(origin)
        except Exception as problem:
            # What the server answers may mean nothing to the caller; that it is no bug of ours matters.
            if not asked and not isinstance(problem, Failure):
                raise
        return bool(asked)


@every_call
async def test_a_certificate_that_this_machine_trusts_is_taken(call: Call, trusted: Authority) -> None:
    assert await reached(call, trusted.server())


@every_call
async def test_nobody_elses_certificate_is(call: Call, authority: Authority) -> None:
    assert not await reached(call, authority.server())


@every_call
async def test_nor_one_for_another_host(call: Call, trusted: Authority) -> None:
    assert not await reached(call, trusted.server("api.example.com"))


async def test_nor_one_that_is_over(trusted: Authority) -> None:
    over = trusted.server(since=2 * DAY, until=timedelta(hours=-1))
    assert not await reached(rest_api, over)


@every_call
async def test_tls_1_1_is_not_spoken(call: Call, trusted: Authority) -> None:
    assert not await reached(call, only(trusted.server(), ssl.TLSVersion.TLSv1_1))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_1_2_and_1_3_are(version: ssl.TLSVersion, trusted: Authority) -> None:
    assert await reached(rest_api, only(trusted.server(), version))


async def test_the_old_server_of_these_tests_does_answer_who_speaks_as_it_does(trusted: Authority) -> None:
    careless = only(ssl.create_default_context(), ssl.TLSVersion.TLSv1_1)

    async def old(origin: str) -> None:
        async with aiohttp.ClientSession() as session, session.get(origin, ssl=careless):
            pass

    assert await reached(old, only(trusted.server(), ssl.TLSVersion.TLSv1_1))


async def test_socket_mode_opens_its_connections_the_same_way(sqlite_url: str, authority: Authority) -> None:
    async with switchboard(sqlite_url) as board:
        client = board.front.app.client

        async def open_socket(origin: str) -> None:
            client.base_url = f"{origin}/api/"
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await client.apps_connections_open(app_token="xapp-1")

        async with https(authority.server()) as (origin, asked):
            await open_socket(origin)
        assert not asked
        assert client.ssl is not None
        assert client.ssl.minimum_version is ssl.TLSVersion.TLSv1_2
        assert client.ssl.check_hostname


# --------------------------------------------------------------------------------- nothing switches it off


def test_the_oldest_version_is_ours_whatever_openssl_is_configured_for() -> None:
    context = outbound.tls()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_no_setting_is_about_it() -> None:
    about = re.compile(r"tls|ssl|cert|verif|insecure|trust(?!ed_proxies)|cipher|host_?name", re.IGNORECASE)
    assert [name for name in Settings.model_fields if about.search(name)] == []


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name.endswith("_url")])
def test_no_address_can_be_set_that_goes_without_it(name: str) -> None:
    with pytest.raises(ValueError, match=r"https://|must be sqlite"):
        Settings.model_validate({name: "http://api.example.com"})


MAKERS = ("ClientSession", "TCPConnector")
TLS_WORDS = {"ssl", "verify_ssl", "ssl_context"}


def test_only_one_module_makes_sessions_and_speaks_of_tls() -> None:
    def wrong(path: Path, tree: ast.Module) -> Iterator[str]:
        name = module_name(path)
        if not within(name, ("bot", "commands")) or within(name, ("bot.outbound", "bot.sandbox")):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(MAKERS):
                yield f"line {node.lineno} makes a session"
            if isinstance(node, ast.keyword) and node.arg in TLS_WORDS and ast.unparse(node.value) != "tls()":
                yield f"line {node.value.lineno} says how TLS is done"
            if isinstance(node, ast.Import) and any(one.name == "ssl" for one in node.names):
                yield f"line {node.lineno} imports ssl"

    assert offenders(source_files(), wrong) == []
