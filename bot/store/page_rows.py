"""What a storm's pages and news are made of: which incidents come onto them, and the storm's figures.

Asked by bot/store/page_turns.py when a turn begins, in its transaction.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, type_coerce

from bot.model import Channel, Status, Urgency
from bot.store import question
from bot.store import storm_question as storms_sql
from bot.store.columns import Moment
from bot.store.tables import channels, incidents, messages, shown
from bot.store.turns import Tally

LATELY_SECONDS = 300.0
MOST_NEWS = 120
"""Incidents one news message tells of; the rest comes with the next."""


def is_of(table: Any, channel: Channel) -> ColumnElement[bool]:
    """The row belongs to the channel."""
    return and_(table.c.team_id == channel.team_id, table.c.channel_id == channel.id)


def tally(connection: Connection, channel: Channel, now: ColumnElement[float]) -> Tally | None:
    """The storm of the channel in figures; None when none is on."""
    lately = now - LATELY_SECONDS
    news = and_(incidents.c.accepted_at >= lately)
    counts = {
        "triggered": incidents.c.status == Status.TRIGGERED.value,
        "acknowledged": incidents.c.status == Status.ACKNOWLEDGED.value,
        "resolved": incidents.c.status == Status.RESOLVED.value,
        "opened_lately": incidents.c.heard_at >= lately,
        "acknowledged_lately": and_(incidents.c.status == Status.ACKNOWLEDGED.value, news),
        "resolved_lately": and_(incidents.c.status == Status.RESOLVED.value, news),
    }
    query = (
        select(
            type_coerce(now, Moment).label("at"),
            func.max(channels.c.storm_since, type_=Moment).label("since"),
            *(func.sum(case((what, 1), else_=0)).label(name) for name, what in counts.items()),
        )
        .select_from(storms_sql.pages_with_rows())
        .where(is_of(messages, channel), storms_sql.is_living_page())
    )
    row = connection.execute(query).one()
    if row.since is None:
        return None
    return Tally(since=row.since, at=row.at, **{name: getattr(row, name) for name in counts})


def unseen(channel: Channel, take: int, now: ColumnElement[float]) -> Select[Any]:
    """At most `take` incidents that stand on no page though something is to be shown of them, worst first."""
    due = question.needs(now)
    return (
        select(incidents.c.id)
        .select_from(question.with_incident())
        .where(
            question.of_incidents(),
            is_of(messages, channel),
            channels.c.calm_since.is_(None),
            or_(due.post, due.update),
            ~storms_sql.on_a_page(),
        )
        .order_by(
            func.coalesce(incidents.c.priority_rank, question.UNKNOWN_RANK),
            case((incidents.c.urgency == Urgency.HIGH.value, 0), else_=1),
            messages.c.made_at,
            messages.c.id,
        )
        .limit(max(0, take))
    )


def untold(channel: Channel, now: ColumnElement[float]) -> Select[Any]:
    """What pages and kept messages do not show, and no news has told."""
    rows = (
        select(incidents.c.id, incidents.c.revision)
        .select_from(storms_sql.pages_with_rows())
        .where(
            is_of(messages, channel),
            storms_sql.is_living_page(),
            storms_sql.untrue(),
            ~storms_sql.told_of(shown.c.incident_id),
        )
    )
    own = (
        select(incidents.c.id, incidents.c.revision)
        .select_from(question.with_incident())
        .where(
            question.of_incidents(),
            is_of(messages, channel),
            question.needs(now).update,
            storms_sql.keeps_own(),
            ~storms_sql.told_of(messages.c.incident_id),
        )
    )
    return rows.union(own).limit(MOST_NEWS)  # type: ignore[return-value]
