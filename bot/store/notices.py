"""What was told once and must not be told again; which webhook subscriptions we have heard from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.store.database import Database
from bot.store.people_tables import notices
from bot.store.tables import events
from bot.store.upsert import insert_into


class Notices:
    """One row per thing told, dropped when the matter is settled so that it may be told again next time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, key: str) -> bool:
        """True for exactly one caller, over all replicas and restarts, until the key is dropped."""
        try:
            async with self._database.write() as connection:
                row = {"key": key, "told_at": self._database.now_sql()}
                await connection.execute(insert(notices).values(row))
        except IntegrityError:
            return False
        return True

    async def claim_again(self, key: str, after: float) -> bool:
        """As `claim`, and again for one caller once `after` seconds have passed since it was last claimed."""
        row = insert_into(notices, self._database.dialect).values(key=key, told_at=self._database.now_sql())
        async with self._database.write() as connection:
            claimed = await connection.execute(
                row.on_conflict_do_update(
                    index_elements=[notices.c.key],
                    set_={"told_at": self._database.now_sql()},
                    where=notices.c.told_at <= self._database.now_sql(-after),
                ).returning(notices.c.key)
            )
            return claimed.first() is not None

    async def drop(self, key: str, *, older_than: float = 0.0) -> bool:
        """Settle the matter; True when it had been told, at least `older_than` seconds ago."""
        old = notices.c.told_at <= self._database.now_sql(-older_than)
        async with self._database.write() as connection:
            result = await connection.execute(delete(notices).where(notices.c.key == key, old))
            return bool(result.rowcount)

    async def note(self, key: str, detail: str) -> None:
        """Keep with what was told how it can be taken back."""
        async with self._database.write() as connection:
            await connection.execute(update(notices).where(notices.c.key == key).values(detail=detail))

    async def details(self, prefix: str) -> dict[str, str | None]:
        """What was told and is not settled, by key, with what `note` kept."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(notices.c.key, notices.c.detail).where(
                    notices.c.key.startswith(prefix, autoescape=True)
                )
            )
            return {row.key: row.detail for row in found}

    async def told_at(self, key: str) -> datetime | None:
        """When it was claimed, by the database's clock; None when it is settled."""
        async with self._database.read() as connection:
            found = await connection.execute(select(notices.c.told_at).where(notices.c.key == key))
            return found.scalar_one_or_none()

    async def told(self, prefix: str) -> list[str]:
        """The keys beginning with `prefix` that were told and are not settled."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(notices.c.key).where(notices.c.key.startswith(prefix, autoescape=True))
            )
            return sorted(found.scalars())

    async def heard_from(self, subscription_id: str) -> bool:
        """Whether a delivery of this webhook subscription was ever verified."""
        async with self._database.read() as connection:
            row = await connection.execute(
                select(events.c.id).where(events.c.subscription_id == subscription_id).limit(1)
            )
            return row.first() is not None

    async def heard_from_lately(self) -> frozenset[str]:
        """The webhook subscriptions whose deliveries were verified lately."""
        last = select(events.c.subscription_id).order_by(events.c.id.desc()).limit(1000).subquery()
        async with self._database.read() as connection:
            found = await connection.execute(select(last.c.subscription_id).distinct())
            return frozenset(one for one in found.scalars() if one)
