"""Beginning a turn: one call to Slack for one message or thread line, allowed and noted in one transaction.

It takes the channel's lease, looks at the row again, pays the pace, and for a post commits `posting_since`:
all of it or nothing. bot/delivery then makes the call, holding no transaction, and bot/store/outcomes.py
writes down what became of it. Locks are taken in this order everywhere: lease, row, pace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, select, update

from bot.model import Channel, Incident, Status
from bot.store import looks
from bot.store.database import Database
from bot.store.leases import Lease, Leases
from bot.store.messages import read_message
from bot.store.pace import (
    CLICKS_SHARE,
    HISTORY,
    POSTS,
    REPLIES,
    UPDATES,
    Charge,
    Pace,
    channel_posts,
)
from bot.store.question import with_incident
from bot.store.rows import IN_DOUBT, MOST_REPOSTS, Message, ThreadLine
from bot.store.snapshots import load_incident
from bot.store.storm_question import speaks_for_itself
from bot.store.tables import incidents, messages, shown, thread_lines

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
HELD_SECONDS = 0.5
"""How long to leave a channel alone whose lease somebody else holds: about one call."""


class Act(StrEnum):
    """What a turn is for."""

    POST = "post"
    UPDATE = "update"
    LOOK_UP = "look_up"
    CALL = "call"  # the line that mentions the assignees late
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class PageRow:
    """An incident on a page, as it was when the turn began."""

    incident: Incident
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A channel's storm in figures, `at` the moment the turn began; `lately`: in the minutes before."""

    since: datetime
    at: datetime
    triggered: int = 0
    acknowledged: int = 0
    resolved: int = 0
    opened_lately: int = 0
    acknowledged_lately: int = 0
    resolved_lately: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A call may be made now: the message and its incident as they were when the turn began.

    With `line` the turn is about that thread line, otherwise about the message itself. A page and the like
    (bot/store/page_turns.py) have `rows` in place of the incident. `in_doubt`: an edit before this one may
    still be carried out after it.
    """

    act: Act
    lease: Lease
    message: Message
    one: Incident | None
    revision: int
    shown_hash: str | None = None
    in_doubt: bool = False
    line: ThreadLine | None = None
    rows: tuple[PageRow, ...] = ()
    tally: Tally | None = None
    began_at: datetime = NEVER

    @property
    def incident(self) -> Incident:
        """The incident of a message or thread line."""
        assert self.one is not None
        return self.one


@dataclass(frozen=True, slots=True)
class NotNow:
    """No turn for `seconds`.

    `by_pace`: this kind of call has to wait; otherwise another holder has the channel.
    """

    seconds: float
    by_pace: bool = False


Begun = Turn | NotNow | None
"""None: what was to be done has been done meanwhile."""

Still = Callable[[Row[Any]], bool]
"""Whether the row, looked at under the lease, still wants this call."""


class Query(NamedTuple):
    """A statement and its parameters."""

    statement: Select[Any]
    given: Mapping[str, int]


def channel_lease(channel: Channel) -> str:
    """The name of the lease under which a channel is written to."""
    return f"channel:{channel.team_id}:{channel.id}"


class Turns:
    """Begins turns. `lease_seconds` is longer than the calls of a turn take together."""

    def __init__(self, database: Database, leases: Leases, pace: Pace, *, lease_seconds: float) -> None:
        self._database = database
        self._leases = leases
        self._pace = pace
        self._lease_seconds = lease_seconds
        # Built once: putting them together takes longer than asking.
        self._of_message, self._of_line = _message_row(), _line_row()
        self._put_in_doubt = looks.put_in_doubt(database.dialect)

    async def begin_post(self, message: Message) -> Begun:
        """For a message that stands nowhere.

        One that was deleted in Slack counts as posted again from here on, and is only while it is open: also
        the next time, when Slack does not take it now.
        """

        def still(row: Row[Any]) -> bool:
            return row.ts is None and row.posting_since is None and _may_stand(row) and row.speaks

        return await self._begin(Act.POST, message, still, post_charges(message.channel))

    async def begin_update(
        self, message: Message, *, for_a_click: bool = False, settled: datetime | None = None
    ) -> Begun:
        """For a message that shows less than is known, or that nobody has edited since the moment `settled`,
        when its look was settling. A fifth of the edits is kept for answers to clicks.

        From here until the turn's end nobody knows what it looks like: if this process dies after the edit
        and the incident becomes what it was before, an equal look must not be taken for a true message.
        """

        def still(row: Row[Any]) -> bool:
            wanted = _is_behind(row) or looks.has_settled(row, settled)
            return row.ts is not None and row.gone is None and wanted and row.speaks

        charge = Charge(UPDATES, reserve=0.0 if for_a_click else CLICKS_SHARE)
        return await self._begin(Act.UPDATE, message, still, (charge,), settled=settled)

    async def begin_look_up(self, message: Message, *, at_hand: bool = False) -> Begun:
        """For a message whose post has an unknown outcome. `at_hand`: what is looked at was read already."""

        def still(row: Row[Any]) -> bool:
            return row.posting_since is not None

        return await self._begin(Act.LOOK_UP, message, still, () if at_hand else (Charge(HISTORY),))

    async def begin_line(self, line: ThreadLine) -> Begun:
        """For a thread line that stands nowhere."""

        def still(row: Row[Any]) -> bool:
            return _stands_nowhere(row, line) and row.line_since is None

        return await self._begin_line(Act.POST, line, still, post_charges(line.channel))

    async def begin_line_look_up(self, line: ThreadLine) -> Begun:
        """For a thread line whose post has an unknown outcome."""

        def still(row: Row[Any]) -> bool:
            return _stands_nowhere(row, line) and row.line_since is not None

        return await self._begin_line(Act.LOOK_UP, line, still, (Charge(REPLIES),))

    async def begin_call(self, message: Message) -> Begun:
        """For the line that mentions the assignees late. Noted before it is said: rather never than twice."""

        def still(row: Row[Any]) -> bool:
            return row.ts is not None and row.gone is None and not row.mentioned

        return await self._begin(Act.CALL, message, still, post_charges(message.channel))

    # ---------------------------------------------------------------------------------- one transaction

    async def _begin(
        self,
        act: Act,
        message: Message,
        still: Still,
        charges: tuple[Charge, ...],
        *,
        settled: datetime | None = None,
    ) -> Begun:
        def begin(connection: Connection) -> _Taken:
            query = Query(self._of_message, {"message": message.id})
            taken = self._take(connection, message.channel, query, still, charges)
            if values := self._noted(act, taken.row):
                this = messages.c.id == message.id
                connection.execute(update(messages).where(this).values(values))
            if act is Act.UPDATE:
                this_one = {"message": message.id, "incident": message.incident_id}
                connection.execute(self._put_in_doubt, this_one)
            return taken

        try:
            taken = await self._database.transact(begin)
        except NoTurn as no:
            return no.answer
        row = taken.row
        return _turn(act, taken, shown_hash=row.shown_hash, in_doubt=looks.is_in_doubt(row, settled))

    def _noted(self, act: Act, row: Row[Any]) -> dict[str, Any]:
        """What must be known of the call even if this process dies during it."""
        if act is Act.CALL:
            return {"mentioned": True}
        if act is not Act.POST:
            return {}
        again = {} if row.gone is None else {"gone": None, "reposts": messages.c.reposts + 1}
        return {"posting_since": self._database.now_sql(), **again}

    async def _begin_line(
        self, act: Act, line: ThreadLine, still: Still, charges: tuple[Charge, ...]
    ) -> Begun:
        def begin(connection: Connection) -> _Taken:
            query = Query(self._of_line, {"message": line.message_id, "event": line.event_id})
            taken = self._take(connection, line.channel, query, still, charges)
            if act is Act.POST:
                since = {"posting_since": self._database.now_sql()}
                connection.execute(update(thread_lines).where(is_line(line)).values(since))
            return taken

        try:
            taken = await self._database.transact(begin)
        except NoTurn as no:
            return no.answer
        return _turn(act, taken, line=line)

    def _take(
        self,
        connection: Connection,
        channel: Channel,
        query: Query,
        still: Still,
        charges: tuple[Charge, ...],
    ) -> _Taken:
        """Raises NoTurn, which takes the transaction back: what comes to nothing shall not cost a commit."""
        lease = self._leases.take_in(connection, channel_lease(channel), self._lease_seconds)
        if lease is None:
            raise NoTurn(NotNow(HELD_SECONDS))
        row = connection.execute(*query).first()
        if row is None or row.snapshot is None or not still(row):
            raise NoTurn(None)
        seconds = self._pace.spend_in(connection, channel.team_id, charges)
        if seconds > 0:
            raise NoTurn(NotNow(seconds, by_pace=True))
        return _Taken(lease, row)


class NoTurn(Exception):
    """There is no turn; `answer` says why."""

    def __init__(self, answer: NotNow | None) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True)
class _Taken:
    lease: Lease
    row: Row[Any]


def _turn(act: Act, taken: _Taken, **more: Any) -> Turn:
    return Turn(
        act=act,
        lease=taken.lease,
        message=read_message(taken.row),
        one=load_incident(taken.row.snapshot),
        revision=taken.row.revision,
        **more,
    )


def post_charges(channel: Channel) -> tuple[Charge, ...]:
    return (Charge(channel_posts(channel)), Charge(POSTS))


def is_line(line: ThreadLine) -> ColumnElement[bool]:
    """The row of this thread line."""
    return and_(thread_lines.c.message_id == line.message_id, thread_lines.c.event_id == line.event_id)


def _may_stand(row: Row[Any]) -> bool:
    """As bot/store/question.py asked, looked at again: it may have been resolved or deleted meanwhile."""
    if row.gone is None and row.reposts == 0:
        return True
    again: bool = row.gone is None or row.reposts < MOST_REPOSTS
    return again and row.status != Status.RESOLVED.value


def _is_behind(row: Row[Any]) -> bool:
    """As bot/store/looks.py says it."""
    if row.shown_revision is None or row.shown_hash == IN_DOUBT:
        return True
    return bool(row.shown_revision < row.revision)


def _stands_nowhere(row: Row[Any], line: ThreadLine) -> bool:
    return row.line_ts is None and not row.dropped and row.gone is None and row.ts == line.thread_ts


def _message_row() -> Select[Any]:
    """Of the `message`. `speaks`: no storm's page shows the incident in the message's place."""
    return (
        select(
            *messages.c,
            incidents.c.revision,
            incidents.c.status,
            incidents.c.snapshot,
            shown.c.revision.label("shown_revision"),
            shown.c.hash.label("shown_hash"),
            shown.c.shown_at,
            speaks_for_itself().label("speaks"),
        )
        .select_from(with_incident())
        .where(messages.c.id == bindparam("message"))
        .with_for_update(of=messages, key_share=True)
    )


def _line_row() -> Select[Any]:
    """Of the line of this `message` and `event`."""
    which = and_(
        thread_lines.c.message_id == bindparam("message"), thread_lines.c.event_id == bindparam("event")
    )
    return (
        select(
            *messages.c,
            incidents.c.revision,
            incidents.c.snapshot,
            thread_lines.c.ts.label("line_ts"),
            thread_lines.c.posting_since.label("line_since"),
            thread_lines.c.dropped,
        )
        .select_from(thread_lines.join(messages).join(incidents, incidents.c.id == messages.c.incident_id))
        .where(which)
        .with_for_update(of=thread_lines, key_share=True)
    )
