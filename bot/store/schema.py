"""Brings a database to the schema this code needs, and tells how far it is.

Migrations are Alembic's (bot/store/migrations). Two processes that migrate at once are safe: PostgreSQL by an
advisory lock, SQLite by its single writer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.engines import CONNECT_SECONDS
from bot.store.outages import OUTAGES, outage

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 0x5041_4745  # any number that nobody else uses on this database


@dataclass(frozen=True, slots=True)
class SchemaState:
    """`current` is the database's revision, None when it has no schema yet; `head` what this code needs."""

    current: str | None
    head: str
    known: frozenset[str]

    @property
    def is_current(self) -> bool:
        return self.current == self.head

    @property
    def is_older(self) -> bool:
        """Behind this code. One that this code does not know is newer: expand-first keeps it usable."""
        return self.current is None or (self.current != self.head and self.current in self.known)


def needed_schema() -> SchemaState:
    """What this code needs, read from the migration scripts, with no database looked at."""
    script = ScriptDirectory(str(MIGRATIONS))
    head = script.get_current_head()
    assert head is not None
    return SchemaState(None, head, frozenset(revision.revision for revision in script.walk_revisions()))


async def schema_state(database: Database, needed: SchemaState | None = None) -> SchemaState:
    """How far the schema is. Changes nothing. Raises StoreUnavailable.

    Whoever asks often hands in `needed_schema()`, so that the scripts are read once.
    """
    needed = needed or needed_schema()
    if database.is_missing:
        return replace(needed, current=None)
    async with database.read() as connection:
        return replace(needed, current=await connection.run_sync(_current))


async def require_current(database: Database) -> None:
    """Raises StoreUnavailable, in one line with what to do, when the schema is older than this code needs."""
    state = await schema_state(database)
    if state.is_older:
        raise StoreUnavailable(
            f"The database's schema is at {state.current or 'nothing'}, this code needs {state.head}:"
            " run `python -m bot migrate`."
        )


async def migrate(database: Database) -> SchemaState:
    """Bring the schema to this code's head; a newer one is left alone. Raises StoreUnavailable."""
    state = await schema_state(database)
    if state.is_older:
        if database.path is not None:
            # Only its owner reads it: sealed or not, it holds what people do.
            database.path.touch(mode=0o600, exist_ok=True)
            await database.transact(_upgrade)
        else:
            await _migrate_postgresql(database)
        state = await schema_state(database)
    return state


async def _migrate_postgresql(database: Database) -> None:
    async def connect() -> asyncpg.Connection:
        # No limits here: a migration may take long, and waiting for another one that runs is right.
        return await asyncpg.connect(database.driver_dsn, timeout=CONNECT_SECONDS)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            await connection.run_sync(_upgrade)
    except OUTAGES as error:
        if trouble := outage(error):
            raise trouble from error
        raise
    finally:
        await asyncio.shield(engine.dispose())


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
