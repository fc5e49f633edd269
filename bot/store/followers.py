"""Which channels are to show an incident: rows of `messages`, made in the transaction that saves it.

One row for each channel, however many of its rules match. A change of the rules waits for savers that are
under way, and savers for it (`serialise`), so that no incident slips between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Text, and_, exists, func, literal, or_, select
from sqlalchemy.sql.base import Executable

from bot.model import Channel, Incident, Reference, ScopeKind, Subscription, Urgency
from bot.store.database import Database
from bot.store.prepared import Prepared, as_table, in_lists
from bot.store.tables import messages, subscriptions
from bot.store.upsert import insert_into

KEY = ("team_id", "channel_id", "incident_id")
NEW = (*KEY, "mention")
RULES_LOCK = 0x5041_4753  # PostgreSQL advisory lock: shared by savers, exclusive to a change of the rules


class Followers:
    """Used inside a transaction (`Database.transact`)."""

    def __init__(self, database: Database) -> None:
        self._has_replicas = database.dialect == "postgresql"
        kind, target = subscriptions.c.kind, subscriptions.c.target_id
        self._rules = select(subscriptions).where(
            subscriptions.c.broken_since.is_(None),
            or_(
                kind == ScopeKind.ALL.value,
                and_(kind == ScopeKind.SERVICE.value, database.among(target, "services")),
                and_(kind == ScopeKind.TEAM.value, database.among(target, "teams")),
            ),
        )
        self._insert = Prepared(
            _all(database) if self._has_replicas else _each(database), database.dialect, NEW
        )

    def serialise(self, connection: Connection, *, changing: bool = False) -> None:
        """From here to the commit the rules stay (or, `changing`, are ours). Lock incidents before."""
        if self._has_replicas:
            connection.execute(_CHANGING if changing else _KEEPING)

    def make_rows(self, connection: Connection, wanted: Sequence[Incident]) -> None:
        """Rows for every channel that follows one of these open incidents, where there are none yet."""
        if not wanted:
            return
        self.serialise(connection)
        looked_for = {
            "services": sorted({incident.service.id for incident in wanted}),
            "teams": sorted({team.id for incident in wanted for team in incident.teams}),
        }
        rules = [as_subscription(row) for row in connection.execute(self._rules, looked_for)]
        rows: dict[tuple[Channel, str], bool] = {}
        for incident in wanted:
            for rule in rules:
                if rule.matches(incident):
                    key = (rule.channel, incident.id)
                    rows[key] = rows.get(key, False) or rule.mention
        self.insert(connection, ((channel, one, mention) for (channel, one), mention in rows.items()))

    def insert(self, connection: Connection, rows: Iterable[tuple[Channel, str, bool]]) -> None:
        """(channel, incident id, may its first post mention the assignee); rows that are there stay."""
        values = [
            {
                "team_id": channel.team_id,
                "channel_id": channel.id,
                "incident_id": incident_id,
                "mention": mention,
            }
            for channel, incident_id, mention in rows
        ]
        if values and self._has_replicas:
            self._insert.run(connection, in_lists(values, NEW))
        elif values:
            self._insert.run_many(connection, values)


def _each(database: Database) -> Executable:
    """For SQLite: run for every row."""
    return (
        insert_into(messages, "sqlite")
        .values(made_at=database.now_sql(), kind="incident")
        .on_conflict_do_nothing()
    )


def _all(database: Database) -> Executable:
    """For PostgreSQL: all rows in one go. Those that are there are left out first: at a conflict it would
    wait for whoever is writing to them.
    """
    new = as_table(messages, NEW)
    is_there = exists().where(*(messages.c[name] == new.c[name] for name in KEY))
    rows = select(*new.c, database.now_sql(), literal("incident", Text)).where(~is_there)
    return (
        insert_into(messages, "postgresql")
        .from_select([*NEW, "made_at", "kind"], rows)
        .on_conflict_do_nothing()
    )


_KEEPING = select(func.pg_advisory_xact_lock_shared(RULES_LOCK))
_CHANGING = select(func.pg_advisory_xact_lock(RULES_LOCK))


def as_subscription(row: Any) -> Subscription:
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
