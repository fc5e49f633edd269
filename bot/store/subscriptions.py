"""Which channel follows what, and which of these wishes cannot be fulfilled at the moment.

A change of the rules and the saving of incidents wait for each other (`Followers.serialise`): an incident
that comes while a channel subscribes is seen by one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from bot.model import Channel, Incident, Subscription
from bot.store.columns import moment
from bot.store.database import Database
from bot.store.followers import Followers, as_subscription
from bot.store.incident_rows import IncidentRows
from bot.store.incidents import OPEN
from bot.store.outages import until_no_deadlock
from bot.store.saving import marked
from bot.store.snapshots import load_incident, storable
from bot.store.tables import channels, incidents, messages, subscriptions
from bot.store.upsert import insert_into
from bot.store.wake import Wake

REASON_LENGTH = 200
LONGEST_SAVING = timedelta(seconds=10)

Result = TypeVar("Result")


class Subscriptions:
    """The `subscriptions` table, and which channels Slack has closed to us."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._database = database
        self._wake = wake
        self._rows = IncidentRows(database)
        self._followers = Followers(database)

    async def add(
        self,
        sub: Subscription,
        *,
        incidents: Sequence[Incident] = (),
        since: datetime | None = None,
        listed: Collection[str] = (),
    ) -> Subscription:
        """Follow it; the same channel and target again replaces the filters.

        The open ones of `incidents` that match are shown at once, mentioning nobody: they are no news.
        `since`: so are those first heard of after this moment of the database's clock (when the list of open
        incidents was asked for), but for the `listed` ids; these are news.
        """
        clean = storable(sub)
        if await self._is_broken(clean.channel):
            # Whoever asks for it here and now says that the channel is fit for messages again.
            await self.mend(clean.channel, probing=True)

        def put(connection: Connection) -> tuple[Subscription, bool]:
            chosen = [one for one in incidents if one.is_open and clean.matches(one)]
            news: list[Incident] = []
            self._hear_of(connection, chosen)
            self._followers.serialise(connection, changing=True)
            stored = self._put(connection, clean)
            if since is not None:
                heard = self._open_since(connection, since)
                news = [one for one in heard if one.id not in listed and clean.matches(one)]
            rows = [(clean.channel, one.id, False) for one in chosen]
            rows += [(clean.channel, one.id, clean.mention) for one in news]
            self._followers.insert(connection, rows)
            return stored, bool(rows)

        stored, shows = await self._change(put)
        if shows:
            self._wake.notify("delivery")
            self._wake.notify("stale")
        return stored

    async def remove(self, channel: Channel, kind: str, target_id: str) -> bool:
        """Follow it no longer; False when it was not followed. Messages that are there stay true."""

        def drop(connection: Connection) -> bool:
            self._followers.serialise(connection, changing=True)
            gone = connection.execute(
                delete(subscriptions).where(
                    _of(channel), subscriptions.c.kind == kind, subscriptions.c.target_id == target_id
                )
            )
            return bool(gone.rowcount)

        return await self._change(drop)

    async def of_channel(self, channel: Channel) -> list[Subscription]:
        """What the channel follows, in the order it was asked for."""
        return await self._load(_of(channel))

    async def all(self) -> list[Subscription]:
        """Everything that is followed anywhere."""
        return await self._load(subscriptions.c.id.is_not(None))

    async def mark_broken(
        self, channel: Channel, reason: str, *, alike: Collection[str] = ()
    ) -> list[Subscription]:
        """Slack refuses the channel: nothing is written there until `mend`. Returns those broken only now, so
        that their makers are told once.

        `alike`: reasons that say the same as this one. Whose makers were told of one of them are not among
        those returned when nothing was posted in the channel since: it was opened only to try.
        """
        now = self._database.now_sql()
        closed = insert_into(channels, self._database.dialect).values(
            team_id=channel.team_id, channel_id=channel.id, closed_since=now
        )

        def break_(connection: Connection) -> list[Subscription]:
            self._followers.serialise(connection, changing=True)
            connection.execute(
                closed.on_conflict_do_update(
                    index_elements=[channels.c.team_id, channels.c.channel_id],
                    set_={"closed_since": now},
                    where=channels.c.closed_since.is_(None),
                )
            )
            newest = _newest_post(connection, channel)
            whole = and_(_of(channel), subscriptions.c.broken_since.is_(None))
            told = [
                row.id
                for row in connection.execute(select(subscriptions).where(whole))
                if row.told_at is not None
                and row.broken_reason in alike
                and (newest is None or newest <= row.told_at)
            ]
            connection.execute(
                update(subscriptions)
                .where(whole, subscriptions.c.id.not_in(told))
                .values(told_at=newest or now)
            )
            rows = connection.execute(
                update(subscriptions)
                .where(whole)
                .values(broken_since=now, broken_reason=storable(reason)[:REASON_LENGTH])
                .returning(subscriptions)
            )
            broken = [as_subscription(row) for row in rows if row.id not in told]
            return sorted(broken, key=lambda one: one.id or 0)

        return await self._change(break_)

    async def mend(self, channel: Channel, *, probing: bool = False) -> list[Subscription]:
        """The channel takes messages again: what is open is shown and kept true from now on. Returns the
        subscriptions that were broken.

        `probing`: nobody has said so, the next post is to find out. What their makers were told stays known.
        """

        def mend(connection: Connection) -> list[Subscription]:
            self._followers.serialise(connection, changing=True)
            connection.execute(
                update(channels)
                .where(channels.c.team_id == channel.team_id, channels.c.channel_id == channel.id)
                .values(closed_since=None)
            )
            broken = connection.execute(
                select(subscriptions)
                .where(_of(channel), subscriptions.c.broken_since.is_not(None))
                .order_by(subscriptions.c.id)
            )
            mended = [as_subscription(row) for row in broken]
            forgotten = {} if probing else {"broken_reason": None, "told_at": None}
            connection.execute(
                update(subscriptions).where(_of(channel)).values(broken_since=None, **forgotten)
            )
            self._catch_up(connection, channel, mended)
            return mended

        mended = await self._change(mend)
        self._wake.notify("delivery")
        return mended

    # ------------------------------------------------------------------------------------------------- inside

    async def _is_broken(self, channel: Channel) -> bool:
        broken = select(subscriptions.c.id).where(_of(channel), subscriptions.c.broken_since.is_not(None))
        async with self._database.read() as connection:
            return (await connection.execute(broken.limit(1))).first() is not None

    async def _change(self, work: Callable[[Connection], Result]) -> Result:
        return await until_no_deadlock(lambda: self._database.transact(work))

    def _put(self, connection: Connection, sub: Subscription) -> Subscription:
        values = {
            "team_id": sub.channel.team_id,
            "channel_id": sub.channel.id,
            "kind": sub.kind.value,
            "target_id": sub.target.id if sub.target else "",
            "target_name": sub.target.name if sub.target else "",
            "urgencies": ",".join(sorted(urgency.value for urgency in sub.urgencies)),
            "priorities": "\n".join(sorted(" ".join(name.split()) for name in sub.priorities)),
            "mention": sub.mention,
            "made_by": sub.made_by,
        }
        replaced = ("target_name", "urgencies", "priorities", "mention", "made_by")
        insert = insert_into(subscriptions, self._database.dialect).values(
            made_at=self._database.now_sql(), **values
        )
        put = connection.execute(
            insert.on_conflict_do_update(
                index_elements=["team_id", "channel_id", "kind", "target_id"],
                # Whoever asks for it now was told nothing yet.
                set_={**{name: values[name] for name in replaced}, "told_at": None},
            ).returning(subscriptions)
        )
        return as_subscription(put.one())

    def _hear_of(self, connection: Connection, chosen: Sequence[Incident]) -> None:
        """Those nobody has saved a reading of are known from here on, and read soon."""
        known = self._rows.lock(connection, (one.id for one in chosen))
        unseen = [incident_id for incident_id, one in known.items() if one.snapshot is None]
        self._rows.save(connection, known, [marked(known[incident_id]) for incident_id in unseen])

    def _open_since(self, connection: Connection, since: datetime) -> list[Incident]:
        """Open ones that are new since then, or may have come to match by their news."""
        heard_of = or_(incidents.c.heard_at >= since, incidents.c.accepted_at >= since)
        found = connection.execute(select(incidents.c.snapshot).where(incidents.c.status.in_(OPEN), heard_of))
        return [load_incident(snapshot) for snapshot in found.scalars()]

    def _catch_up(self, connection: Connection, channel: Channel, mended: Sequence[Subscription]) -> None:
        here = and_(messages.c.team_id == channel.team_id, messages.c.channel_id == channel.id)
        resolved = select(incidents.c.id).where(incidents.c.status.not_in(OPEN))
        # Never shown, and over by now: there is nothing left to tell.
        connection.execute(
            update(messages)
            .where(
                here,
                messages.c.ts.is_(None),
                messages.c.posting_since.is_(None),
                messages.c.incident_id.in_(resolved),
            )
            .values(gone=self._database.now_sql())
        )
        if mended:
            since = min(one.broken_since for one in mended if one.broken_since is not None)
            # A saver notes the moment before it waits for a change of the rules (`Followers.serialise`).
            missed = self._open_since(connection, since - LONGEST_SAVING)
            self._followers.insert(
                connection,
                (
                    (channel, incident.id, any(one.mention for one in matching))
                    for incident in missed
                    if (matching := [one for one in mended if one.matches(incident)])
                ),
            )

    async def _load(self, where: ColumnElement[bool]) -> list[Subscription]:
        async with self._database.read() as connection:
            rows = await connection.execute(select(subscriptions).where(where).order_by(subscriptions.c.id))
            return [as_subscription(row) for row in rows]


def _of(channel: Channel) -> ColumnElement[bool]:
    return and_(subscriptions.c.team_id == channel.team_id, subscriptions.c.channel_id == channel.id)


def _newest_post(connection: Connection, channel: Channel) -> datetime | None:
    """Slack's clock: when the newest message that stands in the channel was posted. Thread lines do not
    count: there are channels that take nothing else.
    """
    here = and_(messages.c.team_id == channel.team_id, messages.c.channel_id == channel.id)
    newest = connection.execute(select(func.max(messages.c.ts)).where(here)).scalar_one()
    return None if newest is None else moment(float(newest))
