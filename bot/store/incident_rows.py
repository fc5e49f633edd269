"""Rows of `incidents`, locked and read as `Known`, written back after the rules have spoken.

Rows are always locked in the order of their ids, so that two replicas with overlapping batches wait for each
other instead of deadlocking. SQLite has one writer and needs no locks. Statements are built once: building
one costs more than running it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select, type_coerce, update

from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.saving import Known
from bot.store.snapshots import dump_incident, load_incident
from bot.store.tables import incidents
from bot.store.upsert import insert_into

_WRITTEN = (
    *("number", "status", "urgency", "service_id", "created_at", "snapshot", "event_at", "rest_at"),
    *("accepted_at", "read_at", "revision", "stale_seq", "read_seq", "read_after", "touched"),
)


class IncidentRows:
    """Used inside a transaction (`Database.transact`)."""

    def __init__(self, database: Database) -> None:
        self._select = (
            select(
                incidents.c.id,
                incidents.c.snapshot,
                incidents.c.event_at,
                incidents.c.rest_at,
                incidents.c.accepted_at,
                incidents.c.read_at,
                incidents.c.revision,
                incidents.c.stale_seq,
                incidents.c.read_seq,
                incidents.c.read_after,
                incidents.c.touched,
                type_coerce(database.now_sql(), Moment).label("now"),
            )
            .where(database.among(incidents.c.id, "ids"))
            .order_by(incidents.c.id)
            .with_for_update()
        )
        self._hear_of = (
            insert_into(incidents, database.dialect)
            .values(heard_at=database.now_sql())
            .on_conflict_do_nothing()
            .returning(incidents.c.id, incidents.c.heard_at)
        )
        self._update = (
            update(incidents)
            .where(incidents.c.id == bindparam("row_id"))
            .values({name: bindparam(f"new_{name}") for name in _WRITTEN})
        )

    def lock(self, connection: Connection, ids: Iterable[str]) -> dict[str, Known]:
        """The incidents as they are; nobody changes them before our commit. One that is new gets its row."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        found = self._found(connection, wanted)
        missing = [incident_id for incident_id in wanted if incident_id not in found]
        if missing:
            made = connection.execute(self._hear_of, [{"id": incident_id} for incident_id in missing])
            found.update({row.id: Known(id=row.id, now=row.heard_at) for row in made})
            # Those that another replica has made in this moment.
            theirs = [incident_id for incident_id in missing if incident_id not in found]
            found.update(self._found(connection, theirs) if theirs else {})
        return found

    def save(self, connection: Connection, before: Mapping[str, Known], after: Iterable[Known]) -> None:
        """Write back those that differ; all were locked."""
        changed = [_values(known) for known in after if known is not before[known.id]]
        if changed:
            connection.execute(self._update, changed)

    def _found(self, connection: Connection, ids: list[str]) -> dict[str, Known]:
        return {row.id: _known(row) for row in connection.execute(self._select, {"ids": ids})}


def _known(row: Any) -> Known:
    return Known(
        id=row.id,
        now=row.now,
        snapshot=None if row.snapshot is None else load_incident(row.snapshot),
        event_at=row.event_at,
        rest_at=row.rest_at,
        accepted_at=row.accepted_at,
        read_at=row.read_at,
        revision=row.revision,
        stale_seq=row.stale_seq,
        read_seq=row.read_seq,
        read_after=row.read_after,
        touched=row.touched,
    )


def _values(known: Known) -> dict[str, Any]:
    snapshot = known.snapshot
    return {
        "row_id": known.id,
        "new_number": snapshot and snapshot.number,
        "new_status": snapshot and snapshot.status.value,
        "new_urgency": snapshot and snapshot.urgency.value,
        "new_service_id": snapshot and snapshot.service.id,
        "new_created_at": snapshot and snapshot.created_at,
        "new_snapshot": snapshot and dump_incident(snapshot),
        "new_event_at": known.event_at,
        "new_rest_at": known.rest_at,
        "new_accepted_at": known.accepted_at,
        "new_read_at": known.read_at,
        "new_revision": known.revision,
        "new_stale_seq": known.stale_seq,
        "new_read_seq": known.read_seq,
        "new_read_after": known.read_after,
        "new_touched": known.touched,
    }
