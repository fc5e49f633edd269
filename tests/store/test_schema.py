"""Migrations lead to exactly what the tables say, once, however many run them at the same time."""

from __future__ import annotations

import asyncio
import stat

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.people_tables import people_metadata
from bot.store.schema import MIGRATIONS, migrate, require_current, schema_state
from bot.store.tables import metadata


def _differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    ours = MetaData()
    for table in (*metadata.tables.values(), *people_metadata.tables.values()):
        table.to_metadata(ours)
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), ours))


async def test_migrations_lead_to_the_tables(database: Database) -> None:
    async with database.read() as connection:
        assert await connection.run_sync(_differences) == []


async def test_an_empty_database_is_older_and_says_what_to_do(empty_database_url: str) -> None:
    database = await Database.open(empty_database_url)
    state = await schema_state(database)
    assert (state.current, state.is_current, state.is_older) == (None, False, True)
    with pytest.raises(StoreUnavailable, match="python -m bot migrate"):
        await require_current(database)
    await database.close()


async def test_asking_for_the_schema_makes_no_file(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    await schema_state(database)
    await database.ping()
    assert database.path is not None
    assert not database.path.exists()
    await database.close()


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = await schema_state(database)
    after = await migrate(database)
    assert after == before
    assert after.is_current
    await require_current(database)


async def test_two_that_migrate_at_once_are_safe(empty_database_url: str) -> None:
    one, other = await Database.open(empty_database_url), await Database.open(empty_database_url)
    states = await asyncio.gather(migrate(one), migrate(other))
    assert all(state.is_current for state in states)
    await one.close()
    await other.close()


async def test_a_schema_newer_than_this_code_is_used_and_left_alone(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    state = await migrate(database)
    assert (state.current, state.is_current, state.is_older) == ("9999", False, False)
    await require_current(database)


async def test_only_its_owner_reads_the_file(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    await migrate(database)
    assert database.path is not None
    assert stat.S_IMODE(database.path.stat().st_mode) == 0o600
    await database.close()


async def test_what_snapshots_said_of_severity_has_a_column_afterwards(empty_database_url: str) -> None:
    database = await Database.open(empty_database_url)
    snapshots = {
        "Q1": '{"priority": {"rank": 0}}',
        "Q2": '{"priority": {"rank": null}}',
        "Q3": '{"priority": null}',
        "Q4": None,
    }

    def from_the_first(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for ident, snapshot in snapshots.items():
            row = {"id": ident, "snapshot": snapshot}
            connection.execute(text("INSERT INTO incidents (id, snapshot) VALUES (:id, :snapshot)"), row)
        command.upgrade(config, "head")

    await database.transact(from_the_first)
    async with database.read() as connection:
        ranks = await connection.execute(text("SELECT id, priority_rank FROM incidents ORDER BY id"))
        assert [tuple(row) for row in ranks] == [("Q1", 0), ("Q2", None), ("Q3", None), ("Q4", None)]
    await database.close()
