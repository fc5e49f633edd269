"""Incidents of a game day about which PagerDuty is taken for away: leases, that end by themselves.

Written by `python -m bot gameday`, read by the running bot where GAMEDAY_SERVICE is set. Whatever becomes of
whoever wrote them, they are over LONGEST seconds later, by the database's clock; a row that says otherwise is
not believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, select, update

from bot.model import Channel
from bot.store.database import Database
from bot.store.tables import incidents, leases, messages
from bot.store.upsert import insert_into

LONGEST = 120.0  # seconds
NAME = "game day: away: "  # then the incident's id
GAME_DAY = "game day"
"""The lease of a run: one at a time."""


class Rehearsals:
    """Rows of `leases` under names of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, incident_ids: Iterable[str], seconds: float) -> None:
        """For so long, LONGEST at most; again, it is counted anew."""
        until = self._database.now_sql(min(seconds, LONGEST))
        async with self._database.write() as connection:
            for ident in incident_ids:
                row = insert_into(leases, self._database.dialect).values(
                    name=NAME + ident, holder=GAME_DAY, until=until, fence=1
                )
                again = row.on_conflict_do_update(index_elements=[leases.c.name], set_={"until": until})
                await connection.execute(again)

    async def end(self) -> None:
        """All of them, now."""
        async with self._database.write() as connection:
            await connection.execute(delete(leases).where(self._ours()))

    async def current(self) -> dict[str, int | None]:
        """The incidents' ids, and their numbers as far as we know them."""
        now, furthest = self._database.now_sql(), self._database.now_sql(LONGEST + 1.0)
        query = select(leases.c.name).where(self._ours(), leases.c.until > now, leases.c.until <= furthest)
        async with self._database.read() as connection:
            ids = [name.removeprefix(NAME) for name in (await connection.execute(query)).scalars()]
            if not ids:
                return {}
            numbered = select(incidents.c.id, incidents.c.number).where(self._among(ids))
            numbers = {row.id: row.number for row in await connection.execute(numbered)}
        return {ident: numbers.get(ident) for ident in ids}

    async def doubt(self, incident_ids: Sequence[str]) -> None:
        """Have them read again, unless they are waiting for that already."""
        async with self._database.write() as connection:
            await connection.execute(
                update(incidents)
                .where(self._among(incident_ids), incidents.c.stale_seq <= incidents.c.read_seq)
                .values(stale_seq=incidents.c.stale_seq + 1, read_after=self._database.now_sql())
            )

    async def channels(self, incident_ids: Sequence[str]) -> list[Channel]:
        """Where they have a message."""
        query = (
            select(messages.c.team_id, messages.c.channel_id)
            .distinct()
            .where(
                self._database.among(messages.c.incident_id, list(incident_ids)),
                messages.c.ts.is_not(None),
                messages.c.gone.is_(None),
            )
        )
        async with self._database.read() as connection:
            found = await connection.execute(query)
            return sorted((Channel(row.team_id, row.channel_id) for row in found), key=lambda one: one.id)

    def _ours(self) -> ColumnElement[bool]:
        return leases.c.name.startswith(NAME, autoescape=True)

    def _among(self, incident_ids: Sequence[str]) -> ColumnElement[bool]:
        return self._database.among(incidents.c.id, list(incident_ids))
