"""An office per story, on both databases, with a bot that has just started."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.stories.office import InProcess, Office


@pytest.fixture
async def empty_office(database_url: str) -> AsyncIterator[Office]:
    """Fakes and people; no bot yet."""
    office = Office(database_url)
    await office.migrate()
    await office.sandbox.start()
    yield office
    await office.sandbox.stop()


@pytest.fixture
async def office(empty_office: Office) -> AsyncIterator[Office]:
    """With a bot, and #checkout following Checkout."""
    bot = InProcess(empty_office)
    await bot.start()
    await empty_office.carol.types("subscribe Checkout", empty_office.checkout)
    await empty_office.checkout.expect_private("U0CAROL", "Checkout")
    yield empty_office
    await bot.stop()
