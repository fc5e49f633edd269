"""What tables.py and people_tables.py are made of: one representation for SQLite and PostgreSQL.

Moments are UTC seconds since 1970 with microseconds, so that comparing and adding are plain arithmetic and
the database's own clock (`Database.now_sql`) speaks the same language.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Dialect, Double, Integer, MetaData, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


def seconds(moment: datetime | None) -> float | None:
    """An aware datetime as a `Moment` column holds it. A naive one is a bug: ValueError."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a naive datetime reached the database")
    return moment.timestamp()


def moment(seconds: float | None) -> datetime | None:
    """What a `Moment` column holds, as an aware UTC datetime."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


class Moment(TypeDecorator[datetime]):
    """An aware datetime as UTC epoch seconds (double precision: microseconds until the year 2255)."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        """Aware datetimes become seconds; numbers pass (the clock's SQL expression adds seconds)."""
        if isinstance(value, datetime):
            return seconds(value)
        return None if value is None else float(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Seconds become an aware UTC datetime."""
        return None if value is None else moment(float(value))


class TextList(TypeDecorator[Sequence[str]]):
    """A list of texts as one parameter: an array for PostgreSQL, JSON for SQLite. No column has this type."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL's own array where there is one."""
        return dialect.type_descriptor(ARRAY(Text) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """SQLite's json_each reads it as a table."""
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


Key = BigInteger().with_variant(Integer, "sqlite")
"""Row ids that count up by themselves on both databases."""


def new_metadata() -> MetaData:
    """An empty collection of tables, with the names our constraints have."""
    return MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
