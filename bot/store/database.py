"""One way to the database, SQLite or PostgreSQL: reads, write transactions, and its clock.

Everything in bot/store works through this. Moments are compared on the database's clock only (`now_sql`), so
that replicas need not agree on the time. On SQLite all writes share one connection; readers see the last
commit (WAL).
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

import asyncpg
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Double,
    Text,
    any_,
    cast,
    event,
    extract,
    func,
    literal,
    make_url,
    select,
    text,
    type_coerce,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.errors import StoreUnavailable
from bot.store.outages import OUTAGES, outage
from bot.store.tables import Moment

Dialect = Literal["sqlite", "postgresql"]

READERS = 4  # connections
CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 10.0  # a statement that takes longer is given up: its connection may hang
# A replica frozen inside a transaction must not hold its row locks for ever (PostgreSQL, milliseconds).
SERVER_LIMITS = {
    "application_name": "pagerline",
    "statement_timeout": "9000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",
}


class Database:
    """The engines of one database. `clock_offset` shifts its clock in tests (seconds)."""

    def __init__(
        self, url: URL, writer: AsyncEngine, reader: AsyncEngine, *, clock_offset: float = 0.0
    ) -> None:
        self._url = url
        self._writer = writer
        self._reader = reader
        self.clock_offset = clock_offset
        self.dialect: Dialect = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"

    @classmethod
    async def open(cls, url: str, *, clock_offset: float = 0.0, busy_timeout: float = 5.0) -> Self:
        """Takes `sqlite://`, `postgres://` and `postgresql://`. Connects when first used; migrates nothing.

        `busy_timeout`: how long a statement waits for another process that has SQLite's file (seconds).
        Raises ValueError for a URL of another kind.
        """
        parsed = parse_url(url)
        if parsed.get_backend_name() == "sqlite":
            writer = _sqlite_engine(parsed, busy_timeout, connections=1)
            reader = _sqlite_engine(parsed, busy_timeout, connections=READERS, read_only=True)
        else:
            writer = _postgresql_engine(parsed)
            reader = writer.execution_options(isolation_level="AUTOCOMMIT")
        return cls(parsed, writer, reader, clock_offset=clock_offset)

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
            async with self._reader.connect() as connection:
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
            async with self._writer.begin() as connection:
                yield connection
        except OUTAGES as error:
            if trouble := outage(error):
                raise trouble from error
            raise

    def now_sql(self, plus: float = 0.0) -> ColumnElement[float]:
        """The database's clock plus `plus` seconds, as a `Moment` column holds it: UTC seconds since 1970."""
        shift = literal(self.clock_offset + plus, Double)
        if self.dialect == "postgresql":
            return cast(extract("epoch", func.clock_timestamp()), Double) + shift
        if sqlite3.sqlite_version_info >= (3, 42):
            return func.unixepoch("now", "subsec", type_=Double) + shift
        return (func.julianday("now", type_=Double) - 2440587.5) * 86400.0 + shift

    def among(self, column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
        """`column IN values` as one and the same statement however many there are, so that it is
        prepared once.
        """
        if self.dialect == "postgresql":
            return column == any_(literal(list(values), ARRAY(Text)))
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(listed.c.value))

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
        await self._writer.dispose()
        await self._reader.dispose()


def parse_url(url: str) -> URL:
    """DATABASE_URL with the async driver in it. Raises ValueError, never with the URL in its words."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(
            "The database URL cannot be read: write sqlite:///file.db or postgresql://…"
        ) from None
    name = parsed.drivername.partition("+")[0]
    if name == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed.set(drivername="sqlite+aiosqlite")
    if name in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+asyncpg")
    raise ValueError("The database URL must be sqlite:///file.db or postgresql://user:password@host/name")


def driver_dsn(url: URL) -> str:
    """The URL as asyncpg itself reads it, with `sslmode` and its other own words."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _sqlite_engine(
    url: URL, busy_timeout: float, *, connections: int, read_only: bool = False
) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=busy_timeout + COMMAND_SECONDS,
        connect_args={"timeout": busy_timeout},
        hide_parameters=True,
        skip_autocommit_rollback=True,
        **({"isolation_level": "AUTOCOMMIT"} if read_only else {}),
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # The driver must open no transaction of its own: ours begin with BEGIN IMMEDIATE below.
        connection.isolation_level = None
        cursor = connection.cursor()
        pragmas = ["foreign_keys=ON", "temp_store=MEMORY"]
        pragmas += ["query_only=ON"] if read_only else ["journal_mode=WAL", "synchronous=FULL"]
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if not read_only:

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: Any) -> None:
            # A deferred transaction that starts reading could not become a writer once another process wrote.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql_engine(url: URL) -> AsyncEngine:
    dsn = driver_dsn(url)

    async def connect() -> Any:
        return await asyncpg.connect(
            dsn, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS, server_settings=SERVER_LIMITS
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=5,
        max_overflow=10,
        pool_timeout=COMMAND_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )
