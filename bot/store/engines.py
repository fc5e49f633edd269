"""How each database is opened: drivers, pools, time limits. Used by bot/store/database.py alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, StaticPool

from bot.errors import StoreUnavailable
from bot.store.outages import OUTAGES, outage

READERS = 4  # connections
READER_CACHE = -512
"""Kilobytes, as SQLite wants them. A reader drops its pages whenever somebody has written: more would be
asked for and given back with each question under load, and leave the process's memory in pieces.
"""
CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 10.0  # a statement that takes longer is given up: its connection may hang
# A replica frozen inside a transaction must not hold its row locks for ever (PostgreSQL, milliseconds).
SERVER_LIMITS = {
    "application_name": "pagerline",
    "jit": "off",  # compiling costs more than any of these short statements
    "statement_timeout": "9000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",
}

Result = TypeVar("Result")


def parse_url(url: str) -> URL:
    """DATABASE_URL with the async driver in it. Raises ValueError, never with the URL in its words."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
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


# ----------------------------------------------------------------------------------------------------- SQLite


def sqlite_readers(url: URL, busy_timeout: float) -> AsyncEngine:
    """Each statement sees the last commit; nothing can be written."""
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=READERS,
        max_overflow=0,
        pool_timeout=busy_timeout + COMMAND_SECONDS,
        connect_args={"timeout": busy_timeout},
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        hide_parameters=True,
    )
    _prepare(engine.sync_engine, "query_only=ON", "temp_store=MEMORY", f"cache_size={READER_CACHE}")
    return engine


def sqlite_writer(url: URL, busy_timeout: float) -> AsyncEngine:
    """One connection; its transactions begin as writers."""
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=busy_timeout + COMMAND_SECONDS,
        connect_args={"timeout": busy_timeout},
        hide_parameters=True,
    )
    _begin_as_writer(engine.sync_engine)
    return engine


class WriterThread:
    """Runs whole transactions in one thread, on a connection of its own."""

    def __init__(self, url: URL, busy_timeout: float) -> None:
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            poolclass=StaticPool,
            # The connection is opened and closed in the same thread; only the pool's bookkeeping may not be.
            connect_args={"timeout": busy_timeout, "check_same_thread": False},
            hide_parameters=True,
        )
        _begin_as_writer(self._engine)

    async def transact(self, work: Callable[[Connection], Result]) -> Result:
        """Commits when `work` returns."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._transact, work)

    async def close(self) -> None:
        """After the transaction that runs."""
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        self._engine.dispose()

    def _transact(self, work: Callable[[Connection], Result]) -> Result:
        with self._engine.begin() as connection:
            return work(connection)


class Writers:
    """SQLite's writers, one at a time. Who waited behind one that could not write shares its answer: else
    each would wait for a locked file in turn, and the last one for the sum of it.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._failed_at = float("-inf")
        self._words = ""

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A turn to write. Raises StoreUnavailable."""
        asked_at = time.monotonic()
        async with self._lock:
            if asked_at < self._failed_at:
                raise StoreUnavailable(self._words)
            try:
                yield
            except OUTAGES as error:
                if trouble := outage(error):
                    self._failed_at, self._words = time.monotonic(), str(trouble)
                raise


def _begin_as_writer(engine: Engine) -> None:
    _prepare(engine, "journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that starts reading could not become a writer once another process wrote.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare(engine: Engine, *pragmas: str) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # The driver must open no transaction of its own accord.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


# ------------------------------------------------------------------------------------------------- PostgreSQL


def postgresql(url: URL, command_timeout: float) -> AsyncEngine:
    """A pool whose connections are looked at before use, and given up when they hang."""
    dsn = driver_dsn(url)

    async def connect() -> Any:
        return await asyncpg.connect(
            dsn,
            timeout=min(CONNECT_SECONDS, command_timeout),
            command_timeout=command_timeout,
            server_settings=SERVER_LIMITS,
        )

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=5,
        max_overflow=10,
        pool_timeout=COMMAND_SECONDS,
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def look(connection: Any, _: Any, __: Any) -> None:
        # The driver notices when the server goes; SQLAlchemy's own ping would ask it, in three round trips.
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the server closed this connection")

    return engine
