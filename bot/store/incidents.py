"""Every incident as far as we know it: events and readings in, snapshots out.

The one place a newer incident is saved (bot/store/saving.py has the rules). What is marked stale is handed to
readers here; what a message shows of all this is asked in bot/store/messages.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, type_coerce, update

from bot.events import Event, StoryLine
from bot.model import Channel, Incident, Reading, Status
from bot.store.accepting import Accepted, Accepting
from bot.store.batcher import Batcher
from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.readings import Offer, Readings
from bot.store.saving import NEVER
from bot.store.snapshots import load_incident, load_line
from bot.store.tables import events, incidents, messages, thread_lines
from bot.store.wake import Wake

READER_SECONDS = 15.0  # a reader that is not back by then is gone: others may read
SECOND = timedelta(seconds=1)
OPEN = (Status.TRIGGERED.value, Status.ACKNOWLEDGED.value)


@dataclass(frozen=True, slots=True)
class Stale:
    """An incident to read now: `seen` is the mark it will answer, `began_at` the database's clock."""

    incident_id: str
    seen: int
    began_at: datetime


class Incidents:
    """What PagerDuty says, as last known."""

    def __init__(self, database: Database, batcher: Batcher, wake: Wake) -> None:
        self._database = database
        self._batcher = batcher
        self._wake = wake
        self._accepting = Accepting(database, wake)
        self._readings = Readings(database, wake)
        # Asked several times a second in a storm: putting it together takes longer than asking it.
        self._due_by_offset: dict[float, Select[str, int, datetime]] = {}

    # ------------------------------------------------------------------------------------------------- saving

    async def accept(self, event: Event) -> Accepted:
        """Returns after the commit; a second time the same changes nothing. Raises StoreUnavailable."""
        return await self._batcher.submit(self._accepting, event)

    async def save_reading(self, reading: Reading, *, began_at: datetime, seen: int | None = None) -> bool:
        """Save what REST told, unless we know newer: False then. `began_at` is `now()` from before the
        request.

        `seen` comes from `take_stale`: the mark is cleared unless another was set meanwhile.
        """
        offered = await self._batcher.submit(
            self._readings, Offer(reading=reading, began_at=began_at, seen=seen)
        )
        return offered.saved

    async def save_written(self, reading: Reading, *, began_at: datetime, by_person: bool = True) -> bool:
        """Save the answer to our own write, a read begun when the write was sent. `by_person`: it counts as
        touched by a person from now on, saved or not.
        """
        offered = await self._batcher.submit(
            self._readings, Offer(reading=reading, began_at=began_at, written=True, by_person=by_person)
        )
        return offered.saved

    # ------------------------------------------------------------------------------------------ what is stale

    async def take_stale(self, limit: int) -> list[Stale]:
        """Incidents to read now, the longest due first; nobody else is handed them for a while."""
        query = self._due().limit(limit)
        async with self._database.read() as connection:
            if (await connection.execute(query)).first() is None:
                return []
        async with self._database.write() as connection:
            rows = await connection.execute(query.with_for_update(key_share=True, skip_locked=True))
            stale = [Stale(row.id, row.stale_seq, row.now) for row in rows]
            await connection.execute(
                update(incidents)
                .where(self._database.among(incidents.c.id, [one.incident_id for one in stale]))
                .values(read_after=self._database.now_sql(READER_SECONDS))
            )
        return stale

    async def put_off(self, incident_id: str, seconds: float) -> None:
        """It could not be read: not again before `seconds` are over."""
        async with self._database.write() as connection:
            await connection.execute(
                update(incidents)
                .where(incidents.c.id == incident_id)
                .values(read_after=self._database.now_sql(seconds))
            )

    async def forget(self, incident_id: str, *, seen: int | None = None) -> None:
        """PagerDuty does not know it (any more): it is not asked again until there is news of it. With `seen`
        (from `take_stale`) a mark that was set meanwhile is news already, and stays.
        """
        answered = incidents.c.stale_seq if seen is None else seen
        behind = incidents.c.read_seq < answered
        async with self._database.write() as connection:
            await connection.execute(
                update(incidents)
                .where(incidents.c.id == incident_id, behind)
                .values(read_seq=answered, read_after=None)
            )

    async def doubt(self, newest: Mapping[str, datetime]) -> tuple[int, list[str]]:
        """Have those read again of which something happened later (PagerDuty's clock) than we know; how many,
        and which ids we have never heard of.
        """
        if not newest:
            return 0, []
        query = select(incidents.c.id, incidents.c.event_at, incidents.c.rest_at).where(
            self._database.among(incidents.c.id, sorted(newest))
        )
        async with self._database.write() as connection:
            known = {row.id: row for row in await connection.execute(query)}
            late = [
                row.id
                for row in known.values()
                # `updated_at` may be cut to whole seconds.
                if newest[row.id] > max(row.event_at or NEVER, row.rest_at or NEVER) + SECOND
            ]
            if late:
                await connection.execute(
                    update(incidents)
                    .where(self._database.among(incidents.c.id, late))
                    .values(stale_seq=incidents.c.stale_seq + 1, read_after=self._database.now_sql())
                )
        if late:
            self._wake.notify("stale")
        return len(late), sorted(set(newest) - set(known))

    # ------------------------------------------------------------------------------------------------ reading

    async def find(self, ref: str) -> Incident | None:
        """By PagerDuty's id, or by number (`123`, `#123`); None when we have not seen it."""
        word = ref.strip().removeprefix("#")
        named: ColumnElement[bool] = incidents.c.id == word
        if word.isascii() and word.isdigit() and len(word) < 19:
            named = or_(named, incidents.c.number == int(word))
        return next(iter(await self._load(_snapshots().where(named).limit(1))), None)

    async def many(self, ids: Iterable[str]) -> dict[str, Incident]:
        """Those of them that we have seen, by id."""
        found = await self._load(_snapshots().where(self._database.among(incidents.c.id, sorted(set(ids)))))
        return {incident.id: incident for incident in found}

    async def open_ids(self) -> set[str]:
        """Every incident that is open as far as we know."""
        async with self._database.read() as connection:
            found = await connection.execute(select(incidents.c.id).where(incidents.c.status.in_(OPEN)))
            return set(found.scalars())

    async def not_read_since(self, moment: datetime) -> list[str]:
        """Open as far as we know, heard of before then (the database's clock) and not read since."""
        query = select(incidents.c.id).where(
            incidents.c.status.in_(OPEN),
            func.coalesce(incidents.c.heard_at, 0.0) < moment,
            func.coalesce(incidents.c.read_at, 0.0) < moment,
        )
        async with self._database.read() as connection:
            return sorted((await connection.execute(query)).scalars())

    async def channels_showing_open(self) -> list[Channel]:
        """Channels with a message that stands there and is about an open incident, or with a page."""
        query = (
            select(messages.c.team_id, messages.c.channel_id)
            .distinct()
            .outerjoin(incidents, incidents.c.id == messages.c.incident_id)
            .where(
                messages.c.ts.is_not(None),
                messages.c.gone.is_(None),
                or_(incidents.c.status.in_(OPEN), messages.c.kind == "page"),
            )
        )
        async with self._database.read() as connection:
            found = await connection.execute(query)
            return sorted((Channel(row.team_id, row.channel_id) for row in found), key=lambda one: one.id)

    async def open_in(self, channel: Channel) -> list[Incident]:
        """Open incidents with a living message in the channel, the oldest first."""
        shown_here = _shown_in(channel).where(messages.c.gone.is_(None), incidents.c.status.in_(OPEN))
        return await self._load(shown_here.order_by(incidents.c.created_at, incidents.c.id))

    async def by_message(self, channel: Channel, ts: str) -> Incident | None:
        """The incident that this message, or this line of its thread, is about."""
        lines = select(thread_lines.c.message_id).where(thread_lines.c.ts == ts)
        about = _shown_in(channel).where(or_(messages.c.ts == ts, messages.c.id.in_(lines)))
        return next(iter(await self._load(about.limit(1))), None)

    async def story(self, incident_id: str, limit: int = 20) -> list[StoryLine]:
        """The last `limit` lines of its story, in the order they happened."""
        query = (
            select(events.c.line)
            .where(events.c.incident_id == incident_id, events.c.line.is_not(None))
            .order_by(events.c.occurred_at.desc(), events.c.id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            lines = (await connection.execute(query)).scalars().all()
        return [load_line(line) for line in reversed(lines)]

    async def now(self) -> datetime:
        """The database's clock, UTC: what `began_at` is."""
        return await self._database.now()

    def _due(self) -> Select[str, int, datetime]:
        offset = self._database.clock_offset
        if offset not in self._due_by_offset:
            self._due_by_offset = {offset: _due(self._database.now_sql())}
        return self._due_by_offset[offset]

    async def _load(self, query: Select[str]) -> list[Incident]:
        async with self._database.read() as connection:
            found = (await connection.execute(query)).scalars().all()
        return [load_incident(snapshot) for snapshot in found]


def _snapshots() -> Select[str]:
    return select(incidents.c.snapshot).where(incidents.c.snapshot.is_not(None))


def _shown_in(channel: Channel) -> Select[str]:
    return (
        _snapshots()
        .join(messages, messages.c.incident_id == incidents.c.id)
        .where(and_(messages.c.team_id == channel.team_id, messages.c.channel_id == channel.id))
    )


def _due(now: ColumnElement[float]) -> Select[str, int, datetime]:
    return (
        select(incidents.c.id, incidents.c.stale_seq, type_coerce(now, Moment).label("now"))
        .where(
            incidents.c.stale_seq > incidents.c.read_seq,
            func.coalesce(incidents.c.read_after, 0.0) <= now,
        )
        .order_by(func.coalesce(incidents.c.read_after, 0.0), incidents.c.id)
    )
