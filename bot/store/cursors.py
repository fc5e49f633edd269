"""How far something that is read piece by piece has come, for whichever replica reads the next piece."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import cursors
from bot.store.upsert import insert_into


@dataclass(frozen=True, slots=True)
class Cursor:
    """`at` is a moment whose clock the owner of the name knows; `position` counts what was read since."""

    at: datetime
    position: int = 0


class Cursors:
    """One row per name; only whoever holds the matching lease writes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> Cursor | None:
        """None before the first piece."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(cursors).where(cursors.c.name == name))).first()
        return None if row is None else Cursor(row.at, row.position)

    async def put(self, name: str, cursor: Cursor) -> None:
        """Go on from here next time."""
        values = {"at": cursor.at, "position": cursor.position}
        row = insert_into(cursors, self._database.dialect).values(name=name, **values)
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))
