"""The SQL of the question "which message does not show what is true?", as statements and conditions.

Run by bot/store/messages.py. Wide enough to miss nothing; bot/delivery/reconcile.py has the last word on what
is done about each candidate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    type_coerce,
    union,
)

from bot.model import Status, Urgency
from bot.store import looks
from bot.store.columns import Moment
from bot.store.rows import AWAITED, MOST_REPOSTS
from bot.store.tables import channels, events, incidents, messages, shown, thread_lines

UNKNOWN_RANK = 99


@dataclass(frozen=True, slots=True)
class Needs:
    """What may be due for a row of `messages`."""

    look_up: ColumnElement[bool]
    post: ColumnElement[bool]
    update: ColumnElement[bool]
    confirm: ColumnElement[bool]  # an edit or a look once more, though it shows what is known

    @property
    def untrue(self) -> ColumnElement[bool]:
        """It is not known to show what is true."""
        return or_(self.look_up, self.post, self.update)

    @property
    def any(self) -> ColumnElement[bool]:
        """Something is due."""
        return or_(self.untrue, self.confirm)


def needs(settled: ColumnElement[float]) -> Needs:
    """The conditions; what was begun before `settled` has been carried out by now, or never will be."""
    begun = messages.c.posting_since
    stands = and_(messages.c.ts.is_not(None), messages.c.gone.is_(None))
    is_over = and_(begun.is_not(None), begun <= settled)
    return Needs(
        look_up=and_(messages.c.ts.is_(None), is_over),
        post=and_(messages.c.ts.is_(None), begun.is_(None), _may_stand()),
        update=and_(stands, looks.behind()),
        # A post of a message that stands: it may stand twice.
        confirm=or_(and_(messages.c.ts.is_not(None), is_over), and_(stands, looks.settled(settled))),
    )


def _may_stand() -> ColumnElement[bool]:
    """What stands nowhere is to be posted; what a person has deleted, only while the incident is open, also
    when it was to be posted again and Slack has not taken that yet.
    """
    never_stood = and_(messages.c.gone.is_(None), messages.c.reposts == 0)
    again = or_(messages.c.gone.is_(None), messages.c.reposts < MOST_REPOSTS)
    return or_(never_stood, and_(again, incidents.c.status != Status.RESOLVED.value))


def with_incident() -> Any:
    """`messages` with their incident, what they show of it, and their channel."""
    return (
        messages.join(incidents, incidents.c.id == messages.c.incident_id)
        .outerjoin(
            shown, and_(shown.c.message_id == messages.c.id, shown.c.incident_id == messages.c.incident_id)
        )
        .outerjoin(
            channels,
            and_(channels.c.team_id == messages.c.team_id, channels.c.channel_id == messages.c.channel_id),
        )
    )


def of_incidents() -> ColumnElement[bool]:
    """Messages of incidents we have seen, in channels open to us."""
    return and_(
        messages.c.kind == "incident", incidents.c.snapshot.is_not(None), channels.c.closed_since.is_(None)
    )


def since() -> ColumnElement[datetime]:
    """From when a message has not been true: since it is wanted, or since the last news it does not show."""
    accepted = func.coalesce(incidents.c.accepted_at, shown.c.shown_at, messages.c.made_at)
    edited = case((shown.c.shown_at > accepted, shown.c.shown_at), else_=accepted)
    return type_coerce(case((messages.c.ts.is_(None), messages.c.made_at), else_=edited), Moment)


SINCE = bindparam("since", type_=Moment)
"""Given at execution. A value, not the clock's expression: PostgreSQL would read every row for that."""


def recently_changed() -> ColumnElement[bool]:
    """Messages whose incident had news after `SINCE`, and those that need a look whatever it does. Found by
    indexes, however many messages there are; misses what has been behind for longer.
    """
    asks = or_(
        messages.c.ts.is_(None), messages.c.posting_since.is_not(None), messages.c.next_try_at.is_not(None)
    )
    of_news = select(messages.c.id).join(incidents, incidents.c.id == messages.c.incident_id)
    found = union(
        select(messages.c.id).where(asks),
        of_news.where(incidents.c.accepted_at >= SINCE),
        of_news.where(incidents.c.read_at >= SINCE),
    )
    return messages.c.id.in_(found)


