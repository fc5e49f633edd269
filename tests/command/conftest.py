"""A switchboard per test, on SQLite: the SQL under it is tried on both databases by tests/store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.command.switchboard import Switchboard, switchboard


@pytest.fixture
async def board(migrated_sqlite_url: str) -> AsyncIterator[Switchboard]:
    async with switchboard(migrated_sqlite_url) as opened:
        yield opened
