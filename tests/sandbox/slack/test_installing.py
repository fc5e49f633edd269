"""Several workspaces behind one listener, and how an app is installed and removed there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.labs import labs
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.installing import Organisation
from bot.sandbox.visitor import Visitor
from bot.sandbox.world import acme
from tests.sandbox.slack.refusal import refused

BACK = "http://127.0.0.1:9/slack/oauth_redirect"


class App:
    """Two workspaces, and the app's side of an install."""

    def __init__(self) -> None:
        self.acme = FakeSlack(acme())
        self.labs = self.acme.add_workspace(labs(self.acme.world))
        self.acme.tokens.redirect_uris.add(BACK)
        self.url = ""

    def client(self, token: str = "") -> AsyncWebClient:
        client = AsyncWebClient(token, base_url=self.url, retry_handlers=[])
        client.proxy = None
        return client

    def page(self, **other: str) -> str:
        query = {
            "client_id": self.acme.tokens.client_id,
            "redirect_uri": BACK,
            "scope": "commands,chat:write",
            "state": "some state",
        }
        return f"{self.acme.acting.origin}/oauth/v2/authorize?{urlencode(query | other)}"

    async def exchange(self, code: str) -> Any:
        tokens = self.acme.tokens
        proof = {"client_id": tokens.client_id, "client_secret": tokens.client_secret}
        form = {"code": code, "redirect_uri": BACK, **proof}
        return await self.client().api_call("oauth.v2.access", data=form)

    async def install(self, place: str = "T0LABS") -> Any:
        return await self.exchange(self.acme.installing.allow(place, "commands", BACK))


@pytest.fixture
async def app() -> Any:
    app = App()
    app.url = await app.acme.start()
    yield app
    await app.acme.stop()


async def test_each_workspace_answers_to_its_own_token(app: App) -> None:
    first = await app.client(app.acme.bot_token).auth_test()
    assert (first["team_id"], first["team"]) == ("T0ACME", "Acme")
    assert await refused(app.client(app.labs.bot_token).auth_test()) == "account_inactive"
    granted = await app.install()
    second = await app.client(granted["access_token"]).auth_test()
    assert (second["team_id"], second["team"]) == ("T0LABS", "Acme Labs")
    users = await app.client(granted["access_token"]).users_list()
    assert {one["name"] for one in users["members"]} == {"bob", "dana", "olive", "pagerline"}
    assert app.acme.journal.calls("users.list") == []


async def test_the_page_asks_where_and_sends_the_browser_back(app: App) -> None:
    async with Visitor() as person:
        await person.opens(app.page())
        assert person.buttons == ["Allow in Acme", "Allow in Acme Labs", "Cancel"]
        assert "chat:write" in person.words


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"client_id": "1.1"}, "does not know this app"),
        ({"redirect_uri": "http://127.0.0.1:9/elsewhere"}, "not one of those"),
        ({"scope": ""}, "asks for nothing"),
    ],
)
async def test_a_wrong_link_sends_nobody_anywhere(app: App, wrong: dict[str, str], said: str) -> None:
    async with Visitor() as person:
        await person.opens(app.page(**wrong))
        assert (person.status, person.buttons) == (400, [])
        assert said in person.words


async def test_a_code_works_once_and_for_its_address(app: App) -> None:
    code = app.acme.installing.allow("T0LABS", "commands", BACK)
    answer = await app.exchange(code)
    assert answer["team"] == {"id": "T0LABS", "name": "Acme Labs"}
    assert answer["is_enterprise_install"] is False
    assert await refused(app.exchange(code)) == "invalid_code"
    assert (
        await refused(app.exchange(app.acme.installing.allow("T0LABS", "x", f"{BACK}/2")))
        == "bad_redirect_uri"
    )


async def test_installed_again_it_is_the_same_token_and_after_a_removal_another(app: App) -> None:
    first = (await app.install())["access_token"]
    assert (await app.install())["access_token"] == first
    await app.labs.uninstall()
    assert await refused(app.client(first).auth_test()) == "account_inactive"
    second = (await app.install())["access_token"]
    assert second != first
    assert await refused(app.client(first).auth_test()) == "token_revoked"


async def test_a_token_that_is_given_back_is_dead(app: App) -> None:
    token = (await app.install())["access_token"]
    assert (await app.client(token).auth_revoke())["revoked"] is True
    assert await refused(app.client(token).auth_test()) == "token_revoked"
    assert (await app.client(app.acme.bot_token).auth_test())["ok"] is True


async def test_an_organisations_token_works_where_the_call_says(app: App) -> None:
    app.acme.installing.found(Organisation("E0ACME", "Acme Group"))
    granted = await app.install("E0ACME")
    assert (granted["team"], granted["is_enterprise_install"]) == (None, True)
    assert granted["enterprise"]["id"] == "E0ACME"
    client = app.client(granted["access_token"])
    assert (await client.auth_test())["team_id"] == "E0ACME"
    assert (await client.auth_test(team_id="T0LABS"))["team_id"] == "T0LABS"
    teams = await client.auth_teams_list()
    assert [team["id"] for team in teams["teams"]] == ["T0ACME", "T0LABS"]
    users = await client.users_list(team_id="T0LABS")
    assert "dana" in {one["name"] for one in users["members"]}