def candidates(
    now: ColumnElement[float],
    settled: ColumnElement[float],
    per_channel: int,
    among: ColumnElement[bool],
) -> Select[Any]:
    """The most worthwhile `per_channel` messages of each channel and kind of call: one busy channel, or one
    kind that has to wait for its pace, hides no other.
    """
    due = needs(settled)
    rank = incidents.c.priority_rank
    kind = case((due.look_up, 0), (messages.c.ts.is_(None), 1), (due.update, 2), else_=3)
    awaited = and_(incidents.c.touched, since() > now - AWAITED.total_seconds())
    found = (
        select(
            *messages.c,
            incidents.c.revision,
            incidents.c.status,
            incidents.c.urgency,
            incidents.c.touched,
            rank.label("rank"),
            shown.c.revision.label("shown_revision"),
            shown.c.hash.label("shown_hash"),
            shown.c.shown_at,
            channels.c.storm_since.is_not(None).label("in_storm"),
            since().label("since"),
            type_coerce(now, Moment).label("asked_at"),
            func.row_number()
            .over(
                partition_by=(messages.c.team_id, messages.c.channel_id, kind),
                order_by=(
                    case((and_(kind == 2, awaited), 0), else_=1),
                    case((kind == 2, since()), else_=0.0),
                    case((incidents.c.status == Status.RESOLVED.value, 1), else_=0),
                    func.coalesce(rank, UNKNOWN_RANK),
                    incidents.c.urgency,  # "high" sorts before "low"
                    messages.c.made_at,
                ),
            )
            .label("place"),
        )
        .select_from(with_incident())
        .where(of_incidents(), due.any, _try_now(messages, now), among)
        .subquery()
    )
    return select(found).where(found.c.place <= per_channel)


def lines(now: ColumnElement[float], settled: ColumnElement[float], per_channel: int) -> Select[Any]:
    """The next thread line of each message, so that lines stand in the order things happened."""
    begun = thread_lines.c.posting_since
    next_ones = _next_lines()
    is_next = and_(
        thread_lines.c.message_id == next_ones.c.message_id, thread_lines.c.event_id == next_ones.c.event_id
    )
    found = (
        select(
            *thread_lines.c,
            messages.c.team_id,
            messages.c.channel_id,
            messages.c.incident_id,
            messages.c.ts.label("thread_ts"),
            events.c.line,
            events.c.received_at,
            channels.c.storm_since,
            func.row_number()
            .over(partition_by=(messages.c.team_id, messages.c.channel_id), order_by=thread_lines.c.event_id)
            .label("place"),
        )
        .select_from(
            next_ones.join(thread_lines, is_next)
            .join(with_incident(), messages.c.id == thread_lines.c.message_id)
            .join(events, events.c.id == thread_lines.c.event_id)
        )
        .where(
            of_incidents(),
            messages.c.ts.is_not(None),
            messages.c.gone.is_(None),
            _try_now(thread_lines, now),
            or_(begun.is_(None), begun <= settled),
        )
        .subquery()
    )
    return select(found).where(found.c.place <= per_channel)


def _next_lines() -> Any:
    """The first waiting line of each message that has one: found by going from message to message through the
    index, for in a storm far more lines wait than messages have them.
    """
    later, first = thread_lines.alias("later"), thread_lines.alias("first")
    found = select(func.min(thread_lines.c.message_id).label("message_id")).where(_waits(thread_lines))
    told = found.cte("told", recursive=True)
    following = (
        select(func.min(later.c.message_id))
        .where(_waits(later), later.c.message_id > told.c.message_id)
        .scalar_subquery()
    )
    told = told.union_all(select(following).where(told.c.message_id.is_not(None)))
    event_id = (
        select(func.min(first.c.event_id))
        .where(_waits(first), first.c.message_id == told.c.message_id)
        .scalar_subquery()
    )
    return select(told.c.message_id, event_id.label("event_id")).subquery("next_ones")


def _waits(lines: Any) -> ColumnElement[bool]:
    """Stands nowhere yet: the condition of the index ix_thread_lines_waiting, in its own words."""
    return and_(lines.c.ts.is_(None), ~lines.c.dropped)


def waiting_lines() -> ColumnElement[bool]:
    """Lines that stand nowhere yet, under messages that still do, or are to."""
    return and_(
        _waits(thread_lines), messages.c.gone.is_(None), or_(messages.c.ts.is_not(None), _may_stand())
    )


def uncalled(limit: int) -> Select[Any]:
    """Standing messages of triggered high-urgency incidents that have mentioned nobody though they should."""
    return (
        select(*messages.c, incidents.c.snapshot)
        .select_from(with_incident())
        .where(
            of_incidents(),
            messages.c.mention,
            ~messages.c.mentioned,
            messages.c.ts.is_not(None),
            messages.c.gone.is_(None),
            incidents.c.status == Status.TRIGGERED.value,
            incidents.c.urgency == Urgency.HIGH.value,
        )
        .order_by(messages.c.id.desc())
        .limit(limit)
    )


def _try_now(table: Any, now: ColumnElement[float]) -> ColumnElement[bool]:
    """A call for the row failed, and its pause is over."""
    return or_(table.c.next_try_at.is_(None), table.c.next_try_at <= now)
