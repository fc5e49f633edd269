"""A migrated database on each engine, closed again after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.store.database import Database
from bot.store.schema import migrate


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    await migrate(opened)
    yield opened
    await opened.close()
