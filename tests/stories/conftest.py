"""An office per story, on both databases, with a bot that has just started; inspected when it closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.stories.office import InProcess, Office


@pytest.fixture
def unbuilt_office(database_url: str) -> Iterator[Office]:
    """Before anything runs; after everything has stopped, it is inspected."""
    office = Office(database_url)
    with office.inspection.book.open():
        yield office
    office.inspection.close()


@pytest.fixture
async def empty_office(unbuilt_office: Office) -> AsyncIterator[Office]:
    """Fakes and people; no bot yet."""
    await unbuilt_office.migrate()
    await unbuilt_office.sandbox.start()
    yield unbuilt_office
    await unbuilt_office.sandbox.stop()


@pytest.fixture
async def office(empty_office: Office) -> AsyncIterator[Office]:
    """With a bot, and #checkout following Checkout."""
    bot = InProcess(empty_office)
    await bot.start()
    await empty_office.carol.types("subscribe Checkout", empty_office.checkout)
    await empty_office.checkout.expect_private("U0CAROL", "Checkout")
    yield empty_office
    await empty_office.inspection.before_the_bot_stops()
    await bot.stop()


@pytest.fixture
async def sqlite_office(sqlite_url: str) -> AsyncIterator[Office]:
    """For what the database has no part in: once, on the quicker one."""
    office = Office(sqlite_url)
    with office.inspection.book.open():
        await office.sandbox.start()
        bot = InProcess(office)
        await bot.start()
        yield office
        await office.inspection.before_the_bot_stops()
        await bot.stop()
        await office.sandbox.stop()
    office.inspection.close()
