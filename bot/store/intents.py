"""What people asked for, remembered before Slack is answered: an accepted act outlives our process.

    waiting ──start──► started ──finish──► done | failed
     ▲ │                  └── its holder died: looked up in PagerDuty, told, never repeated
     │ └── its holder died: run by whoever takes its lease within 2 minutes, afterwards only told (expired)
     └── linking: its asker has to link first; kept for 15 minutes, afterwards only told (expired)

The key is Slack's own name for the act, so that Slack's repeats find it taken. The reply address is sealed:
whoever holds it can write to that person.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, or_, select, update

from bot.model import MadeCall, SlackUser
from bot.store.audit import Entry
from bot.store.batcher import Batcher
from bot.store.database import Database
from bot.store.intent_steps import (
    LINKING,
    STARTED,
    WAITING,
    YOUNG_SECONDS,
    Finish,
    Finishing,
    Intent,
    NewIntent,
    Start,
    Starting,
    Storing,
)
from bot.store.people_tables import accounts, intents
from bot.store.sealing import Sealer, Unsealable
from bot.store.snapshots import storable


class Intents:
    """The `intents` table; `holder` names this process, `lease` is in seconds, `timer` gives monotonic ones,
    which go on while the process is frozen.
    """

    def __init__(
        self,
        database: Database,
        batcher: Batcher,
        sealer: Sealer,
        *,
        holder: str,
        lease: float = 20.0,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._batcher = batcher
        self._sealer = sealer
        self._holder = holder
        self._lease = lease
        self._timer = timer
        self._held: dict[int, tuple[int, float]] = {}  # begun here: the fence, and when by `timer` it lapses
        self._records: dict[int, int] = {}  # intents begun here: their rows in the audit
        self._storing = Storing(database, sealer, holder=holder, lease=lease)
        self._starting = Starting(database, holder=holder, lease=lease)
        self._finishing = Finishing(database, holder=holder)

    async def store(self, new: NewIntent) -> Intent | None:
        """Commit it, together with whatever else waits; None when this key is there already: Slack repeats
        itself.

        Raises StoreUnavailable.
        """
        return await self._batcher.submit(self._storing, storable(new))

    async def start(self, intent: Intent, entry: Entry | None) -> bool:
        """The act begins now: on record before it happens. False when somebody else took it over."""
        # The database counts from when it gets to it, which is later: what we think is ours, nobody may take.
        lapses = self._timer() + self._lease
        started = await self._batcher.submit(self._starting, Start(intent, storable(entry)))
        if started is not None:
            self._held[intent.id] = (intent.fence, lapses)
        if started is not None and started.record is not None:
            self._records[intent.id] = started.record
        return started is not None

    async def finish(
        self,
        intent: Intent,
        state: str,
        outcome: str,
        *,
        subjects: Sequence[str] = (),
        detail: str = "",
        status: int | None = None,
        request_id: str | None = None,
        calls: Sequence[MadeCall] = (),
        identity: str | None = None,
        words: str | None = None,
    ) -> bool:
        """It ended; `outcome` is one word, `detail` the answer's plain text; the rest as `Finish` has it.
        False when it was not ours any more.
        """
        ended = Finish(
            record=self._records.get(intent.id),
            intent=intent,
            state=state,
            outcome=outcome,
            subjects=subjects,
            detail=storable(detail),
            status=status,
            request_id=request_id,
            calls=calls,
            identity=identity,
            words=None if words is None else storable(words),
        )
        ours = await self._batcher.submit(self._finishing, ended)
        # Not before: with the database away it is said again, of the same row in the audit.
        self._held.pop(intent.id, None)
        self._records.pop(intent.id, None)
        return ours

    async def renew(self, ids: Sequence[int]) -> None:
        """We are still at these."""
        if not ids:
            return
        lapses = self._timer() + self._lease
        async with self._database.write() as connection:
            rows = await connection.execute(
                update(intents)
                .where(intents.c.id.in_(list(ids)), intents.c.holder == self._holder)
                .values(lease_until=self._until())
                .returning(intents.c.id, intents.c.fence)
            )
            renewed = [(row.id, row.fence) for row in rows]
        for ident, fence in renewed:
            held = self._held.get(ident)
            if held is not None and held[0] == fence:
                self._held[ident] = (fence, lapses)

    def is_held(self, intent: Intent) -> bool:
        """Whether what we began is still ours without a doubt; once it was not, it never is again. Asks
        nobody, so that no time goes by between the answer and what is done on it.
        """
        held = self._held.get(intent.id)
        if held is not None and held[0] == intent.fence and self._timer() < held[1]:
            return True
        self._held.pop(intent.id, None)
        return False

    async def take_interrupted(self, limit: int = 20, *, all_of_them: bool = False) -> list[Intent]:
        """Those whose holder is gone, now ours; oldest first. `all_of_them`: whoever held them (at the start
        of the only process there is).
        """
        open_ones = intents.c.state.in_((WAITING, STARTED))
        lapsed = self._lapsed()
        if all_of_them:
            lapsed = intents.c.holder != self._holder
        return await self._taken(open_ones, lapsed, limit=limit)

    # --------------------------------------------------------------------- what waits for its asker to link

    async def park(self, intent: Intent, *, detail: str = "") -> bool:
        """Keep it until its asker has linked, for 15 minutes; False when it was not ours any more."""
        return await self.finish(intent, LINKING, "not_linked", detail=detail)

    async def linked_since(self, intent: Intent) -> bool:
        """Whether its asker has linked after they asked."""
        async with self._database.read() as connection:
            query = select(intents.c.id).where(intents.c.id == intent.id, _linked_since())
            return (await connection.execute(query)).first() is not None

    async def release_linked(self, limit: int = 50) -> list[Intent]:
        """What waited for people who have linked since: to be run, and now ours; oldest first."""
        kept = intents.c.expires_at > self._database.now_sql()
        return await self._taken(
            intents.c.state == LINKING,
            kept,
            _linked_since(),
            limit=limit,
            state=WAITING,
            expires_at=self._database.now_sql(YOUNG_SECONDS),
        )

    async def take_expired(self, limit: int = 20) -> list[Intent]:
        """What waited for 15 minutes in vain: to be told, and now ours; oldest first."""
        old = intents.c.expires_at <= self._database.now_sql()
        return await self._taken(intents.c.state == LINKING, old, self._lapsed(), limit=limit)

    async def _taken(self, *which: ColumnElement[bool], limit: int, **become: Any) -> list[Intent]:
        """Those of which all this is true, once over all replicas: now ours."""
        async with self._database.read() as connection:
            query = select(intents.c.id).where(*which).order_by(intents.c.id).limit(limit)
            found = (await connection.execute(query)).scalars().all()
        if not found:
            return []
        ours = {"holder": self._holder, "lease_until": self._until(), "fence": intents.c.fence + 1}
        # In one order, and never waiting: two replicas that take over together would lock each other out.
        free = (
            select(intents.c.id)
            .where(intents.c.id.in_(found), *which)
            .order_by(intents.c.id)
            .with_for_update(skip_locked=True)
        )
        async with self._database.write() as connection:
            taken = (await connection.execute(free)).scalars().all()
            rows = await connection.execute(
                update(intents)
                .where(intents.c.id.in_(taken))
                .values(**ours, **become)
                .returning(intents, (intents.c.expires_at > self._database.now_sql()).label("is_young"))
            )
            return [self._intent(row) for row in sorted(rows, key=lambda row: row.id)]

    def _lapsed(self) -> ColumnElement[bool]:
        return or_(intents.c.lease_until.is_(None), intents.c.lease_until < self._database.now_sql())

    async def state_of(self, key: str) -> str | None:
        """How an act stands, by Slack's key; None when it never reached us."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(intents.c.state).where(intents.c.key == key))
            return rows.scalar_one_or_none()

    # ------------------------------------------------------------------------------------------------ inside

    def _until(self) -> Any:
        return self._database.now_sql(self._lease)

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
                response_url=self._address(row.response_url),
            ),
            state=row.state,
            fence=row.fence,
            created_at=row.created_at,
            is_young=bool(row.is_young),
        )

    def _address(self, sealed: str | None) -> str | None:
        """Sealed with a key that is gone, it is lost; the person is reached in another way."""
        if sealed is None:
            return None
        try:
            return self._sealer.open(sealed)
        except Unsealable:
            return None


def _linked_since() -> ColumnElement[bool]:
    """The asker's account was linked after they asked: a link that was refused before does not count."""
    return exists().where(
        accounts.c.team_id == intents.c.team_id,
        accounts.c.user_id == intents.c.user_id,
        accounts.c.access_token.is_not(None),
        accounts.c.linked_at >= intents.c.created_at,
    )
