"""What is old enough is deleted, in small batches, and nothing that is still shown or still open.

    intents            a week after they ended
    usage              after two weeks: its median looks a week back
    notices, leases    after 90 days, and a week after they ended
    audit              AUDIT_DAYS
    messages, incidents, events    EVENTS_DAYS, in this order: a row goes only when nothing points at it

An incident goes, with its messages, when it is resolved and there was no news of it for that long; its text
stays in Slack. What has news that its messages do not show yet (their channel is closed, the bot was away) is
kept twice as long. Rows are looked for on a reader and looked at again under a lock, so that the writer
is held for one batch only; rows somebody else has locked wait for the next round. Links that came to nothing
are cleared away where they are made (bot/store/pending_links.py, installs.py).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
)

from bot.model import Status
from bot.store.database import Database
from bot.store.incidents import OPEN
from bot.store.intent_steps import DONE, EXPIRED, FAILED
from bot.store.people_tables import audit, intents, link_tickets, notices, usage
from bot.store.tables import events, incidents, leases, messages, shown, thread_lines

ROWS = 200  # deleted at once
INCIDENTS = 25  # deleted at once, with the messages and lines that hang on each
DAY = 86_400.0  # seconds
INTENT_DAYS = 7
USAGE_DAYS = 14
NOTICE_DAYS = 90
LEASE_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """How long things are kept; 0: for ever."""

    events: int = 90
    audit: int = 400


@dataclass(frozen=True, slots=True)
class Deleted:
    """One batch: how many rows of which table."""

    table: str
    rows: int


Find = Callable[[int | str], Select[Any]]
"""The keys of the next batch, after this one."""

Take = Callable[[Sequence[Any], Connection], int]
"""Deletes what of these may go, in one transaction; says how many rows."""


class Retention:
    """Deletes by the database's clock."""

    def __init__(
        self, database: Database, days: Days, *, rows: int = ROWS, together: int = INCIDENTS
    ) -> None:
        self._database = database
        self._days = days
        self._rows = rows
        self._together = together

    async def batches(self) -> AsyncGenerator[Deleted, None]:
        """Delete everything that is due, batch by batch; whoever asks decides when the next one comes. Raises
        StoreUnavailable.
        """
        for table, condition in self._plain():
            async for batch in self._drain(table, condition):
                yield batch
        if not self._days.events:
            return
        for step in (self._pages, self._gone_messages, self._resting_incidents, self._old_events):
            async for batch in step():
                yield batch

    def _before(self, days: float) -> ColumnElement[float]:
        return self._database.now_sql(-days * DAY)

    # -------------------------------------------------------------------------- what nothing else points at

    def _plain(self) -> list[tuple[Table, ColumnElement[bool]]]:
        ended = and_(
            intents.c.state.in_((DONE, FAILED, EXPIRED)),
            intents.c.finished_at < self._before(INTENT_DAYS),
            ~exists().where(link_tickets.c.intent_id == intents.c.id),
        )
        found: list[tuple[Table, ColumnElement[bool]]] = [
            (intents, ended),
            (usage, usage.c.hour < self._before(USAGE_DAYS)),
            (notices, notices.c.told_at < self._before(NOTICE_DAYS)),
            (leases, leases.c.until < self._before(LEASE_DAYS)),
        ]
        if self._days.audit:
            found.append((audit, audit.c.accepted_at < self._before(self._days.audit)))
        return found

    async def _drain(self, table: Table, condition: ColumnElement[bool]) -> AsyncGenerator[Deleted, None]:
        # Of a key of two columns the first will do: its few rows go together.
        key = next(iter(table.primary_key.columns))
        while True:
            async with self._database.read() as connection:
                keys = (
                    (await connection.execute(select(key).where(condition).limit(self._rows))).scalars().all()
                )
            if not keys:
                return
            doomed = delete(table).where(key.in_(keys), condition)
            rows = await self._database.transact(partial(_delete, doomed))
            yield Deleted(table.name, rows)
            if not rows:
                return

    # ------------------------------------------------------------------------------------------- messages

    async def _pages(self) -> AsyncGenerator[Deleted, None]:
        """Messages of many incidents (pages, summaries) that are over."""
        still_open = exists().where(
            shown.c.message_id == messages.c.id,
            shown.c.incident_id == incidents.c.id,
            incidents.c.status.in_(OPEN),
        )
        over = and_(
            messages.c.kind != "incident",
            messages.c.made_at < self._before(self._days.events),
            messages.c.posting_since.is_(None),
            ~still_open,
        )
        async for batch in self._messages(over):
            yield batch

    async def _gone_messages(self) -> AsyncGenerator[Deleted, None]:
        """Messages that are not written any more, of incidents that are over."""
        resolved = exists().where(
            incidents.c.id == messages.c.incident_id, incidents.c.status == Status.RESOLVED.value
        )
        gone = messages.c.gone < self._before(self._days.events)
        async for batch in self._messages(and_(gone, messages.c.posting_since.is_(None), resolved)):
            yield batch

    async def _messages(self, condition: ColumnElement[bool]) -> AsyncGenerator[Deleted, None]:
        def take(ids: Sequence[Any], connection: Connection) -> int:
            query = select(messages.c.id).where(messages.c.id.in_(ids), condition)
            locked = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
            return _delete_messages(connection, locked)

        def find(after: int | str) -> Select[Any]:
            return select(messages.c.id).where(messages.c.id > after, condition).order_by(messages.c.id)

        async for rows in self._walk(find, take, after=0, limit=self._together):
            yield Deleted("messages", rows)

    # ------------------------------------------------------------------------------ incidents and events

    async def _resting_incidents(self) -> AsyncGenerator[Deleted, None]:
        rests = self._rests(self._days.events)

        def find(after: int | str) -> Select[Any]:
            return select(incidents.c.id).where(incidents.c.id > after, rests).order_by(incidents.c.id)

        async for rows in self._walk(find, self._take_incidents, after="", limit=self._together):
            yield Deleted("incidents", rows)

    def _rests(self, days: float) -> ColumnElement[bool]:
        """Over, and no news of it for so long; or heard of, and never seen."""
        before = self._before(days)
        moments = (incidents.c.accepted_at, incidents.c.read_at, incidents.c.heard_at)
        return and_(
            or_(incidents.c.status == Status.RESOLVED.value, incidents.c.snapshot.is_(None)),
            incidents.c.stale_seq <= incidents.c.read_seq,
            *(func.coalesce(moment, 0.0) < before for moment in moments),
        )

    def _take_incidents(self, ids: Sequence[Any], connection: Connection) -> int:
        """Lock them, then their messages; leave those of which anything is busy."""
        resting = select(incidents.c.id).where(incidents.c.id.in_(ids), self._rests(self._days.events))
        locked = set(connection.execute(resting.with_for_update(skip_locked=True)).scalars())
        query = select(messages.c.id, messages.c.incident_id).where(messages.c.incident_id.in_(locked))
        theirs = {row.id: row.incident_id for row in connection.execute(query)}
        ours = set(connection.execute(query.with_for_update(skip_locked=True)).scalars())
        busy = {theirs[row] for row in theirs.keys() - ours}
        busy |= set(connection.execute(self._behind().where(incidents.c.id.in_(locked))).scalars())
        on_pages = (
            select(shown.c.incident_id)
            .join(messages, messages.c.id == shown.c.message_id)
            .where(shown.c.incident_id.in_(locked), messages.c.kind != "incident")
        )
        free = locked - busy - set(connection.execute(on_pages).scalars())
        _delete_messages(connection, [row for row, incident in theirs.items() if incident in free])
        connection.execute(delete(incidents).where(incidents.c.id.in_(free)))
        return len(free)

    def _behind(self) -> Select[Any]:
        """Incidents with a message that does not show them as they are, and need not be given up yet."""
        lines = exists().where(
            thread_lines.c.message_id == messages.c.id, thread_lines.c.ts.is_(None), ~thread_lines.c.dropped
        )
        unshown = or_(
            messages.c.ts.is_(None), shown.c.revision.is_(None), shown.c.revision < incidents.c.revision
        )
        waits = or_(
            messages.c.posting_since.is_not(None), and_(messages.c.gone.is_(None), or_(unshown, lines))
        )
        return (
            select(incidents.c.id)
            .join(messages, messages.c.incident_id == incidents.c.id)
            .outerjoin(
                shown, and_(shown.c.message_id == messages.c.id, shown.c.incident_id == incidents.c.id)
            )
            .where(waits, ~self._rests(2 * self._days.events))
        )

    async def _old_events(self) -> AsyncGenerator[Deleted, None]:
        """Events no line tells, of incidents that are not open. One of each webhook subscription stays: it
        says that we have heard from it (bot/store/notices.py).
        """
        async with self._database.read() as connection:
            young = select(events.c.id).where(events.c.received_at >= self._before(self._days.events))
            first = (await connection.execute(young.order_by(events.c.id).limit(1))).scalar()
            newest = select(func.max(events.c.id)).where(events.c.subscription_id.is_not(None))
            kept = (await connection.execute(newest.group_by(events.c.subscription_id))).scalars().all()
        old = and_(
            events.c.received_at < self._before(self._days.events),
            events.c.id.not_in(kept),
            ~exists().where(thread_lines.c.event_id == events.c.id),
            ~exists().where(incidents.c.id == events.c.incident_id, incidents.c.status.in_(OPEN)),
        )

        def find(after: int | str) -> Select[Any]:
            # Ids grow with time: nothing is read beyond the first young one.
            until = () if first is None else (events.c.id < first,)
            return select(events.c.id).where(events.c.id > after, *until, old).order_by(events.c.id)

        def take(ids: Sequence[Any], connection: Connection) -> int:
            return _delete(delete(events).where(events.c.id.in_(ids), old), connection)

        async for rows in self._walk(find, take, after=0, limit=self._rows):
            yield Deleted("events", rows)

    async def _walk(
        self,
        find: Find,
        take: Take,
        *,
        after: int | str,
        limit: int,
    ) -> AsyncGenerator[int, None]:
        """Batches in the order of their keys: what has to stay is passed over."""
        while True:
            async with self._database.read() as connection:
                keys = (await connection.execute(find(after).limit(limit))).scalars().all()
            if not keys:
                return
            yield await self._database.transact(partial(take, keys))
            after = keys[-1]


def _delete(doomed: Delete, connection: Connection) -> int:
    return connection.execute(doomed).rowcount


def _delete_messages(connection: Connection, ids: Sequence[int]) -> int:
    """With all that hangs on them."""
    if not ids:
        return 0
    connection.execute(delete(thread_lines).where(thread_lines.c.message_id.in_(ids)))
    connection.execute(delete(shown).where(shown.c.message_id.in_(ids)))
    return _delete(delete(messages).where(messages.c.id.in_(ids)), connection)
