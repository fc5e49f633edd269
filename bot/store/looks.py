"""How sure it is what a message looks like: statements about the `hash` in its row of `shown`.

An edit whose answer never came may be carried out by Slack seconds later, on top of the next edit. So from
its beginning (bot/store/turns.py) to its end (bot/store/outcomes.py) the look of an edited message is in
doubt. The edit that finds it so does not end the doubt: the look is settling then, and one more edit is made
when nothing before it can land any more.
"""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, Insert, Update, and_, bindparam, or_, update

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
