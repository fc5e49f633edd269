"""Beginning a turn for a storm's pages: as bot/store/turns.py does for an incident's own message.

The same rules: lease, row, pace, and `posting_since` committed before a post, all of it or nothing. Which
rows a page has is written down with it, as `shown` of revision 0. A page that absorbs others takes their
rows; those list nothing then, and are deleted once it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from bot.model import Channel
from bot.store import looks, page_rows
from bot.store import storm_question as storms_sql
from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.leases import Lease, Leases
from bot.store.messages import read_message
from bot.store.pace import CLICKS_SHARE, DELETES, HISTORY, UPDATES, Charge, Pace
from bot.store.rows import IN_DOUBT, Message
from bot.store.snapshots import load_incident
from bot.store.tables import channels, incidents, messages, shown
from bot.store.turns import (
    HELD_SECONDS,
    Act,
    Begun,
    NotNow,
    NoTurn,
    PageRow,
    Turn,
    channel_lease,
    post_charges,
)


class PageTurns:
    """Begins the calls that bot/delivery/storm.py weighs."""

    def __init__(self, database: Database, leases: Leases, pace: Pace, *, lease_seconds: float) -> None:
        self._database = database
        self._leases = leases
        self._pace = pace
        self._lease_seconds = lease_seconds

    async def begin_page(self, channel: Channel, absorbs: Sequence[int], take: int) -> Begun:
        """For a page with the rows of the pages it absorbs and at most `take` of the unseen ones."""

        def begin(connection: Connection) -> Begun:
            lease = self._lease(connection, channel)
            if not self._is_on(connection, channel):
                raise NoTurn(None)
            old = [row.id for row in connection.execute(_pages(channel, absorbs))]
            unseen = page_rows.unseen(channel, take, self._database.now_sql())
            fresh = [row.id for row in connection.execute(unseen)]
            if len(old) < len(absorbs) or not (old or fresh):
                raise NoTurn(None)
            self._pay(connection, channel, post_charges(channel))
            page = self._insert(connection, channel, "page")
            if fresh:
                rows = [{"message_id": page, "incident_id": one} for one in fresh]
                connection.execute(insert(shown).values(revision=0, hash=IN_DOUBT), rows)
            if old:
                connection.execute(
                    update(shown)
                    .where(shown.c.message_id.in_(old))
                    .values(message_id=page, revision=0, hash=IN_DOUBT, shown_at=None)
                )
            return self._turn(connection, Act.POST, lease, page)

        return await self._answer(begin)

    async def begin_again(self, message: Message) -> Begun:
        """For a page whose post came to nothing."""

        def note(connection: Connection, row: Any) -> None:
            if row.ts is not None or row.posting_since is not None:
                raise NoTurn(None)
            since = {"posting_since": self._database.now_sql()}
            connection.execute(update(messages).where(messages.c.id == row.id).values(since))

        return await self._begin(Act.POST, message, post_charges(message.channel), note)

    async def begin_edit(self, message: Message, *, settled: datetime | None = None) -> Begun:
        """For a page that shows less than is known, or that nobody has edited since `settled`, when its look
        was settling. It leaves the fifth of the edits that is for clicks.
        """

        def look(connection: Connection, row: Any) -> dict[str, Any]:
            behind = (
                select(shown.c.incident_id)
                .join(incidents, incidents.c.id == shown.c.incident_id)
                .where(shown.c.message_id == row.id, storms_sql.untrue())
                .limit(1)
            )
            known = connection.execute(looks.of_page(row.id)).one()
            confirms = known.shown_hash == IN_DOUBT or looks.has_settled(known, settled)
            if row.ts is None or not (confirms or connection.execute(behind).first()):
                raise NoTurn(None)
            connection.execute(looks.put_page_in_doubt(row.id, self._database.now_sql()))
            return _known(known, settled)

        return await self._begin(Act.UPDATE, message, (Charge(UPDATES, reserve=CLICKS_SHARE),), look)

    async def begin_news(self, channel: Channel) -> Begun:
        """For a news message about everything its pages and kept messages do not show, untold so far."""

        def begin(connection: Connection) -> Begun:
            lease = self._lease(connection, channel)
            untold = list(connection.execute(page_rows.untold(channel, self._database.now_sql())))
            if not untold:
                raise NoTurn(None)
            self._pay(connection, channel, post_charges(channel))
            news = self._insert(connection, channel, "news")
            rows = [{"message_id": news, "incident_id": row.id, "revision": row.revision} for row in untold]
            connection.execute(insert(shown).values(hash=""), rows)
            return self._turn(connection, Act.POST, lease, news)

        return await self._answer(begin)

    async def begin_delete(self, message: Message) -> Begun:
        """For a page whose rows stand elsewhere now."""

        def look(connection: Connection, row: Any) -> None:
            lists = select(shown.c.incident_id).where(shown.c.message_id == row.id).limit(1)
            being_posted = _pages(message.channel).where(messages.c.ts.is_(None)).limit(1)
            for unfit in (lists, being_posted):
                if row.ts is None or connection.execute(unfit).first() is not None:
                    raise NoTurn(None)

        return await self._begin(Act.DELETE, message, (Charge(DELETES),), look)

    async def begin_look_up(self, message: Message) -> Begun:
        """For a page or news message whose post has an unknown outcome."""

        def look(connection: Connection, row: Any) -> None:
            del connection
            if row.posting_since is None:
                raise NoTurn(None)

        return await self._begin(Act.LOOK_UP, message, (Charge(HISTORY),), look)

    async def begin_fold(self, channel: Channel) -> Begun:
        """For turning the newest page into the summary of the storm; with none, the storm just ends."""

        def begin(connection: Connection) -> Begun:
            lease = self._lease(connection, channel)
            calm = connection.execute(_state(channel)).first()
            if calm is None or calm.calm_since is None:
                raise NoTurn(None)
            stands = _pages(channel).where(messages.c.ts.is_not(None)).add_columns(messages.c.posting_since)
            pages = list(connection.execute(stands.order_by(messages.c.id.desc()).limit(1)))
            if pages and pages[0].posting_since is not None:
                raise NoTurn(None)  # it may stand twice, and nobody looks for a second summary
            if pages:
                page = pages[0].id
                known = connection.execute(looks.of_page(page)).one()
                self._pay(connection, channel, (Charge(UPDATES, reserve=CLICKS_SHARE),))
                connection.execute(looks.put_page_in_doubt(page, self._database.now_sql()))
                return self._turn(connection, Act.UPDATE, lease, page, whole=True, **_known(known))
            of_channel = page_rows.is_of(channels, channel)
            connection.execute(update(channels).where(of_channel).values(storm_since=None, calm_since=None))
            self._leases.release_in(connection, lease)
            return None

        return await self._answer(begin)

    # ---------------------------------------------------------------------------------- one transaction

    async def _begin(self, act: Act, message: Message, charges: tuple[Charge, ...], look: Any) -> Begun:
        def begin(connection: Connection) -> Begun:
            lease = self._lease(connection, message.channel)
            # Not FOR UPDATE: a webhook that has a line for this message's thread would wait for it.
            query = select(messages).where(messages.c.id == message.id).with_for_update(key_share=True)
            row = connection.execute(query).first()
            if row is None or row.gone is not None:
                raise NoTurn(None)
            known = look(connection, row) or {}
            self._pay(connection, message.channel, charges)
            return self._turn(connection, act, lease, message.id, **known)

        return await self._answer(begin)

    async def _answer(self, begin: Callable[[Connection], Begun]) -> Begun:
        try:
            return await self._database.transact(begin)
        except NoTurn as no:
            return no.answer

    def _lease(self, connection: Connection, channel: Channel) -> Lease:
        lease = self._leases.take_in(connection, channel_lease(channel), self._lease_seconds)
        if lease is None:
            raise NoTurn(NotNow(HELD_SECONDS))
        return lease

    def _pay(self, connection: Connection, channel: Channel, charges: tuple[Charge, ...]) -> None:
        seconds = self._pace.spend_in(connection, channel.team_id, charges)
        if seconds > 0:
            raise NoTurn(NotNow(seconds, by_pace=True))

    def _is_on(self, connection: Connection, channel: Channel) -> bool:
        found = connection.execute(_state(channel)).first()
        return found is not None and found.storm_since is not None

    def _insert(self, connection: Connection, channel: Channel, kind: str) -> int:
        now = self._database.now_sql()
        made = connection.execute(
            insert(messages)
            .values(
                team_id=channel.team_id,
                channel_id=channel.id,
                kind=kind,
                made_at=now,
                posting_since=now,
                mention=False,
            )
            .returning(messages.c.id)
        )
        return int(made.scalar_one())

    def _turn(
        self,
        connection: Connection,
        act: Act,
        lease: Lease,
        message_id: int,
        *,
        whole: bool = False,
        **known: Any,
    ) -> Begun:
        """With the rows of the message, or (`whole`) of all pages of its channel."""
        now = type_coerce(self._database.now_sql(), Moment).label("now")
        row = connection.execute(select(messages, now).where(messages.c.id == message_id)).one()
        message = read_message(row)
        all_pages = page_rows.is_of(messages, message.channel) & storms_sql.is_living_page()
        query = (
            select(incidents.c.snapshot, func.max(incidents.c.revision).label("revision"))
            .select_from(messages.join(shown).join(incidents, incidents.c.id == shown.c.incident_id))
            .where(all_pages if whole else messages.c.id == row.id, incidents.c.snapshot.is_not(None))
            .group_by(incidents.c.id, incidents.c.snapshot)
            .order_by(incidents.c.id)
        )
        rows = tuple(PageRow(load_incident(one.snapshot), one.revision) for one in connection.execute(query))
        return Turn(
            act=act,
            lease=lease,
            message=message,
            one=None,
            revision=0,
            rows=rows,
            tally=page_rows.tally(connection, message.channel, self._database.now_sql()),
            began_at=row.now,
            **known,
        )


def _known(row: Any, settled: datetime | None = None) -> dict[str, Any]:
    """Of `looks.of_page`: what a turn says of the page's look."""
    return {"shown_hash": row.shown_hash, "in_doubt": looks.is_in_doubt(row, settled)}


def _state(channel: Channel) -> Select[Any]:
    return select(channels.c.storm_since, channels.c.calm_since).where(page_rows.is_of(channels, channel))


def _pages(channel: Channel, among: Sequence[int] | None = None) -> Select[Any]:
    """Living pages of the channel; `among`: those of them that stand and are in no doubt."""
    query = select(messages.c.id).where(page_rows.is_of(messages, channel), storms_sql.is_living_page())
    if among is None:
        return query
    stands = and_(messages.c.ts.is_not(None), messages.c.posting_since.is_(None))
    return query.where(messages.c.id.in_(among), stands)
