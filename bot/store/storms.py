"""Storms by channel: where one begins and ends, and how far its pages are from what is true.

Read by bot/delivery/storms.py at every question; calls for pages are begun in bot/store/page_turns.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, or_, select, tuple_, type_coerce, update

from bot.model import Channel
from bot.store import question
from bot.store import storm_question as storms_sql
from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.messages import read_message
from bot.store.rows import IN_DOUBT, SETTLING, Message
from bot.store.tables import channels, messages
from bot.store.upsert import insert_into


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSums:
    """A page in figures: its rows, and the seconds for which they have been untrue (summed, and the longest).

    `told` of them a news message has corrected, `untold` nothing has. `in_doubt`, `settling` since an edit:
    see bot/store/looks.py; `settled`: nothing from before that edit can be carried out any more.
    """

    message: Message
    rows: int = 0
    open_rows: int = 0
    told: float = 0.0
    untold: float = 0.0
    oldest: float = 0.0
    oldest_untold: float = 0.0
    quiet: float = 0.0
    in_doubt: bool = False
    settling: datetime | None = None
    settled: bool = False
    try_now: bool = True

    @property
    def is_true(self) -> bool:
        """It shows everything as it is, for certain."""
        return not (self.oldest > 0 or self.in_doubt or self.settling or (self.rows and not self.message.ts))


@dataclass(slots=True, kw_only=True)
class ChannelStorm:
    """A channel in storm, or with pages of one still to be taken away. Seconds by the database's clock.

    `unseen` incidents are on no page yet; `own` messages are kept beside the pages; `alone` are the open
    incidents without a message of their own.
    """

    channel: Channel
    asked_at: datetime
    storm_since: datetime | None
    calm_since: datetime | None
    pages: list[PageSums] = field(default_factory=list)
    in_doubt: list[Message] = field(default_factory=list)  # page or news of unknown outcome
    unseen: int = 0
    waited: float = 0.0
    longest: float = 0.0
    own: float = 0.0
    own_oldest: float = 0.0
    alone: int = 0


class Storms:
    """Asks about and moves the storms of all channels."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements: dict[tuple[str, float], Select[Any]] = {}

    async def look(self, settled_seconds: float) -> list[ChannelStorm]:
        """Every channel that is in storm or has pages; nearly always none, and then one small question."""
        async with self._database.read() as connection:
            found: dict[Channel, ChannelStorm] = {}
            for row in await connection.execute(self._query("channels", 0.0)):
                _storm(found, row)
            kept = list(await connection.execute(self._query("messages", 0.0)))
            if not found and not kept:
                return []
            sums = {row.id: row for row in await connection.execute(self._query("pages", 0.0))}
            for row in kept:
                _place(_storm(found, row), row, sums.get(row.id), settled_seconds)
            for row in await connection.execute(self._query("own", settled_seconds)):
                storm = found.get(Channel(row.team_id, row.channel_id))
                if storm is not None:
                    storm.unseen, storm.waited, storm.longest = row.unseen, row.waited, row.longest
                    storm.own, storm.own_oldest, storm.alone = row.own, row.own_oldest, row.alone
            return list(found.values())

    def _query(self, name: str, settled_seconds: float) -> Select[Any]:
        """Built once: putting a statement together takes longer than asking it."""
        key = (f"{name} {settled_seconds}", self._database.clock_offset)
        if key not in self._statements:
            now = self._database.now_sql()
            made: Select[Any]
            if name == "channels":
                made = select(channels, type_coerce(now, Moment).label("asked_at")).where(
                    channels.c.storm_since.is_not(None), channels.c.closed_since.is_(None)
                )
            elif name == "messages":
                made = (
                    select(
                        *messages.c,
                        channels.c.storm_since,
                        channels.c.calm_since,
                        type_coerce(now, Moment).label("asked_at"),
                    )
                    .select_from(messages.join(channels, storms_sql.of_channel(channels, messages)))
                    .where(
                        storms_sql.of_storms(messages),
                        messages.c.kind.in_(("page", "news")),
                        channels.c.closed_since.is_(None),
                    )
                    .order_by(messages.c.id)
                )
            elif name == "pages":
                made = storms_sql.page_sums(now)
            elif name == "busy":
                made = _busy(question.needs(now))
            else:
                due = question.needs(self._database.now_sql(-settled_seconds))
                made = storms_sql.own_sums(now, or_(due.post, due.update))
            self._statements[key] = made
        return self._statements[key]

    async def begin(self, suspects: Iterable[Channel], *, waiting: int, behind: int) -> list[Channel]:
        """Of these channels, those in which so many first posts wait or so many messages are out of date go
        into storm; one that was calm already is no longer. Returns them.
        """
        wanted = [(one.team_id, one.id) for one in suspects]
        if not wanted:
            return []
        given = {"wanted": wanted, "waiting": waiting, "behind": behind}
        async with self._database.read() as connection:
            busy = [Channel(*row) for row in await connection.execute(self._query("busy", 0.0), given)]
        return [channel for channel in busy if await self._begin(channel)]

    async def _begin(self, channel: Channel) -> bool:
        now = self._database.now_sql()
        off = or_(channels.c.storm_since.is_(None), channels.c.calm_since.is_not(None))
        async with self._database.write() as connection:
            done = await connection.execute(
                insert_into(channels, self._database.dialect)
                .values(team_id=channel.team_id, channel_id=channel.id, storm_since=now)
                .on_conflict_do_update(
                    index_elements=[channels.c.team_id, channels.c.channel_id],
                    set_={"storm_since": func.coalesce(channels.c.storm_since, now), "calm_since": None},
                    where=off,
                )
                .returning(channels.c.team_id)
            )
            return done.first() is not None

    async def calm(self, channel: Channel) -> None:
        """Nothing happens any more: what is open gets its own message."""
        async with self._database.write() as connection:
            await connection.execute(
                update(channels)
                .where(
                    channels.c.team_id == channel.team_id,
                    channels.c.channel_id == channel.id,
                    channels.c.storm_since.is_not(None),
                    channels.c.calm_since.is_(None),
                )
                .values(calm_since=self._database.now_sql())
            )


