"""`gameday` against a running bot: each scenario, what is refused, and what is cleaned up in every ending."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.gamedays import GameDays, game_days


@pytest.fixture
async def days(database_url: str, tmp_path: Path) -> AsyncIterator[GameDays]:
    """On each database."""
    async with game_days(database_url, tmp_path) as days:
        yield days


@pytest.fixture
async def sqlite_days(sqlite_url: str, tmp_path: Path) -> AsyncIterator[GameDays]:
    """For what the database has no part in."""
    async with game_days(sqlite_url, tmp_path) as days:
        yield days


async def test_an_outage_is_followed_from_its_alert_to_its_end(days: GameDays) -> None:
    outcome = await days.run()
    assert outcome.status == 0, outcome.out + outcome.err
    assert "All within their budgets, and cleaned up." in outcome.out
