"""The question the whole bot turns on: which message does not yet show what is true?

Asked by bot/delivery/loop.py on every hint and every few seconds anyway; a hint may be lost, the question
never is. Reading only, but for `adopt`: a press on a message tells the `ts` of a row that lost its own. Calls
are begun and ended in bot/store/turns.py; the SQL is bot/store/question.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, and_, delete, func, select, true, type_coerce, update

from bot.model import Channel, Status, Urgency
from bot.store import question
from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.rows import Candidate, Message, Shown, Standing, ThreadLine, Uncalled
from bot.store.snapshots import load_incident, load_line
from bot.store.storm_question import age, is_living_page, pages_with_rows, speaks_for_itself, untrue
from bot.store.tables import channels, messages, shown, thread_lines

PER_CHANNEL = 10
NEWS = timedelta(minutes=15)
"""Longer than any reading takes from its beginning to being saved."""


class Adoption(StrEnum):
    """What a pressed message turned out to be."""

    ADOPTED = "adopted"  # it is its row's message (now)
    EXTRA = "extra"  # its row has another one: delete the pressed one
    NOT_OURS = "not_ours"  # no row of ours: only the press counts


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages and lines are not true, and for how long the oldest of them (seconds); how many
    channels are in a storm.
    """

    count: int
    worst_seconds: float
    in_storm: int = 0


class Messages:
    """Reads `messages`, `shown` and `thread_lines` against what is true."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Putting these statements together takes longer than asking them, and they are asked all the time.
        self._statements: dict[tuple[float | bool, ...], Select[Any]] = {}

    async def due(
        self, settled_seconds: float, *, per_channel: int = PER_CHANNEL, news_only: bool = False
    ) -> list[Candidate]:
        """Messages that may need a call now; not those of unknown outcome younger than `settled_seconds`.

        `news_only` looks at what changed lately: quick however many messages there are, but only the whole
        question is never wrong.
        """
        given = {"since": await self._database.now() - NEWS} if news_only else {}
        key = (self._database.clock_offset, settled_seconds, per_channel, news_only)
        query = self._statements.get(key)
        if query is None:
            # What a storm's pages show is not asked about.
            among = and_(question.recently_changed() if news_only else true(), speaks_for_itself())
            now, settled = self._database.now_sql(), self._database.now_sql(-settled_seconds)
            query = question.candidates(now, settled, per_channel, among)
            self._statements[key] = query
        async with self._database.read() as connection:
            return [_candidate(row) for row in await connection.execute(query, given)]

    async def due_lines(self, settled_seconds: float, *, per_channel: int = PER_CHANNEL) -> list[ThreadLine]:
        """The next thread line of each message: one after the other, in the order things happened."""
        key = (self._database.clock_offset, settled_seconds, per_channel)
        query = self._statements.get(key)
        if query is None:
            now, settled = self._database.now_sql(), self._database.now_sql(-settled_seconds)
            query = self._statements[key] = question.lines(now, settled, per_channel)
        async with self._database.read() as connection:
            return [_line(row) for row in await connection.execute(query)]

    async def uncalled(self, limit: int = 100) -> list[Uncalled]:
        """Messages whose incident still waits for an assignee nobody could mention; the newest `limit`."""
        async with self._database.read() as connection:
            rows = await connection.execute(question.uncalled(limit))
            return [Uncalled(read_message(row), load_incident(row.snapshot)) for row in rows]

    async def backlog(self) -> Backlog:
        """What /metrics shows: everything not true yet, whether its turn has come or not."""
        now = self._database.now_sql()
        behind = (
            select(func.count(), type_coerce(func.min(question.since()), Moment), type_coerce(now, Moment))
            .select_from(question.with_incident())
            .where(question.of_incidents(), question.needs(now).untrue, speaks_for_itself())
        )
        on_pages = (
            select(func.count(), func.max(age(now)))
            .select_from(pages_with_rows())
            .where(is_living_page(), untrue())
        )
        lines = (
            select(func.count())
            .select_from(question.with_incident().join(thread_lines))
            .where(question.of_incidents(), question.waiting_lines())
        )
        storming = select(func.count()).select_from(channels).where(channels.c.storm_since.is_not(None))
        async with self._database.read() as connection:
            row = (await connection.execute(behind)).one()
            waiting = (await connection.execute(lines)).scalar_one()
            rows, longest = (await connection.execute(on_pages)).one()
            storms = (await connection.execute(storming)).scalar_one()
        oldest: datetime | None = row[1]
        worst = 0.0 if oldest is None else max(0.0, (row[2] - oldest).total_seconds())
        return Backlog(row[0] + waiting + rows, max(worst, longest or 0.0), storms)

    async def now(self) -> datetime:
        """The database's clock."""
        return await self._database.now()

    async def closed_channels(self) -> list[Channel]:
        """Channels Slack refused: archived, or without us."""
        query = select(channels.c.team_id, channels.c.channel_id).where(channels.c.closed_since.is_not(None))
        async with self._database.read() as connection:
            return [Channel(team_id, channel_id) for team_id, channel_id in await connection.execute(query)]

    async def adopt(
        self, channel: Channel, ts: str, *, row_id: int | None = None, incident_id: str | None = None
    ) -> Adoption:
        """A person pressed the message `ts`, which says it is this row's (or this incident's).

        A row without a `ts` gets it, and its message is written again. Only for messages that say *incident*,
        and that stand in the channel itself.
        """
        row = and_(
            messages.c.id == row_id if row_id is not None else messages.c.incident_id == incident_id,
            messages.c.kind == "incident",
            messages.c.team_id == channel.team_id,
            messages.c.channel_id == channel.id,
        )
        async with self._database.read() as connection:
            known = (await connection.execute(select(messages.c.id, messages.c.ts).where(row))).first()
        if known is None:
            return Adoption.NOT_OURS
        if known.ts is not None:
            return Adoption.ADOPTED if known.ts == ts else Adoption.EXTRA
        async with self._database.write() as connection:
            # `posting_since` stays: another one may stand there too, and the look-up will find it.
            taken = await connection.execute(
                update(messages)
                .where(messages.c.id == known.id, messages.c.ts.is_(None))
                .values(ts=ts, gone=None, next_try_at=self._database.now_sql())
            )
            if taken.rowcount:
                await connection.execute(delete(shown).where(shown.c.message_id == known.id))
                return Adoption.ADOPTED
        return await self.adopt(channel, ts, row_id=known.id)


