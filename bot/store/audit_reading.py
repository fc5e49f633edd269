"""The audit read back: the newest acts for a person (`/pager audit`), all of them for a machine
(`python -m bot audit`).

A stream is read page by page, each page a query of its own, so that however much there is, little is held in
memory and no reader keeps the database busy.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Double, Row, and_, func, or_, select, type_coerce

from bot.model import MadeCall
from bot.store import made_calls
from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.people_tables import audit

PAGE = 500  # acts per query


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One row of the audit. All moments are the database's clock, UTC; ids are Slack's, but for `person_id`
    and `incident_ids`, which are PagerDuty's. `outcome` None: begun, and not known how it ended. `calls`:
    what PagerDuty was asked for it, in the order of its answers.
    """

    id: int
    accepted_at: datetime
    done_at: datetime | None
    team_id: str
    user_id: str
    person_id: str | None
    identity: str
    surface: str
    channel_id: str | None
    verb: str
    words: str
    incident_ids: tuple[str, ...]
    outcome: str | None
    detail: str | None
    status: int | None
    request_id: str | None
    calls: tuple[MadeCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which acts; every field narrows, empty means any. `since` (included) and `until` (not) are aware;
    `who` is a Slack or a PagerDuty user id.
    """

    since: datetime | None = None
    until: datetime | None = None
    team_id: str = ""
    who: str = ""
    verb: str = ""
    identity: str = ""
    but: str = ""  # acts that ended so are left out


class AuditReading:
    """Reads the `audit` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self) -> datetime:
        """The database's clock, which acts are dated by."""
        return await self._database.now()

    async def newest(self, wanted: Wanted, limit: int) -> list[Act]:
        """The last `limit` acts, newest first."""
        query = (
            select(audit)
            .where(*_conditions(wanted))
            .order_by(audit.c.accepted_at.desc(), audit.c.id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_act(row) for row in await connection.execute(query)]

    async def count(self, wanted: Wanted) -> int:
        """How many acts there are."""
        query = select(func.count()).select_from(audit).where(*_conditions(wanted))
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def stream(self, wanted: Wanted, *, page: int = PAGE) -> AsyncGenerator[Act, None]:
        """Every act, oldest first, `page` of them in memory at a time."""
        at = type_coerce(audit.c.accepted_at, Double)  # as stored: a datetime would round it
        query = (
            select(audit, at.label("place"))
            .where(*_conditions(wanted))
            .order_by(audit.c.accepted_at, audit.c.id)
            .limit(page)
        )
        after: tuple[ColumnElement[bool], ...] = ()
        while True:
            async with self._database.read() as connection:
                rows = (await connection.execute(query.where(*after))).all()
            for row in rows:
                yield _act(row)
            if len(rows) < page:
                return
            last = rows[-1]
            beyond = or_(at > last.place, and_(at == last.place, audit.c.id > last.id))
            after = (at >= last.place, beyond)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(audit.c.accepted_at >= type_coerce(wanted.since, Moment))
    if wanted.until is not None:
        found.append(audit.c.accepted_at < type_coerce(wanted.until, Moment))
    if wanted.team_id:
        found.append(audit.c.team_id == wanted.team_id)
    if wanted.who:
        found.append(or_(audit.c.user_id == wanted.who, audit.c.person_id == wanted.who))
    if wanted.verb:
        found.append(audit.c.verb == wanted.verb)
    if wanted.identity:
        found.append(audit.c.identity == wanted.identity)
    if wanted.but:
        found.append(or_(audit.c.outcome.is_(None), audit.c.outcome != wanted.but))
    return found


def _act(row: Row[Any]) -> Act:
    return Act(
        id=row.id,
        accepted_at=row.accepted_at,
        done_at=row.done_at,
        team_id=row.team_id,
        user_id=row.user_id,
        person_id=row.person_id,
        identity=row.identity,
        surface=row.surface,
        channel_id=row.channel_id,
        verb=row.verb,
        words=row.words,
        incident_ids=tuple(one for one in row.subjects.split(",") if one),
        outcome=row.outcome,
        detail=row.detail,
        status=row.status,
        request_id=row.request_id,
        calls=made_calls.read(row.calls),
    )
