"""Our client against the fake Slack on a real port."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from pydantic import SecretStr

from bot.sandbox.slack import FakeSlack
from bot.sandbox.world import acme
from bot.slack.client import Slack
from bot.slack.connection import open_session

CALL_SECONDS = 1.5


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    fake = FakeSlack(acme(), speed=1000)
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(CALL_SECONDS) as session:
        yield session


@pytest.fixture
async def calls() -> list[tuple[str, str]]:
    """Method and outcome of every call, as the metrics are told them."""
    return []


@pytest.fixture
async def slack(fake: FakeSlack, session: aiohttp.ClientSession, calls: list[tuple[str, str]]) -> Slack:
    return Slack(
        session,
        SecretStr(fake.bot_token),
        base_url=f"{fake.acting.origin}/api/",
        team_id="T0ACME",
        on_call=lambda method, outcome, seconds: calls.append((method, outcome)),
    )
