"""A migrated database on each engine, and the parts of the store on it, closed again after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Row, select, update

from bot.store.batcher import Batcher
from bot.store.database import Database
from bot.store.incidents import Incidents
from bot.store.schema import migrate
from bot.store.subscriptions import Subscriptions
from bot.store.tables import events, incidents, messages, thread_lines
from bot.store.wake import Wake


@dataclass
class Store:
    """One replica's store, and what its tables hold."""

    database: Database
    batcher: Batcher
    wake: Wake
    incidents: Incidents
    subscriptions: Subscriptions

    async def row(self, incident_id: str = "Q1") -> Row[Any]:
        rows = await self._all(select(incidents).where(incidents.c.id == incident_id))
        return rows[0]

    async def events(self) -> Sequence[Row[Any]]:
        return await self._all(select(events).order_by(events.c.id))

    async def messages(self) -> Sequence[Row[Any]]:
        return await self._all(select(messages).order_by(messages.c.channel_id, messages.c.incident_id))

    async def shown_in(self) -> list[tuple[str, str]]:
        """(channel, incident) of every message row."""
        return [(row.channel_id, row.incident_id) for row in await self.messages()]

    async def lines(self) -> list[tuple[str, str]]:
        """(channel, event id) of every thread line, in the order they are told."""
        query = (
            select(messages.c.channel_id, events.c.event_id)
            .select_from(thread_lines.join(messages).join(events))
            .order_by(thread_lines.c.event_id, messages.c.channel_id)
        )
        return [(row.channel_id, row.event_id) for row in await self._all(query)]

    async def is_stale(self, incident_id: str = "Q1") -> bool:
        row = await self.row(incident_id)
        return bool(row.stale_seq > row.read_seq)

    async def take_stale(self, limit: int = 10) -> list[str]:
        """The ids that are due to be read, without waiting for the clock."""
        async with self.database.write() as connection:
            await connection.execute(update(incidents).values(read_after=incidents.c.read_after - 1.0))
        return [stale.incident_id for stale in await self.incidents.take_stale(limit)]

    async def _all(self, query: Any) -> Sequence[Row[Any]]:
        async with self.database.read() as connection:
            return (await connection.execute(query)).all()


@asynccontextmanager
async def store_on(url: str, *, clock_offset: float = 0.0) -> AsyncIterator[Store]:
    database = await Database.open(url, clock_offset=clock_offset)
    await migrate(database)
    batcher, wake = Batcher(database), Wake(database)
    yield Store(database, batcher, wake, Incidents(database, batcher, wake), Subscriptions(database, wake))
    await batcher.close()
    await wake.close()
    await database.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with store_on(database_url) as opened:
        yield opened


@pytest.fixture
async def database(store: Store) -> Database:
    return store.database
