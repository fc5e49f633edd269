"""Rows of `incidents`, locked and read as `Known`, written back after the rules have spoken.

Rows are always locked in the order of their ids, so that two replicas with overlapping batches wait for each
other instead of deadlocking. SQLite has one writer and needs no locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.sql.base import Executable

from bot.model import Incident
from bot.store.columns import moment, seconds
from bot.store.database import Database
from bot.store.prepared import Prepared, as_table, in_lists
from bot.store.saving import Known
from bot.store.snapshots import dump_incident, load_incident
from bot.store.tables import incidents
from bot.store.upsert import insert_into

_ALWAYS = (
    *("urgency", "priority_rank", "service_id", "created_at", "snapshot"),
    *("event_at", "rest_at", "revision", "touched"),
)
_MARKS = ("stale_seq", "read_seq", "read_after")
_INDEXED = ("number", "status", "accepted_at", "read_at", *_MARKS)
"""An UPDATE that names one of these moves the row's entry in its index on SQLite, changed or not: among ten
thousand incidents that is a page to be read and written for each row and index.
"""
_WRITTEN = ("id", *_ALWAYS, *_INDEXED)
MOST_LATELY = 500  # snapshots kept in memory, some 5 KB each


class IncidentRows:
    """Used inside a transaction (`Database.transact`)."""

    def __init__(self, database: Database) -> None:
        self._dialect = database.dialect
        self._select = Prepared(
            select(
                incidents.c.id,
                database.now_sql(),
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
            )
            .where(database.among(incidents.c.id, "ids"))
            .order_by(incidents.c.id)
            # Not FOR UPDATE: rows that refer to these (what messages show) are written meanwhile by others.
            .with_for_update(key_share=True),
            database.dialect,
        )
        self._hear_of = Prepared(
            insert_into(incidents, database.dialect)
            .values(heard_at=database.now_sql())
            .on_conflict_do_nothing(),
            database.dialect,
            ("id",),
        )
        self._update = Prepared(_all(), database.dialect) if database.dialect == "postgresql" else None
        self._updates: dict[tuple[str, ...], Prepared] = {}
        self._lately: dict[str, tuple[str, Incident]] = {}  # as stored and as read, by id

    def lock(self, connection: Connection, ids: Iterable[str]) -> dict[str, Known]:
        """The incidents as they are; nobody changes them before our commit. One that is new gets its row."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        found = self._found(connection, wanted)
        missing = [incident_id for incident_id in wanted if incident_id not in found]
        if missing:
            # Another replica may make them in this moment, too.
            self._hear_of.run_many(connection, [{"id": incident_id} for incident_id in missing])
            found |= self._found(connection, missing)
        return found

    def save(self, connection: Connection, before: Mapping[str, Known], after: Iterable[Known]) -> None:
        """Write back those that differ; all were locked."""
        changed = [known for known in after if known is not before[known.id]]
        if self._update is not None and changed:
            self._update.run(connection, in_lists([self._row(known) for known in changed], _WRITTEN))
            return
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for known in changed:
            names = _ALWAYS + _changed(before[known.id], known)
            row = {f"new_{name}": value for name, value in self._row(known).items()}
            alike.setdefault(names, []).append(row)
        for names, rows in alike.items():
            if names not in self._updates:
                self._updates[names] = Prepared(_one(names), self._dialect)
            self._updates[names].run_many(connection, rows)

    def _found(self, connection: Connection, ids: list[str]) -> dict[str, Known]:
        found = self._select.run(connection, {"ids": self._select.listed(ids)})
        return {row[0]: _known(row, self._loaded(row[0], row[2])) for row in found}

    def _loaded(self, ident: str, text: str | None) -> Incident | None:
        """What was stored a moment ago need not be read out of its JSON."""
        if text is None:
            return None
        lately = self._lately.get(ident)
        return lately[1] if lately is not None and lately[0] == text else load_incident(text)

    def _dumped(self, snapshot: Incident | None) -> str | None:
        if snapshot is None:
            return None
        lately = self._lately.pop(snapshot.id, None)
        text = lately[0] if lately is not None and lately[1] is snapshot else dump_incident(snapshot)
        if len(self._lately) >= MOST_LATELY:
            del self._lately[next(iter(self._lately))]
        self._lately[snapshot.id] = (text, snapshot)
        return text

    def _row(self, known: Known) -> dict[str, Any]:
        snapshot = known.snapshot
        return {
            "id": known.id,
            "number": snapshot and snapshot.number,
            "status": snapshot and snapshot.status.value,
            "urgency": snapshot and snapshot.urgency.value,
            "priority_rank": snapshot and snapshot.priority and snapshot.priority.rank,
            "service_id": snapshot and snapshot.service.id,
            "created_at": snapshot and seconds(snapshot.created_at),
            "snapshot": self._dumped(snapshot),
            "event_at": seconds(known.event_at),
            "rest_at": seconds(known.rest_at),
            "accepted_at": seconds(known.accepted_at),
            "read_at": seconds(known.read_at),
            "revision": known.revision,
            "stale_seq": known.stale_seq,
            "read_seq": known.read_seq,
            "read_after": seconds(known.read_after),
            "touched": known.touched,
        }


def _one(names: tuple[str, ...]) -> Executable:
    """For SQLite: run for every row, of which these columns are written."""
    # An UPDATE sets whatever it is given by its columns' own names, so its parameters have others.
    values = {name: bindparam(f"new_{name}", type_=incidents.c[name].type) for name in names}
    return update(incidents).where(incidents.c.id == bindparam("new_id")).values(values)


def _all() -> Executable:
    """For PostgreSQL: all rows in one go, each column as a list."""
    given = as_table(incidents, _WRITTEN)
    values = {name: given.c[name] for name in _WRITTEN if name != "id"}
    return update(incidents).where(incidents.c.id == given.c.id).values(values)


def _changed(was: Known, known: Known) -> tuple[str, ...]:
    """The indexed columns in which they differ; those of one index come together."""
    names: tuple[str, ...] = ()
    old, new = was.snapshot, known.snapshot
    if old is not new:
        if old is None or new is None or old.number != new.number:
            names += ("number",)
        if old is None or new is None or old.status is not new.status:
            names += ("status",)
    if was.accepted_at != known.accepted_at:
        names += ("accepted_at",)
    if was.read_at != known.read_at:
        names += ("read_at",)
    if any(getattr(was, name) != getattr(known, name) for name in _MARKS):
        names += _MARKS
    return names


def _known(row: Sequence[Any], snapshot: Incident | None) -> Known:
    ident, now, _, event_at, rest_at, accepted_at, read_at, *counted = row
    revision, stale_seq, read_seq, read_after, touched = counted
    asked_at = moment(now)
    assert asked_at is not None
    return Known(
        id=ident,
        now=asked_at,
        snapshot=snapshot,
        event_at=moment(event_at),
        rest_at=moment(rest_at),
        accepted_at=moment(accepted_at),
        read_at=moment(read_at),
        revision=revision,
        stale_seq=stale_seq,
        read_seq=read_seq,
        read_after=moment(read_after),
        touched=bool(touched),
    )
