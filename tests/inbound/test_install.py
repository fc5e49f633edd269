"""The install doors in a browser: who gets in, and every way in which nothing happens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.inbound.install import INSTALL_PATH, MOST_A_MINUTE, REDIRECT_PATH, InstallDoors, InstallStore
from bot.sandbox.labs import TEAM, labs
from bot.sandbox.slack import FakeSlack
from bot.sandbox.visitor import Visitor
from bot.sandbox.world import acme
from bot.slack.client import Slack
from bot.slack.connection import Connection, open_session
from bot.slack.workspaces import Workspaces
from bot.store.database import Database
from bot.store.installs import Installs, InstallStates
from bot.store.schema import migrate
from bot.store.sealing import Sealer
from tests.inbound.doors import serving

BEGIN = "Choose a workspace in Slack"


class Desk:
    """The doors on a real port between a browser and the fake Slack."""

    def __init__(self, database: Database, session: aiohttp.ClientSession, api: str) -> None:
        self.slack: FakeSlack
        self.here: InstallDoors
        self.database = database
        self.origin = ""
        self.came = 0
        self.now = 0.0
        self._session = session
        self._api = api
        self.installs = Installs(database, Sealer([Fernet.generate_key().decode()]), welcome={TEAM, "T0ACME"})
        self.workspaces = Workspaces(installed=self.installs, connect=self.connect)

    def connect(self, team_id: str, token: SecretStr, *, by_organisation: bool = False) -> Slack:
        return Slack(
            self._session, token, base_url=self._api, team_id=team_id, by_organisation=by_organisation
        )

    def doors(self, public_url: str) -> InstallDoors:
        app = Connection(self._session, SecretStr(""), base_url=self._api)
        tokens = self.slack.tokens
        self.slack.tokens.redirect_uris.add(public_url + REDIRECT_PATH)

        async def exchange(code: str, redirect_uri: str) -> Mapping[str, Any]:
            return await app.exchange(
                "oauth.v2.access",
                {"code": code, "redirect_uri": redirect_uri},
                client_id=tokens.client_id,
                client_secret=SecretStr(tokens.client_secret),
            )

        async def came() -> None:
            self.came += 1
            await self.workspaces.refresh()

        return InstallDoors(
            client_id=tokens.client_id,
            client_secret=SecretStr(tokens.client_secret),
            public_url=public_url,
            api_url=self._api,
            exchange=exchange,
            connect=self.connect,
            store=InstallStore(self.installs, self.workspaces, self.connect),
            states=InstallStates(self.database),
            workspaces=self.workspaces,
            came=came,
            slash="/pager",
            clock=lambda: self.now,
        )

    async def install(self, request: web.Request) -> web.Response:
        return await self.here.install(request)

    async def returned(self, request: web.Request) -> web.Response:
        return await self.here.returned(request)

    async def served(self) -> list[str]:
        return [one.team_id for one in await self.installs.living()]


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        slack = FakeSlack(acme())
        slack.add_workspace(labs(slack.world))
        api = await slack.start()
        stack.push_async_callback(slack.stop)
        database = await Database.open(sqlite_url)
        stack.push_async_callback(database.close)
        await migrate(database)
        session = open_session(2.0)
        stack.push_async_callback(session.close)
        desk = Desk(database, session, api)
        desk.slack = slack
        desk.origin = await stack.enter_async_context(
            serving(("GET", INSTALL_PATH, desk.install), ("GET", REDIRECT_PATH, desk.returned))
        )
        desk.here = desk.doors(desk.origin)
        yield desk


async def begun(desk: Desk, browser: Visitor) -> Visitor:
    await browser.opens(desk.origin + INSTALL_PATH)
    return await browser.follows(BEGIN)


async def test_a_named_workspace_gets_in(desk: Desk) -> None:
    async with Visitor() as browser:
        await begun(desk, browser)
        assert "chat:write" in browser.words
        await browser.presses("Allow in Acme Labs")
        assert browser.status == 200
        assert "Installed Workspace Acme Labs" in browser.words
        assert "/pager subscribe" in browser.words
    assert desk.came == 1
    assert await desk.served() == [TEAM]
    assert desk.workspaces.for_team(TEAM) is not None


async def test_nothing_is_cached_framed_or_told_to_others(desk: Desk) -> None:
    async with aiohttp.ClientSession() as session, session.get(desk.origin + INSTALL_PATH) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=600" in cookie


async def test_over_https_the_cookie_is_this_hosts_alone(desk: Desk) -> None:
    doors = desk.doors("https://pager.example.com")
    async with (
        serving(("GET", INSTALL_PATH, doors.install)) as origin,
        aiohttp.ClientSession() as session,
        session.get(origin + INSTALL_PATH) as answer,
    ):
        cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-pagerline-install=")
    assert "Secure" in cookie
    assert "Path=/" in cookie


async def test_who_does_not_allow_it_changes_nothing(desk: Desk) -> None:
    async with Visitor() as browser:
        await begun(desk, browser)
        await browser.presses("Cancel")
        assert "You did not allow it" in browser.words
    assert await desk.served() == []


async def test_another_browser_cannot_end_what_this_one_began(desk: Desk) -> None:
    async with Visitor() as browser, Visitor() as other:
        await begun(desk, browser)
        back = await _back(desk, browser.address)
        await other.opens(back)
        assert other.status == 400
        assert "This browser did not begin the install" in other.words
    assert await desk.served() == []


async def test_what_came_back_works_once(desk: Desk) -> None:
    async with Visitor() as browser:
        await begun(desk, browser)
        back = await _back(desk, browser.address)
        await browser.opens(back)
        assert browser.status == 200
        await browser.opens(back)
        assert browser.status == 400
        assert "Not installed" in browser.words
    assert desk.came == 1


async def test_who_takes_longer_than_ten_minutes_starts_over(desk: Desk) -> None:
    async with Visitor() as browser:
        await begun(desk, browser)
        desk.database.clock_offset = 601.0
        await browser.presses("Allow in Acme Labs")
        assert browser.status == 400
        assert "ten minutes" in browser.words
        assert "Open the install page" in browser.words
    assert await desk.served() == []


async def test_a_made_up_code_is_refused(desk: Desk) -> None:
    async with Visitor() as browser:
        await begun(desk, browser)
        state = parse_qs(urlsplit(browser.address).query)["state"][0]
        await browser.opens(f"{desk.origin}{REDIRECT_PATH}?code=made-up&state={state}")
        assert browser.status == 400
        assert "Slack does not accept" in browser.words
    assert await desk.served() == []


async def test_a_workspace_nobody_named_is_turned_away(desk: Desk) -> None:
    desk.installs._welcome = frozenset({"T0ACME"})
    async with Visitor() as browser:
        await begun(desk, browser)
        await browser.presses("Allow in Acme Labs")
        assert browser.status == 403
        assert "Acme Labs is not one of them" in browser.words
        assert "I gave my access back" in browser.words
        assert "remove the app" not in browser.words
    assert desk.slack.all[1].tokens.dead == "token_revoked"
    assert await desk.served() == []
    assert desk.came == 0


async def test_what_could_not_be_given_back_is_said(desk: Desk) -> None:
    desk.installs._welcome = frozenset({"T0ACME"})
    desk.slack.all[1].fault("auth.revoke", "error", error="fatal_error", count=3)
    async with Visitor() as browser:
        await begun(desk, browser)
        await browser.presses("Allow in Acme Labs")
        assert "remove the app in your workspace" in browser.words
    assert await desk.served() == []


async def test_tokens_that_expire_are_not_taken(desk: Desk) -> None:
    desk.slack.installing.rotates = True
    async with Visitor() as browser:
        await begun(desk, browser)
        await browser.presses("Allow in Acme Labs")
        assert "rotates its tokens" in browser.words
    assert await desk.served() == []


async def test_while_slack_is_away_the_page_says_so(desk: Desk) -> None:
    desk.slack.fault("oauth.v2.access", "drop_before", count=1)
    async with Visitor() as browser:
        await begun(desk, browser)
        await browser.presses("Allow in Acme Labs")
        assert browser.status == 502
        assert "Slack did not answer" in browser.words


async def test_the_workspace_of_the_settings_keeps_its_token(desk: Desk) -> None:
    own = desk.connect("T0ACME", SecretStr(desk.slack.bot_token))
    desk.workspaces.add(own)
    async with Visitor() as browser:
        await begun(desk, browser)
        await browser.presses("Allow in Acme")
        assert "connected already" in browser.words
    assert await desk.served() == []
    assert desk.workspaces.for_team("T0ACME") is own


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?error=%3Cscript%3E", "?state=x&code=y", "?team=" + "T" * 5000]
)
async def test_whatever_else_comes_gets_a_page_and_nothing_of_it_comes_back(desk: Desk, query: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(desk.origin + REDIRECT_PATH + query) as answer,
    ):
        said = await answer.text()
        assert answer.status == 400
    assert "Not installed" in said
    assert "<script>" not in said


async def test_a_flood_of_installs_is_told_to_wait(desk: Desk) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(MOST_A_MINUTE):
            async with session.get(desk.origin + INSTALL_PATH) as answer:
                assert answer.status == 200
        async with session.get(desk.origin + INSTALL_PATH) as answer:
            assert answer.status == 429
            assert "Wait a minute" in await answer.text()
        desk.now += 61
        async with session.get(desk.origin + INSTALL_PATH) as answer:
            assert answer.status == 200


async def test_only_a_workspaces_id_goes_into_slacks_address(desk: Desk) -> None:
    async with aiohttp.ClientSession() as session:
        for asked, wanted in (("T0LABS", ["T0LABS"]), ("T0LABS&redirect_uri=x", None), ("x", None)):
            async with session.get(desk.origin + INSTALL_PATH, params={"team": asked}) as answer:
                (link,) = re.findall(r'href="([^"]+)"', await answer.text())
                query = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
            assert query.get("team") == wanted
            assert query["redirect_uri"] == [desk.origin + REDIRECT_PATH]


async def _back(desk: Desk, address: str) -> str:
    """Where Slack sends the browser that has allowed it."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data={"place": TEAM}, allow_redirects=False) as answer,
    ):
        return answer.headers["Location"]
