"""Who did what in PagerDuty through this bot: written before the act, completed after it.

A row without an outcome began and its end is not known. What never began (refused, expired) gets its row when
that is told. Written in the same transaction as the intent's own change of state (bot/store/intents.py), so
that the two never disagree; read back by bot/store/audit_reading.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Insert, Update, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from bot.store.database import Database
from bot.store.people_tables import audit
from bot.store.snapshots import storable

LONGEST_WAIT = 20 * 60.0  # seconds from being accepted to being done


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act. `identity` is how the person acted: email, oauth or events; none where nothing was done in
    PagerDuty.
    """

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


def begin_statement() -> ReturningInsert[Any]:
    """Writes down that an act begins; executed with `as_row`."""
    return insert(audit).values(subjects="").returning(audit.c.id)


def whole_statement(database: Database) -> Insert:
    """Writes down an act that never began, and why; executed with `as_row` and its end."""
    return insert(audit).values(done_at=database.now_sql())


def as_row(entry: Entry, accepted_at: datetime) -> dict[str, Any]:
    """The entry as the statements take it. `accepted_at`: the database's clock when Slack was answered."""
    return asdict(entry) | {"channel_id": entry.channel_id or None, "accepted_at": accepted_at}


BY_ID = audit.c.id
BY_INTENT = audit.c.intent_id  # of an act that another process began


def end_statement(database: Database, by: Column[Any]) -> Update:
    """Writes down how an act ended, `of` a row of its own or an intent."""
    return (
        update(audit)
        .where(by == bindparam("of"), audit.c.outcome.is_(None))
        .values(
            outcome=bindparam("new_outcome"),
            subjects=bindparam("new_subjects"),
            detail=bindparam("new_detail"),
            status=bindparam("new_status"),
            request_id=bindparam("new_request_id"),
            calls=bindparam("new_calls"),
            done_at=database.now_sql(),
        )
    )


class Audit:
    """What commands ask of it: who did the same a moment ago; and what they add to it themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, entry: Entry, outcome: str, *, detail: str = "", seconds: float = 0.0) -> None:
        """Put on record what ended just now and was accepted so many seconds ago, and is no act in PagerDuty.
        Raises StoreUnavailable.
        """
        async with self._database.write() as connection:
            await self.note_in(connection, entry, outcome, detail=detail, seconds=seconds)

    async def note_in(
        self,
        connection: AsyncConnection,
        entry: Entry,
        outcome: str,
        *,
        detail: str = "",
        seconds: float = 0.0,
    ) -> None:
        """As `note`, in the caller's transaction."""
        values = asdict(storable(entry)) | {
            "channel_id": entry.channel_id or None,
            "accepted_at": self._database.now_sql(-seconds),
            "done_at": self._database.now_sql(),
            "outcome": outcome,
            "detail": storable(detail)[:500] or None,
        }
        await connection.execute(insert(audit).values(values))

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
                    # Found by its index; an act may have waited until its asker was linked.
                    audit.c.accepted_at >= self._database.now_sql(-seconds - LONGEST_WAIT),
                    audit.c.done_at >= self._database.now_sql(-seconds),
                )
                .order_by(audit.c.id.desc())
                .limit(200)
            )
            for user_id, done_at, words, subjects, now in rows:
                age = float(now) - done_at.timestamp()
                if subject in subjects.split(",") and age <= seconds:
                    return Recent(user_id, done_at, max(0.0, age), words)
        return None
