"""While replicas are replaced one by one, those of the last release go on against the new schema: whatever
they send must still be taken. Their statements were recorded (tests/store/recording.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, Integer, inspect, text
from sqlalchemy.engine import Inspector
from sqlalchemy.exc import SQLAlchemyError

from bot.store.cursors import Cursor, Cursors
from bot.store.database import Database
from tests.store.news import T0
from tests.store.recording import SAMPLES, Recorder, Sent, from_json, read, to_json, write

RECORDED = sorted(SAMPLES.glob("statements-*.json"))
INSERT = re.compile(r"^INSERT INTO (\w+) \(([^)]*)\)")
# Example values refer to rows that are not there.
REFER_TO_NOTHING = {
    "sqlite": "PRAGMA defer_foreign_keys = ON",
    "postgresql": "SET LOCAL session_replication_role = replica",
}


async def refused(database: Database, statements: Sequence[Sent]) -> list[str]:
    """Who sends what the schema does not take, and why; nothing is changed."""

    def replay(connection: Connection) -> list[str]:
        connection.exec_driver_sql(REFER_TO_NOTHING[connection.dialect.name])
        inspector = inspect(connection)
        found = []
        for one in statements:
            reason = _left_out(inspector, one) or _fails(connection, one)
            if reason:
                found.append(f"{one.by}: {reason}: {one.sql}")
        return found

    return await database.transact(replay)


def _fails(connection: Connection, one: Sent) -> str | None:
    attempt = connection.begin_nested()
    try:
        connection.exec_driver_sql(one.sql, one.parameters)
    except SQLAlchemyError as error:
        return str(error.__cause__ or error).splitlines()[0]
    finally:
        attempt.rollback()
    return None


def _left_out(inspector: Inspector, one: Sent) -> str | None:
    """What an INSERT must name and does not: one from a SELECT that finds nothing would not tell."""
    named = INSERT.match(one.sql)
    if named is None or not inspector.has_table(named[1]):
        return None
    listed = {name.strip().strip('"') for name in named[2].split(",")}
    keys = inspector.get_pk_constraint(named[1])["constrained_columns"]
    for column in inspector.get_columns(named[1]):
        counts_itself = column["name"] in keys and isinstance(column["type"], Integer)
        is_optional = column["nullable"] or column["default"] is not None or counts_itself
        if not is_optional and column["name"] not in listed:
            return f"{column['name']} needs a value"
    return None


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest, database: Database) -> list[Sent]:
    return read(request.param, database.dialect)


async def test_the_schema_takes_what_the_last_release_sends(database: Database, recorded: list[Sent]) -> None:
    assert await refused(database, recorded) == []


async def test_a_column_that_is_gone_is_noticed(database: Database, recorded: list[Sent]) -> None:
    async with database.write() as connection:
        await connection.execute(text("ALTER TABLE incidents DROP COLUMN touched"))
    told = await refused(database, recorded)
    assert told
    assert all("touched" in line for line in told)


async def test_a_new_column_that_needs_a_value_is_noticed(database: Database, recorded: list[Sent]) -> None:
    async with database.write() as connection:
        await connection.execute(text("DROP TABLE cursors"))
        columns = "name TEXT PRIMARY KEY, at DOUBLE PRECISION, position BIGINT, reason TEXT NOT NULL"
        await connection.execute(text(f"CREATE TABLE cursors ({columns})"))
    assert [line for line in await refused(database, recorded) if "reason needs a value" in line]


def test_there_is_a_recording_of_everything_the_store_does() -> None:
    assert RECORDED, "record one: python -m tests.store.recording"
    for path in RECORDED:
        for dialect in ("sqlite", "postgresql"):
            statements = read(path, dialect)
            assert len(statements) > 150
            assert {one.sql.split()[0] for one in statements} >= {"SELECT", "INSERT", "UPDATE", "DELETE"}


async def test_the_recorder_keeps_what_the_bot_sends_and_not_what_a_test_does(
    database: Database, tmp_path: Path
) -> None:
    recorder, cursors = Recorder(), Cursors(database)
    recorder.on()
    try:
        for name in ("one", "another"):
            await cursors.put(name, Cursor(T0, 7))
        await cursors.get("one")
        async with database.read() as connection:
            await connection.execute(text("SELECT position FROM cursors"))
    finally:
        recorder.off()
    write(tmp_path / "sample.json", recorder)
    statements = read(tmp_path / "sample.json", database.dialect)
    assert [(one.by, one.sql.split()[0]) for one in statements] == [
        ("bot/store/cursors.py", "INSERT"),
        ("bot/store/cursors.py", "SELECT"),
    ]
    assert T0.timestamp() in statements[0].parameters
    assert await refused(database, statements) == []


def test_more_of_the_same_is_the_same_statement() -> None:
    def shape(sql: str) -> tuple[str, str]:
        return Sent("postgresql", sql, (), "").shape

    few = "INSERT INTO shown (a, b) VALUES ($1::VARCHAR, $2), ($3::VARCHAR, $4)"
    many = "INSERT INTO shown (a, b) VALUES ($1::VARCHAR, $2), ($3::VARCHAR, $4), ($5::VARCHAR, $6)"
    assert shape(few) == shape(many)
    assert shape("SELECT 1 FROM shown WHERE a IN (?, ?)") == shape("SELECT 1 FROM shown WHERE a IN (?, ?, ?)")
    assert shape("SELECT a FROM shown") != shape("SELECT b FROM shown")


def test_parameters_survive_the_file() -> None:
    values = [None, True, 7, 1.5, "ä", b"\x00\xff", ["a", "b"]]
    assert from_json(to_json(values)) == values