def _busy(due: question.Needs) -> Select[Any]:
    """Which of the `wanted` channels have so many messages `waiting` for their first post, or `behind`."""
    return (
        select(messages.c.team_id, messages.c.channel_id)
        .select_from(question.with_incident())
        .where(
            question.of_incidents(),
            tuple_(messages.c.team_id, messages.c.channel_id).in_(bindparam("wanted", expanding=True)),
            or_(channels.c.storm_since.is_(None), ~storms_sql.on_a_page()),
            storms_sql.speaks_for_itself(),
        )
        .group_by(messages.c.team_id, messages.c.channel_id)
        .having(
            or_(
                func.count().filter(due.post) >= bindparam("waiting", type_=Integer),
                func.count().filter(due.update) >= bindparam("behind", type_=Integer),
            )
        )
    )


def _storm(found: dict[Channel, ChannelStorm], row: Any) -> ChannelStorm:
    channel = Channel(row.team_id, row.channel_id)
    if channel not in found:
        found[channel] = ChannelStorm(
            channel=channel,
            asked_at=row.asked_at,
            storm_since=row.storm_since,
            calm_since=row.calm_since,
        )
    return found[channel]


def _place(storm: ChannelStorm, row: Any, sums: Any, settled_seconds: float) -> None:
    """A page or news into the storm of its channel."""
    message = read_message(row)
    doubt = row.posting_since is not None
    if doubt and (row.asked_at - row.posting_since).total_seconds() >= settled_seconds:
        storm.in_doubt.append(message)
    if row.kind != "page":
        return
    try_now = row.next_try_at is None or row.next_try_at <= row.asked_at
    if sums is None:
        storm.pages.append(PageSums(message=message, try_now=try_now))
        return
    settling = sums.shown_at if sums.shown_hash == SETTLING else None
    storm.pages.append(
        PageSums(
            message=message,
            rows=sums.rows,
            open_rows=sums.open,
            told=sums.told,
            untold=sums.untold,
            oldest=sums.oldest,
            oldest_untold=sums.oldest_untold,
            quiet=sums.quiet,
            in_doubt=sums.shown_hash == IN_DOUBT,
            settling=settling,
            settled=settling is not None and (row.asked_at - settling).total_seconds() >= settled_seconds,
            try_now=try_now,
        )
    )
