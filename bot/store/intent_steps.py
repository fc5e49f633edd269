"""The steps of an intent as groups of the batcher (bot/store/batcher.py): stored, started, finished.

Many people act at once in a storm; what they do shares its commits. Plain functions on a plain connection,
with statements made once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, bindparam, update

from bot.model import MadeCall, SlackUser
from bot.store import audit, made_calls
from bot.store.database import Database
from bot.store.people_tables import intents
from bot.store.sealing import Sealer
from bot.store.upsert import insert_into

YOUNG_SECONDS = 120.0  # older than this, nobody expects it to happen any more
KEPT_SECONDS = 900.0  # what waits for its asker to link is kept so long
WAITING, STARTED, DONE, FAILED, EXPIRED = "waiting", "started", "done", "failed", "expired"
LINKING = "linking"  # waits until its asker has linked their PagerDuty account

Item = TypeVar("Item")
Result = TypeVar("Result")


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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Start:
    """The act begins; `entry` None for what is no act."""

    intent: Intent
    entry: audit.Entry | None


@dataclass(frozen=True, slots=True)
class Started:
    """It is ours and on record: the row in the audit, None for what is no act."""

    record: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """It ended: `outcome` is one word, `detail` the answer's plain text, `subjects` the incidents it changed
    or was about, `status` and `request_id` PagerDuty's answer to its last write, `calls` every call that was
    made for it, `record` its row in the audit where we wrote that ourselves. `identity` of an act (email,
    oauth): then it is on record even if it never began, with `words` for its line where they are given.
    """

    intent: Intent
    state: str
    outcome: str
    subjects: Sequence[str] = ()
    detail: str = ""
    status: int | None = None
    request_id: str | None = None
    calls: Sequence[MadeCall] = ()
    record: int | None = None
    identity: str | None = None
    words: str | None = None


class _WholeOrNot(Generic[Item, Result]):
    """Nothing of a step can be saved when it cannot be saved whole, and nobody waits for a hint."""

    def rescue(self, connection: Connection, item: Item, error: Exception) -> Result:
        """Whoever asked hears of it."""
        raise error

    def committed(self, items: Sequence[Item], results: Sequence[Result]) -> None:
        """Whoever asked goes on."""


class Storing(_WholeOrNot[NewIntent, Intent | None]):
    """New ones; None for a key that is there already."""

    def __init__(self, database: Database, sealer: Sealer, *, holder: str, lease: float) -> None:
        self._sealer = sealer
        self._statement = (
            insert_into(intents, database.dialect)
            .values(
                state=WAITING,
                holder=holder,
                fence=0,
                lease_until=database.now_sql(lease),
                created_at=database.now_sql(),
                expires_at=database.now_sql(YOUNG_SECONDS),
            )
            .on_conflict_do_nothing(index_elements=[intents.c.key])
            .returning(intents.c.id, intents.c.key, intents.c.created_at)
        )

    def take(self, connection: Connection, items: Sequence[NewIntent]) -> list[Intent | None]:
        """Insert these; of two with one key the first counts."""
        unique = {new.key: new for new in reversed(items)}
        rows = connection.execute(self._statement, [self._values(new) for new in unique.values()])
        stored = {row.key: row for row in rows}
        taken: list[Intent | None] = []
        for new in items:
            row = stored.pop(new.key, None)
            taken.append(None if row is None else Intent(row.id, new, WAITING, 0, row.created_at, True))
        return taken

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


class Starting(_WholeOrNot[Start, Started | None]):
    """On record before it happens; None for one that somebody else took over."""

    def __init__(self, database: Database, *, holder: str, lease: float) -> None:
        self._begin = audit.begin_statement()
        self._statement = (
            update(intents)
            .where(
                intents.c.id == bindparam("of_id"),
                intents.c.fence == bindparam("of_fence"),
                intents.c.holder == holder,
                intents.c.state == WAITING,
            )
            .values(state=STARTED, started_at=database.now_sql(), lease_until=database.now_sql(lease))
        )

    def take(self, connection: Connection, items: Sequence[Start]) -> list[Started | None]:
        """One after the other: each may have been taken over."""
        return [self._started(connection, item) for item in items]

    def _started(self, connection: Connection, item: Start) -> Started | None:
        ours = {"of_id": item.intent.id, "of_fence": item.intent.fence}
        if connection.execute(self._statement, ours).rowcount == 0:
            return None
        if item.entry is None:
            return Started(None)
        row = audit.as_row(item.entry, item.intent.created_at)
        return Started(connection.execute(self._begin, row).scalar_one())


class Finishing(_WholeOrNot[Finish, bool]):
    """How it ended, for the intent and the audit; False for one that was not ours any more.

    One whose asker must link first (state `linking`) has not ended: it is nobody's until they have, and keeps
    its reply address.
    """

    def __init__(self, database: Database, *, holder: str) -> None:
        self._end = audit.end_statement(database, audit.BY_ID)
        self._end_unknown = audit.end_statement(database, audit.BY_INTENT)
        self._whole = audit.whole_statement(database)
        ours = update(intents).where(
            intents.c.id == bindparam("of_id"),
            intents.c.fence == bindparam("of_fence"),
            intents.c.holder == holder,
            intents.c.state.in_((WAITING, STARTED, LINKING)),
        )
        self._statement = ours.values(
            state=bindparam("new_state"),
            outcome=bindparam("new_outcome"),
            finished_at=database.now_sql(),
            response_url=None,
        )
        self._parking = ours.values(
            state=LINKING,
            holder=None,
            lease_until=None,
            started_at=None,
            expires_at=database.now_sql(KEPT_SECONDS),
        )

    def take(self, connection: Connection, items: Sequence[Finish]) -> list[bool]:
        """One after the other: each may have been taken over."""
        return [self._finished(connection, item) for item in items]

    def _finished(self, connection: Connection, item: Finish) -> bool:
        ours = {"of_id": item.intent.id, "of_fence": item.intent.fence}
        told = {"new_state": item.state, "new_outcome": item.detail[:500]}
        ended = (self._parking, ours) if item.state == LINKING else (self._statement, ours | told)
        if connection.execute(*ended).rowcount == 0:
            return False
        self._put_on_record(connection, item)
        return True

    def _put_on_record(self, connection: Connection, item: Finish) -> None:
        outcome = {
            "outcome": item.outcome,
            "subjects": ",".join(item.subjects),
            "detail": item.detail[:500] or None,
            "status": item.status,
            "request_id": item.request_id,
            "calls": made_calls.written(item.calls),
        }
        if item.record is not None or item.intent.state == STARTED:
            values: dict[str, Any] = {f"new_{name}": value for name, value in outcome.items()}
            values["of"] = item.record or item.intent.id
            connection.execute(self._end if item.record else self._end_unknown, values)
        elif item.identity is not None and item.state != LINKING:
            entry = _never_begun(item.intent, item.identity, item.words)
            connection.execute(self._whole, audit.as_row(entry, item.intent.created_at) | outcome)


def _never_begun(intent: Intent, identity: str, words: str | None) -> audit.Entry:
    """Who they are in PagerDuty did not matter any more."""
    new = intent.new
    return audit.Entry(
        intent_id=intent.id,
        team_id=new.user.team_id,
        user_id=new.user.id,
        person_id=None,
        identity=identity,
        surface=new.surface,
        channel_id=new.channel_id,
        verb=new.verb,
        words=new.words if words is None else words,
    )
