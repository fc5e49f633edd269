"""The SQL of a channel in storm: what its pages do not show, what stands on none, what no news has told.

Statements and conditions for bot/store/storms.py and bot/store/page_turns.py. On a page `shown` is the list
of its rows too: revision 0 means that it is to stand there and does not yet. A news message's `shown` rows
say which revisions it has told of.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal_column, not_, or_, select

from bot.model import Status
from bot.store import looks
from bot.store.question import UNKNOWN_RANK
from bot.store.rows import OWN_RANK
from bot.store.tables import channels, incidents, messages, shown

_page, _row = messages.alias("page"), shown.alias("page_row")
_news, _told = messages.alias("news"), shown.alias("told")


def of_channel(table: Any, other: Any) -> ColumnElement[bool]:
    """Both rows belong to the same channel."""
    return and_(table.c.team_id == other.c.team_id, table.c.channel_id == other.c.channel_id)


def keeps_own() -> ColumnElement[bool]:
    """The incident's own message counts for more than its row on a page: P1, or a person has it in hand and
    it stands.
    """
    held = and_(incidents.c.touched, messages.c.ts.is_not(None))
    return or_(held, func.coalesce(incidents.c.priority_rank, UNKNOWN_RANK) == OWN_RANK)


def speaks_for_itself() -> ColumnElement[bool]:
    """Of messages with their channel: this one is written to although, or because no, storm is on. News goes
    onto a page first, and then into the message that stood before: the page is to count everything.
    """
    stands, is_calm = messages.c.ts.is_not(None), channels.c.calm_since.is_not(None)
    is_open = incidents.c.status != Status.RESOLVED.value
    return or_(
        channels.c.storm_since.is_(None),
        messages.c.posting_since.is_not(None),
        and_(is_calm, or_(stands, is_open)),
        keeps_own(),
        and_(stands, on_a_page()),
    )


def _found_by_row(table: Any) -> ColumnElement[bool]:
    """As `of_channel(table, messages)`, and no index is used for it: the incident's few rows are looked at,
    not the channel's many messages.
    """
    return and_(
        table.c.team_id.concat("") == messages.c.team_id,
        table.c.channel_id.concat("") == messages.c.channel_id,
    )


def of_storms(table: Any) -> ColumnElement[bool]:
    """Pages and news that live, found by the partial index alone, whose condition this repeats word for word:
    they are few, and messages are many.
    """
    of_storms = messages.alias("of_storms")
    living = and_(of_storms.c.kind != literal_column("'incident'"), of_storms.c.gone.is_(None))
    found: ColumnElement[bool] = table.c.id.in_(select(of_storms.c.id).where(living))
    return found


def on_a_page() -> ColumnElement[bool]:
    """The message's incident stands, or is to stand, on a page of its channel."""
    return exists().where(
        _page.c.kind == "page",
        _page.c.gone.is_(None),
        _found_by_row(_page),
        _row.c.message_id == _page.c.id,
        _row.c.incident_id == messages.c.incident_id,
    )


def told_of(incident_id: Any) -> ColumnElement[bool]:
    """A news message of the channel has told the incident's newest revision."""
    return exists().where(
        _news.c.kind == "news",
        _news.c.gone.is_(None),
        _found_by_row(_news),
        or_(_news.c.ts.is_not(None), _news.c.posting_since.is_not(None)),
        _told.c.message_id == _news.c.id,
        _told.c.incident_id == incident_id,
        _told.c.revision >= incidents.c.revision,
    )


def pages_with_rows() -> Any:
    """Living pages of storms, with their rows and incidents."""
    return (
        messages.join(shown, shown.c.message_id == messages.c.id)
        .join(incidents, incidents.c.id == shown.c.incident_id)
        .join(channels, of_channel(channels, messages))
    )


def is_living_page() -> ColumnElement[bool]:
    return and_(of_storms(messages), messages.c.kind == "page")


def untrue() -> ColumnElement[bool]:
    """The row says something older than what is known, or nothing yet."""
    return shown.c.revision < incidents.c.revision


def age(now: ColumnElement[float]) -> ColumnElement[float]:
    """Seconds since the last news of the incident."""
    known = func.coalesce(incidents.c.accepted_at, incidents.c.read_at, incidents.c.heard_at)
    passed = now - known
    return case((passed > 0, passed), else_=0.001)


def page_sums(now: ColumnElement[float]) -> Select[Any]:
    """Of every page in a storm: how many rows, how many open, how untrue they are, and how sure that is."""
    told, untold = told_of(shown.c.incident_id), not_(told_of(shown.c.incident_id))
    is_open = incidents.c.status != Status.RESOLVED.value
    seconds = age(now)
    return (
        select(
            messages.c.id,
            func.count().label("rows"),
            func.sum(case((is_open, 1), else_=0)).label("open"),
            func.sum(case((and_(untrue(), told), seconds), else_=0.0)).label("told"),
            func.sum(case((and_(untrue(), untold), seconds), else_=0.0)).label("untold"),
            func.max(case((untrue(), seconds), else_=0.0)).label("oldest"),
            func.max(case((and_(untrue(), untold), seconds), else_=0.0)).label("oldest_untold"),
            func.min(seconds).label("quiet"),
            *looks.page_look(),
        )
        .select_from(pages_with_rows())
        .where(is_living_page(), channels.c.storm_since.is_not(None))
        .group_by(messages.c.id)
    )


def own_sums(now: ColumnElement[float], due: ColumnElement[bool]) -> Select[Any]:
    """Of every channel in storm: incidents that stand on no page though something is to be shown of them
    (`due`, of messages), own messages that are kept and untold, open incidents without an own message.
    """
    seconds, is_open = age(now), incidents.c.status != Status.RESOLVED.value
    unseen = and_(due, channels.c.calm_since.is_(None), not_(on_a_page()))
    behind = or_(shown.c.revision.is_(None), untrue())
    kept = and_(
        messages.c.ts.is_not(None),
        messages.c.gone.is_(None),
        behind,
        keeps_own(),
        not_(told_of(messages.c.incident_id)),
    )
    alone = and_(messages.c.ts.is_(None), messages.c.gone.is_(None), is_open)
    return (
        select(
            messages.c.team_id,
            messages.c.channel_id,
            func.sum(case((unseen, 1), else_=0)).label("unseen"),
            func.sum(case((unseen, seconds), else_=0.0)).label("waited"),
            func.max(case((unseen, seconds), else_=0.0)).label("longest"),
            func.sum(case((kept, seconds), else_=0.0)).label("own"),
            func.max(case((kept, seconds), else_=0.0)).label("own_oldest"),
            func.sum(case((alone, 1), else_=0)).label("alone"),
        )
        .select_from(
            messages.join(incidents, incidents.c.id == messages.c.incident_id)
            .join(channels, of_channel(channels, messages))
            .outerjoin(
                shown,
                and_(shown.c.message_id == messages.c.id, shown.c.incident_id == messages.c.incident_id),
            )
        )
        .where(
            messages.c.kind == "incident",
            incidents.c.snapshot.is_not(None),
            channels.c.storm_since.is_not(None),
            # By the index, which knows teams and channels and not which of them are in storm.
            messages.c.team_id.in_(select(channels.c.team_id).where(channels.c.storm_since.is_not(None))),
            messages.c.channel_id.in_(
                select(channels.c.channel_id).where(channels.c.storm_since.is_not(None))
            ),
            or_(due, alone),
        )
        .group_by(messages.c.team_id, messages.c.channel_id)
    )
