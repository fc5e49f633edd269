"""One way to the database, SQLite or PostgreSQL: reads, write transactions, and its clock.

Everything in bot/store works through this. Moments are compared on the database's clock only (`now_sql`), so
that replicas need not agree on the time. On SQLite all writes share one connection; readers see the last
commit (WAL).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Literal, Self, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    any_,
    bindparam,
    cast,
    extract,
    func,
    literal,
    select,
    text,
    type_coerce,
)
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import StoreUnavailable
from bot.store.columns import Moment, TextList
from bot.store.engines import (
    COMMAND_SECONDS,
    Writers,
    WriterThread,
    driver_dsn,
    parse_url,
    postgresql,
    sqlite_readers,
    sqlite_writer,
)
from bot.store.outages import OUTAGES, outage

Dialect = Literal["sqlite", "postgresql"]

Result = TypeVar("Result")


class Database:
    """The engines of one database. `clock_offset` shifts its clock in tests (seconds)."""

    def __init__(
        self,
        url: URL,
        writer: AsyncEngine,
        reader: AsyncEngine,
        worker: WriterThread | None,
        *,
        clock_offset: float = 0.0,
    ) -> None:
        self._url = url
        self._writer = writer
        self._reader = reader
        self._worker = worker
        self._writers = Writers() if worker else None
        self.clock_offset = clock_offset
        self.dialect: Dialect = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        clock_offset: float = 0.0,
        busy_timeout: float = 5.0,
        command_timeout: float = COMMAND_SECONDS,
    ) -> Self:
        """Takes `sqlite://`, `postgres://` and `postgresql://`. Connects when first used; migrates nothing.

        `busy_timeout`: how long a statement waits for another process that has SQLite's file;
        `command_timeout`: how long PostgreSQL's connection may be silent (both in seconds). Raises ValueError
        for a URL of another kind.
        """
        parsed = parse_url(url)
        if parsed.get_backend_name() == "sqlite":
            return cls(
                parsed,
                sqlite_writer(parsed, busy_timeout),
                sqlite_readers(parsed, busy_timeout),
                WriterThread(parsed, busy_timeout),
                clock_offset=clock_offset,
            )
        writer = postgresql(parsed, command_timeout)
        reader = writer.execution_options(isolation_level="AUTOCOMMIT")
        return cls(parsed, writer, reader, None, clock_offset=clock_offset)

    @property
    def path(self) -> Path | None:
        """SQLite's file; None on PostgreSQL."""
        return Path(str(self._url.database)) if self.dialect == "sqlite" else None

    @property
    def driver_dsn(self) -> str:
        """As asyncpg itself reads it, `sslmode` and password and all: never to be shown."""
        return driver_dsn(self._url)

    def __repr__(self) -> str:
        return f"Database({self._url.render_as_string(hide_password=True)!r})"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; each statement sees the last commit. Raises StoreUnavailable."""
        try:
            async with self._reader.connect() as connection, _given_up_when_it_hangs(connection):
                yield connection
        except OUTAGES as error:
            if trouble := outage(error):
                raise trouble from error
            raise

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end of the block.

        Raises StoreUnavailable; its kind Deadlocked when the same again may succeed at once.
        """
        try:
            async with (
                self._turn(),
                self._writer.begin() as connection,
                _given_up_when_it_hangs(connection),
            ):
                yield connection
        except OUTAGES as error:
            if trouble := outage(error):
                raise trouble from error
            raise

    async def transact(self, work: Callable[[Connection], Result]) -> Result:
        """One transaction that a plain function runs: on SQLite in one go in a thread of its own, which costs
        a fraction of handing over statement by statement. Raises as `write` does.
        """
        try:
            if self._worker is not None:
                async with self._turn():
                    return await self._worker.transact(work)
            async with self._writer.begin() as connection, _given_up_when_it_hangs(connection):
                return await connection.run_sync(work)
        except OUTAGES as error:
            if trouble := outage(error):
                raise trouble from error
            raise

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return self._writers.one() if self._writers else nullcontext()

    def now_sql(self, plus: float = 0.0) -> ColumnElement[float]:
        """The database's clock plus `plus` seconds, as a `Moment` column holds it: UTC seconds since 1970."""
        shift = literal(self.clock_offset + plus, Double)
        if self.dialect == "postgresql":
            return cast(extract("epoch", func.clock_timestamp()), Double) + shift
        # Rounded to what this clock tells, milliseconds: a moment that was read compares equal to itself.
        seconds: ColumnElement[float]
        if sqlite3.sqlite_version_info >= (3, 42):
            seconds = func.unixepoch("now", "subsec", type_=Double)
        else:
            seconds = (func.julianday("now", type_=Double) - 2440587.5) * 86400.0
        return func.round(seconds, 3, type_=Double) + shift

    def among(self, column: ColumnElement[str], values: Sequence[str] | str) -> ColumnElement[bool]:
        """`column IN values`, as one and the same statement however many they are: it is prepared once.

        `values` may be the name of a parameter whose value is a list.
        """
        given = (
            bindparam(values, type_=TextList)
            if isinstance(values, str)
            else bindparam(None, list(values), type_=TextList, unique=True)
        )
        if self.dialect == "postgresql":
            return column == any_(given)
        return column.in_(select(func.json_each(given).table_valued("value").c.value))

    async def now(self) -> datetime:
        """The database's clock, UTC."""
        async with self.read() as connection:
            moment = await connection.scalar(select(type_coerce(self.now_sql(), Moment)))
            assert isinstance(moment, datetime)
            return moment

    async def ping(self) -> None:
        """Returns when the database answers; else raises StoreUnavailable. Makes no file."""
        if self.is_missing:
            assert self.path is not None
            if not os.access(self.path.parent, os.W_OK):
                raise StoreUnavailable(f"The folder {self.path.parent} is not there, or not writable.")
            return
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    @property
    def is_missing(self) -> bool:
        """SQLite's file does not exist yet."""
        return self.path is not None and not self.path.exists()

    async def close(self) -> None:
        """Gives every connection back. Safe to call twice."""
        if self._worker is not None:
            await self._worker.close()
        await self._writer.dispose()
        await self._reader.dispose()


@asynccontextmanager
async def _given_up_when_it_hangs(connection: AsyncConnection) -> AsyncIterator[None]:
    """A connection that did not answer in time is dropped: rolling back on it would only hang again."""
    try:
        yield
    except TimeoutError:
        await connection.invalidate()
        raise
