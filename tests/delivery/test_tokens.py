"""Which workspaces are given up for now: by their token, each for itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from pydantic import SecretStr

from bot.delivery.tokens import Tokens
from bot.sandbox.slack import FakeSlack
from bot.sandbox.world import acme
from bot.slack.client import Slack
from bot.slack.connection import open_session
from bot.slack.failures import TokenBad
from bot.slack.workspaces import Workspaces

DEAD = TokenBad("token_revoked")


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    fake = FakeSlack(acme())
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(1.0) as session:
        yield session


class Desk:
    """Two workspaces; what is said of the one is said of no other."""

    def __init__(self, fake: FakeSlack, session: aiohttp.ClientSession) -> None:
        self._api = f"{fake.acting.origin}/api/"
        self._session = session
        self.workspaces = Workspaces([self.client("T0ACME", fake.bot_token), self.client("T0LABS", "xoxb-1")])
        self.tokens = Tokens(self.workspaces)

    def client(self, team: str, token: str) -> Slack:
        return Slack(self._session, SecretStr(token), base_url=self._api, team_id=team)


@pytest.fixture
async def desk(fake: FakeSlack, session: aiohttp.ClientSession) -> Desk:
    return Desk(fake, session)


async def test_a_bad_token_is_its_own_workspaces_and_told_with_what_to_do(desk: Desk) -> None:
    desk.tokens.found_bad("T0LABS", DEAD)
    assert desk.tokens.is_bad("T0LABS")
    assert not desk.tokens.is_bad("T0ACME")
    (line,) = desk.tokens.problems()
    assert "T0LABS (token_revoked)" in line
    assert "reinstall the app there" in line


async def test_one_that_works_again_is_found_out(desk: Desk) -> None:
    desk.tokens.found_bad("T0ACME", DEAD)
    desk.tokens.found_bad("T0LABS", DEAD)
    assert await desk.tokens.try_again() is True
    assert not desk.tokens.is_bad("T0ACME")
    assert desk.tokens.is_bad("T0LABS")


async def test_a_workspace_that_was_installed_anew_is_not_held_back_by_its_old_token(desk: Desk) -> None:
    desk.tokens.found_bad("T0LABS", DEAD)
    desk.workspaces.add(desk.client("T0LABS", "xoxb-2"))
    assert not desk.tokens.is_bad("T0LABS")
    assert desk.tokens.problems() == []
