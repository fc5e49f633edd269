"""Delivery as it runs on both databases against a fake Slack over real HTTP; its waits are short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.sandbox.slack import FakeSlack
from bot.sandbox.world import acme
from bot.slack.connection import open_session
from tests.delivery.office import PERIODS, Office
from tests.delivery.reading_scene import pagerduty, reading, time
from tests.store.seeding import opened

__all__ = ["pagerduty", "reading", "time"]


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    fake = FakeSlack(acme(), speed=1000)
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(PERIODS.call) as session:
        yield session


@pytest.fixture
async def office(database_url: str, fake: FakeSlack, session: aiohttp.ClientSession) -> AsyncIterator[Office]:
    async with opened(database_url) as database:
        yield Office(database, fake, session)


@pytest.fixture
async def running(office: Office) -> AsyncIterator[Office]:
    """The office with its delivery at work in the background."""
    stop = asyncio.Event()
    task = asyncio.create_task(office.delivery.run(stop))
    yield office
    stop.set()
    await asyncio.wait_for(task, 30)
