"""Which channel follows what, and which of these wishes cannot be fulfilled at the moment.

A change of the rules and the saving of incidents wait for each other (`wanting.serialise`): an incident
that comes while a channel subscribes is seen by one of the two.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Channel, Incident, Subscription
from bot.store import incident_rows
from bot.store.database import Database
from bot.store.incidents import OPEN
from bot.store.outages import until_no_deadlock
from bot.store.saving import marked
from bot.store.snapshots import load_incident, storable
from bot.store.tables import channels, incidents, messages, subscriptions
from bot.store.upsert import insert_into
from bot.store.wake import Wake
from bot.store.wanting import as_subscription, insert_rows, serialise

REASON_LENGTH = 200


class Subscriptions:
    """The `subscriptions` table, and which channels Slack has closed to us."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def add(
        self,
        sub: Subscription,
        *,
        incidents: Sequence[Incident] = (),
        since: datetime | None = None,
        listed: Collection[str] = (),
    ) -> Subscription:
        """Follow it; the same channel and target again replaces the filters.

        The open ones of `incidents` that match are shown at once. `since`: so are those first heard of
        after this moment of the database's clock (when the list of open incidents was asked for), but
        for the `listed` ids.
        """
        clean = storable(sub)
        stored, shows = await until_no_deadlock(lambda: self._add(clean, incidents, since, listed))
        if shows:
            self._wake.notify("delivery")
            self._wake.notify("stale")
        return stored

    async def _add(
        self,
        sub: Subscription,
        offered: Sequence[Incident],
        since: datetime | None,
        listed: Collection[str],
    ) -> tuple[Subscription, bool]:
        chosen = [one for one in offered if one.is_open and sub.matches(one)]
        async with self._database.write() as connection:
            await self._hear_of(connection, chosen)
            await serialise(connection, self._database, changing=True)
            stored = await self._put(connection, sub)
            if since is not None:
                heard = await self._open_since(connection, since)
                chosen += [one for one in heard if one.id not in listed and sub.matches(one)]
            await insert_rows(
                connection, self._database, ((sub.channel, one.id, sub.mention) for one in chosen)
            )
        return stored, bool(chosen)

    async def remove(self, channel: Channel, kind: str, target_id: str) -> bool:
        """Follow it no longer; False when it was not followed. Messages that are there stay true."""
        async with self._database.write() as connection:
            await serialise(connection, self._database, changing=True)
            gone = await connection.execute(
                delete(subscriptions).where(
                    _of(channel), subscriptions.c.kind == kind, subscriptions.c.target_id == target_id
                )
            )
            return bool(gone.rowcount)

    async def of_channel(self, channel: Channel) -> list[Subscription]:
        """What the channel follows, in the order it was asked for."""
        return await self._load(_of(channel))

    async def of_team(self, team_id: str) -> list[Subscription]:
        """Everything that is followed in the workspace."""
        return await self._load(subscriptions.c.team_id == team_id)

    async def all(self) -> list[Subscription]:
        """Everything that is followed anywhere."""
        return await self._load(subscriptions.c.id.is_not(None))

    async def mark_broken(self, channel: Channel, reason: str) -> list[Subscription]:
        """Slack refuses the channel: nothing is written there until `mend`. Returns those broken only
        now, so that their makers are told once.
        """
        now = self._database.now_sql()
        async with self._database.write() as connection:
            await serialise(connection, self._database, changing=True)
            closed = insert_into(channels, self._database.dialect).values(
                team_id=channel.team_id, channel_id=channel.id, closed_since=now
            )
            await connection.execute(
                closed.on_conflict_do_update(
                    index_elements=[channels.c.team_id, channels.c.channel_id],
                    set_={"closed_since": now},
                    where=channels.c.closed_since.is_(None),
                )
            )
            rows = await connection.execute(
                update(subscriptions)
                .where(_of(channel), subscriptions.c.broken_since.is_(None))
                .values(broken_since=now, broken_reason=storable(reason)[:REASON_LENGTH], told_at=now)
                .returning(subscriptions)
            )
            return sorted(map(as_subscription, rows), key=lambda one: one.id or 0)

    async def mend(self, channel: Channel) -> list[Subscription]:
        """The channel takes messages again: what is open is shown and kept true from now on. Returns the
        subscriptions that were broken.
        """
        async with self._database.write() as connection:
            await serialise(connection, self._database, changing=True)
            await connection.execute(
                update(channels)
                .where(channels.c.team_id == channel.team_id, channels.c.channel_id == channel.id)
                .values(closed_since=None)
            )
            broken = await connection.execute(
                select(subscriptions)
                .where(_of(channel), subscriptions.c.broken_since.is_not(None))
                .order_by(subscriptions.c.id)
            )
            mended = [as_subscription(row) for row in broken]
            await connection.execute(
                update(subscriptions)
                .where(_of(channel))
                .values(broken_since=None, broken_reason=None, told_at=None)
            )
            await self._catch_up(connection, channel, mended)
        self._wake.notify("delivery")
        return mended

    # ------------------------------------------------------------------------------------------------- inside

    async def _put(self, connection: AsyncConnection, sub: Subscription) -> Subscription:
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
        put = await connection.execute(
            insert.on_conflict_do_update(
                index_elements=["team_id", "channel_id", "kind", "target_id"],
                set_={name: values[name] for name in replaced},
            ).returning(subscriptions)
        )
        return as_subscription(put.one())

    async def _hear_of(self, connection: AsyncConnection, chosen: Sequence[Incident]) -> None:
        """Those nobody has saved a reading of are known from here on, and read soon."""
        known = await incident_rows.lock(connection, self._database, (one.id for one in chosen))
        unseen = [incident_id for incident_id, one in known.items() if one.snapshot is None]
        await incident_rows.save(connection, known, [marked(known[incident_id]) for incident_id in unseen])

    async def _open_since(self, connection: AsyncConnection, since: datetime) -> list[Incident]:
        found = await connection.execute(
            select(incidents.c.snapshot).where(incidents.c.status.in_(OPEN), incidents.c.heard_at >= since)
        )
        return [load_incident(snapshot) for snapshot in found.scalars()]

    async def _catch_up(
        self, connection: AsyncConnection, channel: Channel, mended: Sequence[Subscription]
    ) -> None:
        here = and_(messages.c.team_id == channel.team_id, messages.c.channel_id == channel.id)
        resolved = select(incidents.c.id).where(incidents.c.status.not_in(OPEN))
        # Never shown, and over by now: there is nothing left to tell.
        await connection.execute(
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
            missed = await self._open_since(connection, since)
            await insert_rows(
                connection,
                self._database,
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
