"""PagerDuty's published webhook addresses as they were fetched last, for all replicas and across restarts."""

from __future__ import annotations

from sqlalchemy import select

from bot.store.database import Database
from bot.store.people_tables import safelists
from bot.store.upsert import insert_into


class Safelists:
    """One row per service region."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, region: str) -> tuple[str, ...]:
        """The addresses and ranges; empty before the first."""
        query = select(safelists.c.addresses).where(safelists.c.region == region)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).scalar()
        return tuple(found.split()) if found else ()

    async def put(self, region: str, addresses: tuple[str, ...]) -> None:
        """Keep what was fetched now."""
        values = {"addresses": " ".join(addresses), "fetched_at": self._database.now_sql()}
        row = insert_into(safelists, self._database.dialect).values(region=region, **values)
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["region"], set_=values))
