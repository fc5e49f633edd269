"""What people asked for, remembered before Slack is answered: an accepted act survives whatever happens to
us.

    waiting ──start──► started ──finish──► done | failed
       │                  └── its holder died: looked up in PagerDuty, told, never repeated
       └── its holder died: run by whoever takes its lease within 2 minutes, afterwards only told (expired)

The key is Slack's own name for the act, so that Slack's repeats find it taken. The reply address is sealed:
whoever holds it can write to that person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from bot.model import SlackUser
from bot.store import audit
from bot.store.batcher import Batcher
from bot.store.database import Database
from bot.store.sealing import Sealer
from bot.store.tables import intents
from bot.store.upsert import insert_into

YOUNG_SECONDS = 120.0  # older than this, nobody expects it to happen any more
WAITING, STARTED, DONE, FAILED, EXPIRED = "waiting", "started", "done", "failed", "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIntent:
    """One act as it reached us; ids are Slack's, `fields` a form's values."""

    key: str
    user: SlackUser
    surface: str
    verb: str
    words: str
    channel_id: str = ""
    thread_ts: str | None = None
    message_ts: str | None = None
    fields: Mapping[str, str] | None = None
    response_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A stored one. `fence` counts its holders: only the present one may go on. `is_young` by the database's
    clock.
    """

    id: int
    new: NewIntent
    state: str
    fence: int
    created_at: datetime
    is_young: bool


