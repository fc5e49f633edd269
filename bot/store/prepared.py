"""Statements of the accept path, put into words once and run with plain values.

SQLAlchemy prepares the parameters of every row anew, which takes longer than SQLite takes to store the row;
and an INSERT of several rows that gives something back is another statement for each number of rows, which
each connection then keeps. Here a statement has one text, however many rows. Moments are given and read as
they are stored (bot/store/columns.py: `seconds`, `moment`), lists as `Prepared.listed` makes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, Connection, Table, bindparam, func
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as pysqlite_dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from bot.store.upsert import Dialect


class Prepared:
    """One statement. `names`: the columns an INSERT of single rows is given, where it does not name them."""

    def __init__(self, statement: Executable, dialect: Dialect, names: Sequence[str] | None = None) -> None:
        made = pysqlite_dialect() if dialect == "sqlite" else asyncpg_dialect()  # type: ignore[no-untyped-call]
        compiled = statement.compile(dialect=made, column_keys=names)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        places = compiled.positiontup or []
        # What stands in the statement itself: the clock's shift, words such as a status.
        self._fixed = {
            name: parameter.effective_value
            for name, parameter in compiled.binds.items()
            if name in places and not parameter.required
        }
        self._lists = dialect == "postgresql"
        self._pick = itemgetter(*places) if len(places) > 1 else lambda row: tuple(row[one] for one in places)

    def listed(self, values: Iterable[str]) -> Any:
        """A list of texts as a parameter of `Database.among`."""
        return list(values) if self._lists else json.dumps(list(values))

    def run(self, connection: Connection, row: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Once; the rows it gives back."""
        found = connection.exec_driver_sql(self.sql, self._pick({**self._fixed, **(row or {})}))
        return found.fetchall() if found.returns_rows else ()

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Once for each row; how many it has changed (SQLite)."""
        fixed, pick = self._fixed, self._pick
        return connection.exec_driver_sql(self.sql, [pick({**fixed, **row}) for row in rows]).rowcount


def as_table(table: Table, names: Sequence[str]) -> Any:
    """Rows for these columns of the table, each column given as a list: for PostgreSQL, which thus takes any
    number of rows as the same statement, in one go. `in_lists` makes the lists.
    """
    lists = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    return func.unnest(*lists).table_valued(*names).render_derived()


def in_lists(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """The parameters of `as_table`."""
    return {name: [row[name] for row in rows] for name in names}
