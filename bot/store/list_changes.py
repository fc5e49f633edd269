"""Which of the lists that every replica keeps of PagerDuty (services, policies …) changed, and how often.

A revision each: whoever hears of a change raises it, every replica compares it with the one it last saw
(bot/command/changed_lists.py). A replica that misses the hint sees it when it looks next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import list_changes
from bot.store.upsert import insert_into


class ListChanges:
    """The `list_changes` table. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, names: Iterable[str]) -> None:
        """Each of them changed once more."""
        row = insert_into(list_changes, self._database.dialect)
        statement = row.on_conflict_do_update(
            index_elements=["name"], set_={"revision": list_changes.c.revision + 1}
        )
        async with self._database.write() as connection:
            for name in sorted(set(names)):  # one order everywhere: replicas wait instead of deadlocking
                await connection.execute(statement, {"name": name, "revision": 1})

    async def revisions(self) -> Mapping[str, int]:
        """Of each that ever changed."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(list_changes.c.name, list_changes.c.revision))
            return {row.name: row.revision for row in rows}