def read_message(row: Row[Any]) -> Message:
    """A row of `messages` as a value."""
    return Message(
        id=row.id,
        channel=Channel(row.team_id, row.channel_id),
        incident_id=row.incident_id or "",
        kind=row.kind,
        ts=row.ts,
        posting_since=row.posting_since,
        gone=row.gone,
        reposts=row.reposts,
        mention=row.mention,
        mentioned=row.mentioned,
        tries=row.tries,
    )


def read_standing(row: Row[Any]) -> Standing:
    """The incident's columns beside it."""
    return Standing(
        revision=row.revision,
        status=Status(row.status),
        urgency=Urgency(row.urgency),
        rank=row.rank,
        touched=row.touched,
    )


def _candidate(row: Row[Any]) -> Candidate:
    return Candidate(
        message=read_message(row),
        standing=read_standing(row),
        shown=None if row.shown_revision is None else Shown(row.shown_revision, row.shown_hash, row.shown_at),
        since=row.since,
        asked_at=row.asked_at,
        in_storm=row.in_storm,
    )


def _line(row: Row[Any]) -> ThreadLine:
    return ThreadLine(
        message_id=row.message_id,
        event_id=row.event_id,
        channel=Channel(row.team_id, row.channel_id),
        incident_id=row.incident_id,
        thread_ts=row.thread_ts,
        posting_since=row.posting_since,
        story=load_line(row.line),
        since=row.received_at,
        tries=row.tries,
        quiet=row.storm_since is not None,
    )
