"""Rows of `events`, many at once: those that were not there yet, and which were.

An event is known by PagerDuty's id for it and by its webhook's; either alone makes it known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, or_, select
from sqlalchemy.sql.base import Executable

from bot.events import Event
from bot.store.columns import seconds
from bot.store.database import Database
from bot.store.prepared import Prepared, as_table, in_lists
from bot.store.tables import events
from bot.store.upsert import insert_into

GIVEN = (
    *("event_id", "webhook_id", "subscription_id", "type", "incident_id"),
    *("occurred_at", "applied", "line", "raw", "error"),
)


class EventRows:
    """Used inside a transaction (`Database.transact`)."""

    def __init__(self, database: Database) -> None:
        dialect, among = database.dialect, database.among
        self._counts = dialect == "sqlite"
        self._insert = Prepared(_each(database) if self._counts else _all(database), dialect, GIVEN)
        self._newest = Prepared(
            select(events.c.event_id).order_by(events.c.id.desc()).limit(bindparam("count")), dialect
        )
        self._take_back = Prepared(delete(events).where(among(events.c.event_id, "events")), dialect)
        self._known = Prepared(
            select(events.c.event_id, events.c.webhook_id).where(
                or_(among(events.c.event_id, "events"), among(events.c.webhook_id, "webhooks"))
            ),
            dialect,
        )

    def insert(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> list[str]:
        """The event ids of those that were new."""
        if not rows:
            return []
        if not self._counts:
            return [row[0] for row in self._insert.run(connection, in_lists(rows, GIVEN))]
        # Asking SQLite to give back what it inserts costs as much as inserting it.
        added = self._insert.run_many(connection, rows)
        if added == len(rows):
            return [row["event_id"] for row in rows]
        return [row[0] for row in self._newest.run(connection, {"count": added})]

    def take_back(self, connection: Connection, event_ids: Sequence[str]) -> None:
        """As if they had not been inserted."""
        self._take_back.run(connection, {"events": self._take_back.listed(event_ids)})

    def known(self, connection: Connection, these: Sequence[Event]) -> list[tuple[str, str | None]]:
        """The ids, event's and webhook's, of rows that share one with these."""
        listed = self._known.listed
        keys = {
            "events": listed(event.id for event in these),
            "webhooks": listed(event.webhook_id for event in these if event.webhook_id),
        }
        return [(row[0], row[1]) for row in self._known.run(connection, keys)]


def row_of(
    event: Event, *, applied: bool = False, line: str | None = None, error: str | None = None
) -> dict[str, Any]:
    """What an event is stored as. `line` is its story line as JSON; `error`: why it could not be folded."""
    return {
        "event_id": event.id,
        "webhook_id": event.webhook_id,
        "subscription_id": event.subscription_id,
        "type": event.type,
        "incident_id": event.incident_id,
        "occurred_at": seconds(event.occurred_at),
        "applied": applied,
        "line": line,
        "raw": event.raw,
        "error": error,
    }


def _each(database: Database) -> Executable:
    """For SQLite: run for every row."""
    return insert_into(events, "sqlite").values(received_at=database.now_sql()).on_conflict_do_nothing()


def _all(database: Database) -> Executable:
    """For PostgreSQL: all rows in one go, each column as a list."""
    given = as_table(events, GIVEN)
    return (
        insert_into(events, "postgresql")
        .from_select([*GIVEN, "received_at"], select(*given.c, database.now_sql()))
        .on_conflict_do_nothing()
        .returning(events.c.event_id)
    )
