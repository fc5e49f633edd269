"""Taking PagerDuty's events: a batch of them folded into what we know, in a handful of statements.

The batcher hands them in (bot/store/batcher.py), bot/store/saving.py says what each does. An event is known
by its id and its webhook's; the second time it changes nothing. One that cannot be folded is kept as it came,
and its incident is read from PagerDuty instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from bot.events import Event
from bot.model import Incident
from bot.store.database import Database
from bot.store.event_rows import EventRows, row_of
from bot.store.followers import Followers
from bot.store.incident_rows import IncidentRows
from bot.store.prepared import Prepared
from bot.store.saving import BURST, Known, after_event, marked, newly_wanted
from bot.store.snapshots import dump_line, storable, storable_event
from bot.store.tables import events, messages, thread_lines
from bot.store.upsert import insert_into
from bot.store.wake import Wake

ERROR_LENGTH = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """It is committed. `duplicate`: it was before; `poisoned`: it could not be folded, and is kept raw."""

    duplicate: bool = False
    poisoned: bool = False


@dataclass(slots=True)
class _Batch:
    """What taking the events has led to, before it is written."""

    before: dict[str, Known]
    after: dict[str, Known]
    results: list[Accepted]
    rows: list[dict[str, Any]] = field(default_factory=list)
    wanted: list[Incident] = field(default_factory=list)  # as they were when channels began to want them
    told: list[str] = field(default_factory=list)  # in threads, by event id
    told_later: list[str] = field(default_factory=list)  # of these, after channels began to want the incident


class Accepting:
    """The batcher's group of events."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._wake = wake
        self._rows = IncidentRows(database)
        self._events = EventRows(database)
        self._followers = Followers(database)
        told = (
            select(messages.c.id, events.c.id)
            .join(events, events.c.incident_id == messages.c.incident_id)
            .where(database.among(events.c.event_id, "events"), messages.c.gone.is_(None))
        )
        self._insert_lines = Prepared(
            insert_into(thread_lines, database.dialect)
            .from_select(["message_id", "event_id"], told)
            .on_conflict_do_nothing(),
            database.dialect,
        )

    def take(self, connection: Connection, items: Sequence[Event]) -> list[Accepted]:
        """Fold and save them. The incidents' rows are locked first, so that two replicas see each other's."""
        taken = [storable_event(event) for event in items]
        known = self._rows.lock(connection, (event.incident_id for event in taken if event.incident_id))
        batch = _folded(known, taken, set())
        new = self._events.insert(connection, batch.rows)
        if len(new) < len(batch.rows):
            # Some were known already, which is rare, and the others were folded as if they were not.
            self._events.take_back(connection, new)
            batch = _folded(known, taken, self._seen(connection, taken))
            self._events.insert(connection, batch.rows)
        self._rows.save(connection, known, batch.after.values())
        self._tell(connection, batch.told)
        self._followers.make_rows(connection, batch.wanted)
        self._tell(connection, batch.told_later)
        return batch.results

    def rescue(self, connection: Connection, item: Event, error: Exception) -> Accepted:
        """Keep it as it came, and have its incident read."""
        event = storable(item)
        log.error("event_poisoned", event_id=event.id, type=event.type, error=type(error).__name__)
        self._events.insert(connection, [row_of(event, error=_words(error))])
        if event.incident_id:
            try:
                with connection.begin_nested():
                    known = self._rows.lock(connection, [event.incident_id])
                    self._rows.save(connection, known, [marked(known[event.incident_id])])
            except SQLAlchemyError as second:
                log.warning("poisoned_incident_not_marked", error=type(second).__name__)
        return Accepted(poisoned=True)

    def committed(self, items: Sequence[Event], results: Sequence[Accepted]) -> None:
        """Hint at once for what can be shown, and again when the marks are due."""
        if any(not result.duplicate for result in results):
            self._wake.notify("delivery")
            hint_stale(self._wake)

    def _seen(self, connection: Connection, taken: Sequence[Event]) -> set[tuple[str, str]]:
        found = self._events.known(connection, taken)
        return {key for event_id, webhook_id in found for key in _pair(event_id, webhook_id)}

    def _tell(self, connection: Connection, event_ids: Collection[str]) -> None:
        """A line for each of these events below every message its incident has by now."""
        if event_ids:
            told = self._insert_lines.listed(sorted(event_ids))
            self._insert_lines.run(connection, {"events": told})


def hint_stale(wake: Wake) -> None:
    """Marks are gathered for a moment: the hint comes when they are due."""
    asyncio.get_running_loop().call_later(BURST.total_seconds() + 0.01, wake.notify, "stale")


def _folded(known: dict[str, Known], taken: Sequence[Event], seen: set[tuple[str, str]]) -> _Batch:
    """Each incident's events in the order they happened; what was `seen` changes nothing."""
    batch = _Batch(known, dict(known), [Accepted(duplicate=True)] * len(taken))
    seen = set(seen)
    order = sorted(
        range(len(taken)), key=lambda place: (taken[place].incident_id or "", taken[place].occurred_at)
    )
    for place in order:
        event = taken[place]
        keys = set(_pair(event.id, event.webhook_id))
        if keys.isdisjoint(seen):
            seen |= keys
            batch.results[place] = _fold(batch, event)
    return batch


def _fold(batch: _Batch, event: Event) -> Accepted:
    if not event.incident_id:
        batch.rows.append(row_of(event))
        return Accepted()
    known = batch.after[event.incident_id]
    try:
        outcome = after_event(known, event)
        line = dump_line(outcome.line) if outcome.line else None
        row = row_of(event, applied=outcome.applied, line=line)
    except Exception as error:
        log.exception("event_poisoned", event_id=event.id, type=event.type)
        batch.rows.append(row_of(event, error=_words(error)))
        batch.after[event.incident_id] = marked(known)
        return Accepted(poisoned=True)
    batch.rows.append(row)
    batch.after[event.incident_id] = outcome.known
    snapshot = outcome.known.snapshot
    if outcome.line is not None and outcome.line.in_thread:
        batch.told.append(event.id)
        if any(incident.id == event.incident_id for incident in batch.wanted):
            batch.told_later.append(event.id)
    if snapshot is not None and newly_wanted(known.snapshot, snapshot):
        batch.wanted.append(snapshot)
    return Accepted()


def _pair(event_id: str, webhook_id: str | None) -> Iterable[tuple[str, str]]:
    yield "event", event_id
    if webhook_id:
        yield "webhook", webhook_id


def _words(error: Exception) -> str:
    return storable(f"{type(error).__name__}: {error}")[:ERROR_LENGTH]
