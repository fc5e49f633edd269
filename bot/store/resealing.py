"""Seals again, with the first key, whatever an older one sealed: `python -m bot rekey` (bot/cli/rekey.py).

The bot may run meanwhile. A few values at a time are read, sealed again, and written back only where they
still stand as they were read: what somebody changed in between is newer, and is looked at again in the next
pass. Passes go on until one finds nothing to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, or_, select, tuple_, update

from bot.store.database import Database
from bot.store.people_tables import (
    accounts,
    event_keys,
    intents,
    link_states,
    link_tickets,
    webhook_secrets,
    workspaces,
)
from bot.store.sealing import Sealer, Unsealable

SEALED: tuple[Column[Any], ...] = (
    intents.c.response_url,
    accounts.c.access_token,
    accounts.c.refresh_token,
    link_tickets.c.response_url,
    link_states.c.verifier,
    link_states.c.access_token,
    link_states.c.refresh_token,
    workspaces.c.bot_token,
    webhook_secrets.c.secret,
    event_keys.c.routing_key,
)
"""Every column that holds sealed text; a test compares it with what the tables say."""
BATCH = 50  # rows in one transaction: a command waits for no more than that
PAUSE = 0.02  # seconds between two transactions: others take their turn on SQLite's file
MOST_PASSES = 5


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was done: values sealed again, and by column those that no key opens. `restless`: the last pass
    still found values of an older key, so somebody goes on sealing with it.
    """

    changed: int
    unsealable: Mapping[str, int]
    restless: bool


@dataclass(slots=True)
class _Pass:
    changed: int = 0
    overtaken: int = 0  # changed by somebody else between our reading and our writing
    unsealable: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Change:
    """`row`: the values of its table's key."""

    row: Sequence[Any]
    column: Column[Any]
    old: str
    new: str


class Resealing:
    """One run over a database. `sleep` waits: tests pass their own."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        *,
        batch: int = BATCH,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._batch = batch
        self._sleep = sleep

    async def run(self) -> Resealed:
        """Seal everything again that needs it. Raises StoreUnavailable."""
        changed, passes = 0, 0
        while True:
            passes += 1
            done = await self._pass()
            changed += done.changed
            calm = not done.changed and not done.overtaken
            if calm or passes == MOST_PASSES:
                return Resealed(changed, done.unsealable, restless=not calm)

    async def _pass(self) -> _Pass:
        done = _Pass()
        for table, columns in groupby(SEALED, key=lambda column: column.table):
            await self._table(table, list(columns), done)
        return done

    async def _table(self, table: Any, columns: Sequence[Column[Any]], done: _Pass) -> None:
        key = list(table.primary_key.columns)
        query = (
            select(*key, *columns)
            .where(or_(*(column.is_not(None) for column in columns)))
            .order_by(*key)
            .limit(self._batch)
        )
        rows: Sequence[Row[Any]] = ()
        while True:
            after = query.where(tuple_(*key) > tuple_(*rows[-1][: len(key)])) if rows else query
            async with self._database.read() as connection:
                rows = (await connection.execute(after)).all()
            if not rows:
                return
            changes = list(self._changes(rows, len(key), columns, done))
            if changes:
                written = await self._database.transact(partial(_write, table, changes))
                done.changed += written
                done.overtaken += len(changes) - written
                await self._sleep(PAUSE)

    def _changes(
        self, rows: Sequence[Row[Any]], width: int, columns: Sequence[Column[Any]], done: _Pass
    ) -> Iterator[_Change]:
        """`width`: how many of a row's values are its key."""
        for row in rows:
            for column, sealed in zip(columns, row[width:], strict=True):
                if sealed is None:
                    continue
                try:
                    new = self._sealer.resealed(sealed)
                except Unsealable:
                    name = str(column)
                    done.unsealable[name] = done.unsealable.get(name, 0) + 1
                    continue
                if new is not None:
                    yield _Change(row[:width], column, sealed, new)


def _write(table: Table, changes: Sequence[_Change], connection: Connection) -> int:
    """Put each in the place of exactly what was read; how many still stood there."""
    written = 0
    for change in changes:
        key = zip(table.primary_key.columns, change.row, strict=True)
        statement = update(table).where(*(column == own for column, own in key), change.column == change.old)
        written += connection.execute(statement.values({change.column: change.new})).rowcount
    return written
