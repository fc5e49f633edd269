"""PagerDuty's published webhook addresses as fetched last, and what the admins know of them: for all replicas
and across restarts. Written and read by bot/delivery/sources.py.
"""

from __future__ import annotations

from sqlalchemy import select

from bot.store.database import Database
from bot.store.people_tables import safelists
from bot.store.upsert import insert_into

TOLD = "told:"


class Safelists:
    """One row per service region, and one more for what the admins were told of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, region: str) -> tuple[str, ...]:
        """The addresses and ranges; empty before the first."""
        query = select(safelists.c.addresses).where(safelists.c.region == region)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).scalar()
        return tuple(found.split()) if found else ()

    async def told(self, region: str) -> tuple[str, ...]:
        """The list that the admins know of; empty before the first."""
        return await self.get(TOLD + region)

    async def put(self, region: str, addresses: tuple[str, ...], *, told: tuple[str, ...]) -> None:
        """Keep what was fetched now, and what the admins know of."""
        async with self._database.write() as connection:
            for key, words in ((region, addresses), (TOLD + region, told)):
                values = {"addresses": " ".join(words), "fetched_at": self._database.now_sql()}
                row = insert_into(safelists, self._database.dialect).values(region=key, **values)
                await connection.execute(row.on_conflict_do_update(index_elements=["region"], set_=values))
