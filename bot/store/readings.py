"""Taking what REST told: readings, and the answers to our own writes; the batcher's second group.

The first sight of an open incident, or of one that channels did not want before, makes their message rows
here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.model import Incident, Reading
from bot.store.accepting import hint_stale
from bot.store.database import Database
from bot.store.followers import Followers
from bot.store.incident_rows import IncidentRows
from bot.store.saving import after_reading, newly_wanted
from bot.store.snapshots import storable
from bot.store.wake import Wake


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A reading to save, if it is newer. `began_at` is the database's clock when the request was sent."""

    reading: Reading
    began_at: datetime
    seen: int | None = None
    written: bool = False
    by_person: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """`saved`: it was not older than what we know. `stale`: PagerDuty must be asked again all the same."""

    saved: bool
    stale: bool


class Readings:
    """The batcher's group of readings."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._wake = wake
        self._rows = IncidentRows(database)
        self._followers = Followers(database)

    def take(self, connection: Connection, items: Sequence[Offer]) -> list[Offered]:
        """Save those that are newer, each after the other."""
        readings = [storable(item.reading) for item in items]
        before = self._rows.lock(connection, (reading.incident.id for reading in readings))
        known = dict(before)
        wanted: list[Incident] = []
        results: list[Offered] = []
        for item, reading in zip(items, readings, strict=True):
            was = known[reading.incident.id]
            outcome = after_reading(
                was,
                reading,
                began_at=item.began_at,
                seen=item.seen,
                written=item.written,
                by_person=item.by_person,
            )
            known[was.id] = outcome.known
            snapshot = outcome.known.snapshot
            if snapshot is not None and newly_wanted(was.snapshot, snapshot):
                wanted.append(snapshot)
            results.append(Offered(outcome.saved, outcome.known.is_stale))
        self._rows.save(connection, before, known.values())
        self._followers.make_rows(connection, wanted)
        return results

    def rescue(self, connection: Connection, item: Offer, error: Exception) -> Offered:
        """Whoever read it hears of it."""
        raise error

    def committed(self, items: Sequence[Offer], results: Sequence[Offered]) -> None:
        """Hint at what can be shown now, and at what is still to be read."""
        if any(result.saved for result in results):
            self._wake.notify("delivery")
        if any(result.stale for result in results):
            hint_stale(self._wake)
