"""Named leases: who may write to a channel, run the sweep, refresh a token. They end by the database's clock.

A lease that a dead process leaves behind ends by itself. Each taking raises the fence: a holder that was
frozen past its lease sees that the fence is no longer its own, and does not trust what it did meanwhile. The
`_in` methods work inside a transaction of the caller's (`Database.transact`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from cachetools import LRUCache
from sqlalchemy import ColumnElement, Connection, select, update

from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.tables import leases
from bot.store.upsert import insert_into

MOST_NAMES = 10_000  # remembered to notice that a lease changed hands


@dataclass(frozen=True, slots=True)
class Lease:
    """Held by us until it expires. `fence` grows with every taking of this name."""

    name: str
    fence: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a lease stood when it was given back: `ours`: nobody took it since; `held`: nor had it expired."""

    ours: bool
    held: bool


class Leases:
    """`holder` names this process; a lease is its own even among tasks of one process."""

    def __init__(
        self, database: Database, holder: str, *, changed: Callable[[str], None] | None = None
    ) -> None:
        """`changed` is told the kind of a lease (its name up to a colon) that somebody else has held since we
        last did.
        """
        self._database = database
        self._holder = holder
        self._changed = changed
        self._ours: LRUCache[str, int] = LRUCache(MOST_NAMES)  # the fence when we last took it

    async def take(self, name: str, seconds: float) -> Lease | None:
        """The lease for `seconds`, None while anybody (also ourselves) holds it."""
        return await self._database.transact(lambda connection: self.take_in(connection, name, seconds))

    def take_in(self, connection: Connection, name: str, seconds: float) -> Lease | None:
        """As `take`, in the caller's transaction."""
        now = self._database.now_sql()
        until = self._database.now_sql(seconds)
        fresh = insert_into(leases, self._database.dialect).values(
            name=name, holder=self._holder, until=until, fence=1
        )
        taken = connection.execute(
            fresh.on_conflict_do_update(
                index_elements=[leases.c.name],
                set_={"holder": self._holder, "until": until, "fence": leases.c.fence + 1},
                where=leases.c.until <= now,
            ).returning(leases.c.fence)
        )
        row = taken.first()
        if row is None:
            return None
        lease = Lease(name, int(row.fence))
        last = self._ours.get(name)
        if self._changed is not None and last is not None and lease.fence != last + 1:
            self._changed(name.partition(":")[0])
        self._ours[name] = lease.fence
        return lease

    async def expire_all(self) -> None:
        """End every lease. Only for the one process that owns the database (SQLite's lock): what it finds was
        left behind by a predecessor that died.
        """
        async with self._database.write() as connection:
            await connection.execute(update(leases).values(until=self._database.now_sql()))

    async def renew(self, lease: Lease, seconds: float) -> bool:
        """Hold it `seconds` from now; False when somebody else has taken it."""
        async with self._database.write() as connection:
            renewed = await connection.execute(
                update(leases).where(_ours(lease)).values(until=self._database.now_sql(seconds))
            )
            return bool(renewed.rowcount)

    @asynccontextmanager
    async def held(self, name: str, seconds: float) -> AsyncIterator[Lease | None]:
        """For as long as the block takes, None when somebody else has it. It is renewed meanwhile, so that
        `seconds` may be short: that long it keeps others away after a process has died in the block.
        """
        lease = await self.take(name, seconds)
        if lease is None:
            yield None
            return
        renewing = asyncio.create_task(self._go_on_renewing(lease, seconds), name=f"hold {name}")
        try:
            yield lease
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
            await self.release(lease)

    async def _go_on_renewing(self, lease: Lease, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds / 3)
            with suppress(StoreUnavailable):  # then it ends by itself
                await self.renew(lease, seconds)

    async def release(self, lease: Lease) -> Ended:
        """Give it back, so that the next one need not wait."""
        return await self._database.transact(lambda connection: self.release_in(connection, lease))

    def release_in(self, connection: Connection, lease: Lease) -> Ended:
        """As `release`, in the caller's transaction; tells whether it was still ours."""
        now = self._database.now_sql()
        row = connection.execute(
            select((leases.c.until > now).label("held")).where(_ours(lease)).with_for_update()
        ).first()
        if row is None:
            return Ended(ours=False, held=False)
        connection.execute(update(leases).where(_ours(lease)).values(until=now))
        return Ended(ours=True, held=bool(row.held))


def _ours(lease: Lease) -> ColumnElement[bool]:
    return (leases.c.name == lease.name) & (leases.c.fence == lease.fence)
