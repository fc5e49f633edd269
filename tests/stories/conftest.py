"""An office per story, on both databases, with a bot that has just started; inspected when it closes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from tests.stories.office import InProcess, Office


@asynccontextmanager
async def built(database_url: str, people: Literal["email", "oauth"] = "email") -> AsyncIterator[Office]:
    """Fakes and people, no bot yet; inspected after everything has stopped."""
    office = Office(database_url, people=people)
    office.be_patient()
    with office.inspection.book.open():
        await office.migrate()
        await office.sandbox.start()
        try:
            yield office
        finally:
            await office.close()
    office.inspection.close()


@pytest.fixture
async def empty_office(database_url: str) -> AsyncIterator[Office]:
    """On each database."""
    async with built(database_url) as office:
        yield office


@pytest.fixture
async def empty_sqlite_office(sqlite_url: str) -> AsyncIterator[Office]:
    """On SQLite alone."""
    async with built(sqlite_url) as office:
        yield office


@pytest.fixture
async def empty_postgresql_office(postgresql_url: str) -> AsyncIterator[Office]:
    """On PostgreSQL alone."""
    async with built(postgresql_url) as office:
        yield office


@pytest.fixture
async def office(empty_office: Office) -> AsyncIterator[Office]:
    """With a bot, and #checkout following Checkout."""
    async with InProcess(empty_office):
        await empty_office.carol.asks("subscribe Checkout", empty_office.checkout, "Checkout")
        yield empty_office


@pytest.fixture
async def sqlite_office(empty_sqlite_office: Office) -> AsyncIterator[Office]:
    """For what the database has no part in: a bot once, on the quicker one."""
    async with InProcess(empty_sqlite_office):
        yield empty_sqlite_office


@pytest.fixture
async def empty_linking_office(database_url: str) -> AsyncIterator[Office]:
    """On each database, for bots whom people give their own tokens."""
    async with built(database_url, "oauth") as office:
        yield office


@pytest.fixture
async def linking_office(empty_linking_office: Office) -> AsyncIterator[Office]:
    """With a bot, #checkout following Checkout, and everybody linked but Uma."""
    office = empty_linking_office
    async with InProcess(office):
        await office.links(office.alice, office.bob, office.carol)
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        yield office
