"""How sure it is what a message looks like: statements about the `hash` in its rows of `shown`.

An edit whose answer never came may be carried out by Slack seconds later, on top of the next edit. So from
its beginning (bot/store/turns.py) to its end (bot/store/outcomes.py) the look of an edited message is in
doubt. The edit that finds it so does not end the doubt: the look is settling then, and one more edit is made
when nothing before it can land any more. An incident's message has one row, a page of a storm one for each of
its incidents, which are all of the same look; those it has never shown have no `shown_at`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Insert,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from bot.store.columns import Moment
from bot.store.rows import IN_DOUBT, SETTLING
from bot.store.tables import incidents, shown
from bot.store.upsert import Dialect, insert_into


def behind() -> ColumnElement[bool]:
    """Of a message that stands, with its incident: it shows something older, or nobody knows what."""
    return or_(shown.c.revision.is_(None), shown.c.revision < incidents.c.revision, shown.c.hash == IN_DOUBT)


def settled(before: ColumnElement[float]) -> ColumnElement[bool]:
    """The last edit found the look in doubt, and was made `before` the moment from which on every edit that
    came to no known end still may be carried out.
    """
    return and_(shown.c.hash == SETTLING, shown.c.shown_at <= before)


def has_settled(row: Row[Any], settled: datetime | None) -> bool:
    """Nobody has edited it since `settled`, when its look was settling."""
    return bool(row.shown_hash == SETTLING and row.shown_at == settled)


def is_in_doubt(row: Row[Any], settled: datetime | None) -> bool:
    """An edit before the next one may still be carried out after it."""
    return row.shown_hash == IN_DOUBT or (row.shown_hash == SETTLING and not has_settled(row, settled))


def put_in_doubt(dialect: Dialect) -> Insert:
    """Of the `message` of `incident`: an edit is under way, or was and nobody knows its end."""
    message: BindParameter[int] = bindparam("message")
    incident: BindParameter[str] = bindparam("incident")
    return (
        insert_into(shown, dialect)
        .values(message_id=message, incident_id=incident, revision=0, hash=IN_DOUBT)
        .on_conflict_do_update(
            index_elements=[shown.c.message_id, shown.c.incident_id], set_={"hash": IN_DOUBT}
        )
    )


def put_back(message_id: int, looks: str) -> Update:
    """The edit under way was not made: the message looks as before."""
    return update(shown).where(shown.c.message_id == message_id, shown.c.hash == IN_DOUBT).values(hash=looks)


# -------------------------------------------------------------------------------------------- pages of storms


def page_look() -> list[ColumnElement[Any]]:
    """Of a page's rows together: their `shown_hash` and `shown_at`, None when it has shown none of them."""
    known = func.max(case((shown.c.shown_at.is_not(None), shown.c.hash)))
    return [known.label("shown_hash"), func.max(shown.c.shown_at, type_=Moment).label("shown_at")]


def of_page(message_id: int) -> Select[Any]:
    """The page's look."""
    return select(*page_look()).where(shown.c.message_id == message_id)


def put_page_in_doubt(message_id: int, now: ColumnElement[float]) -> Update:
    """As `put_in_doubt`: from now on rows may be seen that never were before."""
    seen = func.coalesce(shown.c.shown_at, now)
    return update(shown).where(shown.c.message_id == message_id).values(hash=IN_DOUBT, shown_at=seen)
