"""How often each identity called PagerDuty, by the hour: what unusual use is measured by.

An hour is the database's clock's, named by its first second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, type_coerce

from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.people_tables import accounts, people, usage
from bot.store.upsert import insert_into

ACCOUNT = "account"
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hour:
    """What one identity (`account`, or `T0ACME:U0ALICE`) did in the hour that began then (UTC)."""

    identity: str
    began_at: datetime
    calls: int
    refused: int


class Usage:
    """The `usage` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, counted: Mapping[str, tuple[int, int]]) -> None:
        """Calls and refusals by identity, in this hour. Raises StoreUnavailable; then nothing was added."""
        fresh = insert_into(usage, self._database.dialect)
        statement = fresh.on_conflict_do_update(
            index_elements=[usage.c.identity, usage.c.hour],
            set_={
                "calls": usage.c.calls + fresh.excluded.calls,
                "refused": usage.c.refused + fresh.excluded.refused,
            },
        )
        hour = await self.this_hour()
        async with self._database.write() as connection:
            for identity in sorted(counted):  # one order everywhere: replicas wait instead of deadlocking
                calls, refused = counted[identity]
                row = {"identity": identity, "hour": hour, "calls": calls, "refused": refused}
                await connection.execute(statement, row)

    async def this_hour(self) -> datetime:
        """Its first second."""
        return (await self._database.now()).replace(minute=0, second=0, microsecond=0)

    async def lately(self, *, calls: int, refused: int) -> list[Hour]:
        """Every identity's present and last hour, where it reached either number."""
        since = await self.this_hour() - HOUR
        query = select(usage).where(
            usage.c.hour >= type_coerce(since, Moment),
            or_(usage.c.calls >= calls, usage.c.refused >= refused),
        )
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(usage.c.hour, usage.c.identity))
            return [Hour(row.identity, row.hour, row.calls, row.refused) for row in rows]

    async def week_before(self, hour: Hour) -> list[int]:
        """The calls of each hour of the seven days before it in which the identity called at all."""
        query = select(usage.c.calls).where(
            usage.c.identity == hour.identity,
            usage.c.hour >= type_coerce(hour.began_at - WEEK, Moment),
            usage.c.hour < type_coerce(hour.began_at, Moment),
        )
        async with self._database.read() as connection:
            return [int(calls) for calls in (await connection.execute(query)).scalars()]

    async def name_of(self, identity: str) -> str | None:
        """What the person is called in PagerDuty, as last known."""
        team_id, _, user_id = identity.partition(":")
        linked = select(accounts.c.person_name).where(
            accounts.c.team_id == team_id, accounts.c.user_id == user_id
        )
        matched = select(people.c.name).where(people.c.team_id == team_id, people.c.user_id == user_id)
        async with self._database.read() as connection:
            for query in (linked, matched):
                name = (await connection.execute(query)).scalar_one_or_none()
                if name:
                    return str(name)
        return None
