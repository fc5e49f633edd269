"""A fake Slack on a real port, Slack's own client against it, and a bot that remembers what it was sent."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack
from bot.sandbox.world import acme
from tests.sandbox.slack.listening_bot import ListeningBot


class Clock:
    """UNIX seconds that only move when a test moves them."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[FakeSlack]:
    fake = FakeSlack(acme(), clock=clock, speed=1000)
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def client(slack: FakeSlack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        base_url = f"{slack.acting.origin}/api/"
        yield AsyncWebClient(slack.bot_token, base_url=base_url, session=session, retry_handlers=[])


@pytest.fixture
async def bot(slack: FakeSlack) -> AsyncIterator[ListeningBot]:
    listening = ListeningBot(slack.signing_secret)
    slack.connect(await listening.start())
    yield listening
    await listening.stop()
