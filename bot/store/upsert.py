"""INSERT … ON CONFLICT: the one statement whose spelling SQLAlchemy keeps apart for each database."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

Dialect = Literal["sqlite", "postgresql"]


def insert_into(table: Table, dialect: Dialect) -> postgresql.Insert | sqlite.Insert:
    """An insert that knows `on_conflict_do_update` and `on_conflict_do_nothing`, as both databases do."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
