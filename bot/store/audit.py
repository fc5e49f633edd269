"""Who did what in PagerDuty through this bot: written before the act, completed after it.

A row without an outcome began and its end is not known. Written in the same transaction as the intent's own
change of state (bot/store/intents.py), so that the two never disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.tables import audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act. `identity` is how the person acted: email, oauth or account."""

    intent_id: int | None
    team_id: str
    user_id: str
    person_id: str | None
    identity: str
    surface: str
    channel_id: str
    verb: str
    words: str


@dataclass(frozen=True, slots=True)
class Recent:
    """An act that ended well, on one incident: by which Slack user, when (the database's clock, UTC)."""

    user_id: str
    at: datetime
    seconds_ago: float
    words: str


async def begin(connection: AsyncConnection, database: Database, entry: Entry) -> int:
    """Write down that it begins; returns the row's id."""
    row = await connection.execute(
        insert(audit)
        .values(
            intent_id=entry.intent_id,
            team_id=entry.team_id,
            user_id=entry.user_id,
            person_id=entry.person_id,
            identity=entry.identity,
            surface=entry.surface,
            channel_id=entry.channel_id or None,
            verb=entry.verb,
            words=entry.words,
            subjects="",
            accepted_at=database.now_sql(),
        )
        .returning(audit.c.id)
    )
    return int(row.scalar_one())


async def end(
    connection: AsyncConnection,
    database: Database,
    intent_id: int,
    outcome: str,
    *,
    subjects: Sequence[str] = (),
    detail: str = "",
    request_id: str | None = None,
) -> None:
    """Write down how it ended; `subjects` are the ids of the incidents it changed."""
    await connection.execute(
        update(audit)
        .where(audit.c.intent_id == intent_id, audit.c.outcome.is_(None))
        .values(
            outcome=outcome,
            subjects=",".join(subjects),
            detail=detail[:500] or None,
            request_id=request_id,
            done_at=database.now_sql(),
        )
    )


class Audit:
    """Reading it back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(self, verb: str, subject: str, seconds: float) -> Recent | None:
        """The newest act of this verb on this incident that ended well within the last `seconds`."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(
                    audit.c.user_id,
                    audit.c.done_at,
                    audit.c.words,
                    audit.c.subjects,
                    self._database.now_sql().label("now"),
                )
                .where(
                    audit.c.verb == verb,
                    audit.c.outcome == "done",
                    audit.c.accepted_at >= self._database.now_sql(-seconds - 60),
                )
                .order_by(audit.c.id.desc())
                .limit(200)
            )
            for user_id, done_at, words, subjects, now in rows:
                age = float(now) - done_at.timestamp()
                if subject in subjects.split(",") and age <= seconds:
                    return Recent(user_id, done_at, max(0.0, age), words)
        return None
