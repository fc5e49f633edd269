"""Rows for tests about what Slack shows, put into the tables directly: nothing else is needed."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Double, insert, literal, select, update

from bot.events import StoryLine
from bot.model import Channel, Incident, Priority, Reference, Status, Urgency
from bot.store.database import Database
from bot.store.schema import migrate
from bot.store.tables import channels, events, incidents, messages, shown, thread_lines

TEAM = "T0ACME"
NOON = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
CHECKOUT = Channel(TEAM, "C0CHECK")
SEARCH = Channel(TEAM, "C0SEARCH")
INCIDENT = TypeAdapter(Incident)
STORY_LINE = TypeAdapter(StoryLine)


class StillDatabase(Database):
    """Its clock moves only when a test moves `clock_offset`: how busy the machine is changes nothing."""

    def now_sql(self, plus: float = 0.0) -> ColumnElement[float]:
        return literal(NOON.timestamp() + self.clock_offset + plus, Double)


@asynccontextmanager
async def opened(url: str, kind: type[Database] = Database) -> AsyncIterator[Database]:
    """The database with its tables, closed afterwards."""
    database = await kind.open(url)
    try:
        await migrate(database)
        yield database
    finally:
        await database.close()


def an_incident(
    incident_id: str = "Q1",
    *,
    status: Status = Status.TRIGGERED,
    urgency: Urgency = Urgency.HIGH,
    priority: Priority | None = None,
    title: str = "Disk full",
    assignees: tuple[Reference, ...] = (Reference("PALICE1", "Alice Anderson"),),
) -> Incident:
    return Incident(
        id=incident_id,
        number=1234,
        title=title,
        status=status,
        urgency=urgency,
        service=Reference("PSVCCHK", "Checkout"),
        created_at=datetime(2026, 8, 1, 12, 0, tzinfo=UTC),
        priority=priority,
        assignees=assignees,
    )


class Seed:
    """Writes what other parts of the bot would write."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def incident(self, incident: Incident, *, touched: bool = False) -> None:
        """A newer state of it: the revision grows."""
        values: dict[str, Any] = {
            "status": incident.status.value,
            "urgency": incident.urgency.value,
            "priority_rank": incident.priority and incident.priority.rank,
            "snapshot": INCIDENT.dump_json(incident).decode(),
            "accepted_at": self.database.now_sql(),
            "touched": touched,
        }
        async with self.database.write() as connection:
            grown = await connection.execute(
                update(incidents)
                .where(incidents.c.id == incident.id)
                .values(revision=incidents.c.revision + 1, **values)
            )
            if not grown.rowcount:
                await connection.execute(insert(incidents).values(id=incident.id, revision=1, **values))

    async def message(
        self,
        incident_id: str = "Q1",
        channel: Channel = CHECKOUT,
        *,
        ts: str | None = None,
        shown_revision: int | None = None,
        posting_ago: float | None = None,
        **values: Any,
    ) -> int:
        """A row of `messages`, and of `shown` when it shows a revision; its id."""
        now = self.database.now_sql
        if posting_ago is not None:
            values["posting_since"] = now(-posting_ago)
        async with self.database.write() as connection:
            made = await connection.execute(
                insert(messages)
                .values(
                    team_id=channel.team_id,
                    channel_id=channel.id,
                    kind="incident",
                    incident_id=incident_id,
                    ts=ts,
                    **{"made_at": now(), **values},
                )
                .returning(messages.c.id)
            )
            row = int(made.scalar_one())
            if shown_revision is not None:
                await connection.execute(
                    insert(shown).values(
                        message_id=row,
                        incident_id=incident_id,
                        revision=shown_revision,
                        hash="looks",
                        shown_at=now(),
                    )
                )
        return row

    async def messages(self, incident_ids: Iterable[str], channel: Channel = CHECKOUT) -> None:
        """Rows of `messages` for all of these in one moment, as in a storm: nobody sees only some."""
        values = {"team_id": channel.team_id, "channel_id": channel.id, "kind": "incident"}
        async with self.database.write() as connection:
            made_at = (await connection.execute(select(self.database.now_sql()))).scalar_one()
            await connection.execute(
                insert(messages),
                [{**values, "incident_id": one, "made_at": made_at} for one in incident_ids],
            )

    async def line(self, message_id: int, story: StoryLine, incident_id: str = "Q1", **values: Any) -> int:
        """An event and its thread line below a message; the event's id."""
        async with self.database.write() as connection:
            made = await connection.execute(
                insert(events)
                .values(
                    event_id=f"E-{secrets.token_hex(6)}",
                    type=f"incident.{story.kind}",
                    incident_id=incident_id,
                    occurred_at=story.at,
                    received_at=self.database.now_sql(),
                    applied=True,
                    line=STORY_LINE.dump_json(story).decode(),
                    raw="{}",
                )
                .returning(events.c.id)
            )
            event = int(made.scalar_one())
            await connection.execute(
                insert(thread_lines).values(message_id=message_id, event_id=event, **values)
            )
        return event

    async def close(self, channel: Channel = CHECKOUT) -> None:
        async with self.database.write() as connection:
            await connection.execute(
                insert(channels).values(
                    team_id=channel.team_id, channel_id=channel.id, closed_since=self.database.now_sql()
                )
            )

    async def row(self, message_id: int) -> Any:
        """The row as it is now."""
        async with self.database.read() as connection:
            return (await connection.execute(select(messages).where(messages.c.id == message_id))).one()

    async def line_row(self, message_id: int, event_id: int) -> Any:
        async with self.database.read() as connection:
            query = select(thread_lines).where(
                thread_lines.c.message_id == message_id, thread_lines.c.event_id == event_id
            )
            return (await connection.execute(query)).one()

    async def shown(self, message_id: int) -> tuple[int, str] | None:
        """Revision and hash that the message shows."""
        async with self.database.read() as connection:
            query = select(shown.c.revision, shown.c.hash).where(shown.c.message_id == message_id)
            found = (await connection.execute(query)).first()
            return None if found is None else (found.revision, found.hash)


def acknowledged(incident: Incident) -> Incident:
    return replace(incident, status=Status.ACKNOWLEDGED)


def resolved(incident: Incident) -> Incident:
    return replace(incident, status=Status.RESOLVED)


def a_line(kind: str = "reopened", *, broadcast: bool = False) -> StoryLine:
    return StoryLine(
        kind=kind,
        at=datetime(2026, 8, 1, 12, 5, tzinfo=UTC),
        by="Bob Brown",
        in_thread=True,
        broadcast=broadcast,
    )
