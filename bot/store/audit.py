"""Who did what in PagerDuty through this bot: written before the act, completed after it.

A row without an outcome began and its end is not known. Written in the same transaction as the intent's own
change of state (bot/store/intents.py), so that the two never disagree.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Update, bindparam, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert

from bot.store.database import Database
from bot.store.people_tables import audit


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


def begin_statement(database: Database) -> ReturningInsert[Any]:
    """Writes down that an act begins; executed with `as_row`."""
    return insert(audit).values(subjects="", accepted_at=database.now_sql()).returning(audit.c.id)


def as_row(entry: Entry) -> dict[str, Any]:
    """The entry as the statement takes it."""
    return asdict(entry) | {"channel_id": entry.channel_id or None}


BY_ID = audit.c.id
BY_INTENT = audit.c.intent_id  # of an act that another process began: rare, and read without an index


def end_statement(database: Database, by: Column[Any]) -> Update:
    """Writes down how an act ended, `of` a row of its own or an intent."""
    return (
        update(audit)
        .where(by == bindparam("of"), audit.c.outcome.is_(None))
        .values(
            outcome=bindparam("new_outcome"),
            subjects=bindparam("new_subjects"),
            detail=bindparam("new_detail"),
            request_id=bindparam("new_request_id"),
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
