"""Which channels are to show an incident: rows of `messages`, made in the transaction that saves it.

One row for each channel, however many of its rules match. A change of the rules waits for savers that
are under way, and savers for it (`serialise`), so that no incident slips between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Channel, Incident, Reference, ScopeKind, Subscription, Urgency
from bot.store.database import Database
from bot.store.tables import messages, subscriptions
from bot.store.upsert import insert_into

RULES_LOCK = 0x5041_4753  # PostgreSQL advisory lock: shared by savers, exclusive to a change of the rules


async def serialise(connection: AsyncConnection, database: Database, *, changing: bool = False) -> None:
    """From here to the commit the rules stay (or, `changing`, are ours). On SQLite the writer is alone
    anyway.
    """
    if database.dialect == "postgresql":
        take = func.pg_advisory_xact_lock if changing else func.pg_advisory_xact_lock_shared
        await connection.execute(select(take(RULES_LOCK)))


async def make_rows(connection: AsyncConnection, database: Database, wanted: Sequence[Incident]) -> None:
    """Rows for every channel that follows one of these open incidents, where there are none yet."""
    if not wanted:
        return
    await serialise(connection, database)
    rules = await connection.execute(
        select(subscriptions).where(subscriptions.c.broken_since.is_(None), _may_match(database, wanted))
    )
    following = [as_subscription(row) for row in rules]
    rows: dict[tuple[Channel, str], bool] = {}
    for incident in wanted:
        for rule in following:
            if rule.matches(incident):
                key = (rule.channel, incident.id)
                rows[key] = rows.get(key, False) or rule.mention
    await insert_rows(connection, database, ((*key, mention) for key, mention in rows.items()))


async def insert_rows(
    connection: AsyncConnection, database: Database, rows: Iterable[tuple[Channel, str, bool]]
) -> None:
    """(channel, incident id, may its first post mention the assignee); rows that are there already stay."""
    values = [
        {
            "team_id": channel.team_id,
            "channel_id": channel.id,
            "kind": "incident",
            "incident_id": incident_id,
            "mention": mention,
        }
        for channel, incident_id, mention in rows
    ]
    if values:
        insert = insert_into(messages, database.dialect).on_conflict_do_nothing()
        await connection.execute(insert.values(made_at=database.now_sql()), values)


def as_subscription(row: Row[Any]) -> Subscription:
    """A row of `subscriptions` as a value."""
    kind = ScopeKind(row.kind)
    return Subscription(
        channel=Channel(row.team_id, row.channel_id),
        kind=kind,
        target=None if kind is ScopeKind.ALL else Reference(row.target_id, row.target_name),
        urgencies=frozenset(Urgency(word) for word in row.urgencies.split(",") if word),
        priorities=frozenset(name for name in row.priorities.split("\n") if name),
        mention=bool(row.mention),
        made_by=row.made_by,
        id=row.id,
        broken_since=row.broken_since,
    )


def _may_match(database: Database, wanted: Sequence[Incident]) -> ColumnElement[bool]:
    services = sorted({incident.service.id for incident in wanted})
    teams = sorted({team.id for incident in wanted for team in incident.teams})
    kind, target = subscriptions.c.kind, subscriptions.c.target_id
    return or_(
        kind == ScopeKind.ALL.value,
        and_(kind == ScopeKind.SERVICE.value, database.among(target, services)),
        and_(kind == ScopeKind.TEAM.value, database.among(target, teams)),
    )