class Intents:
    """The `intents` table; `holder` names this process, `lease` is in seconds."""

    def __init__(
        self, database: Database, batcher: Batcher, sealer: Sealer, *, holder: str, lease: float = 20.0
    ) -> None:
        self._database = database
        self._batcher = batcher
        self._sealer = sealer
        self._holder = holder
        self._lease = lease

    async def store(self, new: NewIntent) -> Intent | None:
        """Commit it, together with whatever else waits; None when this key is there already: Slack repeats
        itself.

        Raises StoreUnavailable.
        """
        return await self._batcher.submit(self, new)

    # As a group of the batcher ------------------------------------------------------------------------

    def take(self, connection: Connection, items: Sequence[NewIntent]) -> list[Intent | None]:
        """Insert these; of two with one key the first counts."""
        statement = (
            insert_into(intents, self._database.dialect)
            .values(
                state=WAITING,
                holder=self._holder,
                fence=0,
                lease_until=self._until(),
                created_at=self._database.now_sql(),
                expires_at=self._database.now_sql(YOUNG_SECONDS),
            )
            .on_conflict_do_nothing(index_elements=[intents.c.key])
            .returning(intents.c.id, intents.c.key, intents.c.created_at)
        )
        unique = {new.key: new for new in reversed(items)}
        rows = connection.execute(statement, [self._values(new) for new in unique.values()])
        stored = {row.key: row for row in rows}
        taken: list[Intent | None] = []
        for new in items:
            row = stored.pop(new.key, None)
            taken.append(
                None
                if row is None
                else Intent(
                    id=row.id, new=new, state=WAITING, fence=0, created_at=row.created_at, is_young=True
                )
            )
        return taken

    def rescue(self, connection: Connection, item: NewIntent, error: Exception) -> Intent | None:
        """Nothing of an intent can be saved when it cannot be saved whole."""
        raise error

    def committed(self, items: Sequence[NewIntent], results: Sequence[Intent | None]) -> None:
        """Whoever stored it runs it: nobody needs a hint."""

    async def start(self, intent: Intent, entry: audit.Entry | None) -> bool:
        """The act begins now: on record before it happens. False when somebody else took it over."""
        async with self._database.write() as connection:
            row = await connection.execute(
                update(intents)
                .where(intents.c.id == intent.id, intents.c.state == WAITING, self._is_ours(intent))
                .values(state=STARTED, started_at=self._database.now_sql(), lease_until=self._until())
                .returning(intents.c.id)
            )
            if row.first() is None:
                return False
            if entry is not None:
                await audit.begin(connection, self._database, entry)
            return True

    async def finish(
        self,
        intent: Intent,
        state: str,
        outcome: str,
        *,
        subjects: Sequence[str] = (),
        detail: str = "",
        request_id: str | None = None,
    ) -> bool:
        """It ended; `outcome` is one word, `detail` the answer's plain text. False when it was not ours any
        more.
        """
        async with self._database.write() as connection:
            row = await connection.execute(
                update(intents)
                .where(
                    intents.c.id == intent.id,
                    intents.c.state.in_((WAITING, STARTED)),
                    self._is_ours(intent),
                )
                .values(
                    state=state, finished_at=self._database.now_sql(), outcome=detail[:500], response_url=None
                )
                .returning(intents.c.id)
            )
            if row.first() is None:
                return False
            await audit.end(
                connection,
                self._database,
                intent.id,
                outcome,
                subjects=subjects,
                detail=detail,
                request_id=request_id,
            )
            return True

    async def renew(self, ids: Sequence[int]) -> None:
        """We are still at these."""
        if ids:
            async with self._database.write() as connection:
                await connection.execute(
                    update(intents)
                    .where(intents.c.id.in_(list(ids)), intents.c.holder == self._holder)
                    .values(lease_until=self._until())
                )

    async def take_interrupted(self, limit: int = 20, *, all_of_them: bool = False) -> list[Intent]:
        """Those whose holder is gone, now ours; oldest first. `all_of_them`: whoever held them (at the start
        of the only process there is).
        """
        open_ones = intents.c.state.in_((WAITING, STARTED))
        lapsed = or_(intents.c.lease_until.is_(None), intents.c.lease_until < self._database.now_sql())
        if all_of_them:
            lapsed = intents.c.holder != self._holder
        async with self._database.read() as connection:
            found = (
                (
                    await connection.execute(
                        select(intents.c.id).where(open_ones, lapsed).order_by(intents.c.id).limit(limit)
                    )
                )
                .scalars()
                .all()
            )
        if not found:
            return []
        async with self._database.write() as connection:
            rows = await connection.execute(
                update(intents)
                .where(intents.c.id.in_(found), open_ones, lapsed)
                .values(holder=self._holder, lease_until=self._until(), fence=intents.c.fence + 1)
                .returning(intents, (intents.c.expires_at > self._database.now_sql()).label("is_young"))
            )
            return [self._intent(row) for row in sorted(rows, key=lambda row: row.id)]

    async def state_of(self, key: str) -> str | None:
        """How an act stands, by Slack's key; None when it never reached us."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(intents.c.state).where(intents.c.key == key))
            return rows.scalar_one_or_none()

    # ------------------------------------------------------------------------------------------------ inside

    def _until(self) -> Any:
        return self._database.now_sql(self._lease)

    def _is_ours(self, intent: Intent) -> Any:
        return (intents.c.fence == intent.fence) & (intents.c.holder == self._holder)

    def _values(self, new: NewIntent) -> dict[str, Any]:
        return {
            "key": new.key,
            "team_id": new.user.team_id,
            "user_id": new.user.id,
            "channel_id": new.channel_id or None,
            "thread_ts": new.thread_ts,
            "message_ts": new.message_ts,
            "surface": new.surface,
            "verb": new.verb,
            "words": new.words,
            "fields": json.dumps(dict(new.fields)) if new.fields is not None else None,
            "response_url": self._sealer.seal(new.response_url) if new.response_url else None,
        }

    def _intent(self, row: Row[Any]) -> Intent:
        return Intent(
            id=row.id,
            new=NewIntent(
                key=row.key,
                user=SlackUser(row.team_id, row.user_id),
                surface=row.surface,
                verb=row.verb,
                words=row.words,
                channel_id=row.channel_id or "",
                thread_ts=row.thread_ts,
                message_ts=row.message_ts,
                fields=json.loads(row.fields) if row.fields else None,
                response_url=self._sealer.open(row.response_url) if row.response_url else None,
            ),
            state=row.state,
            fence=row.fence,
            created_at=row.created_at,
            is_young=bool(row.is_young),
        )
