"""Ending a turn: what became of a call to Slack is written down, and the channel's lease given back, at once.

The other half of bot/store/turns.py. A turn whose lease was lost meanwhile (its process was frozen) does not
trust what it did: it resets `shown`, so that the truth is written again, and leaves to the other holder what
is theirs.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, delete, func, select, update

from bot.model import Status
from bot.store.database import Database
from bot.store.leases import Ended, Leases
from bot.store.looks import put_back
from bot.store.rows import SETTLING
from bot.store.tables import channels, incidents, messages, shown, thread_lines
from bot.store.turns import Act, Turn, is_line
from bot.store.upsert import insert_into

LONGEST_PAUSE_SECONDS = 300.0
"""Before a call that Slack refuses is made again: the refusal is about this one message, and stays."""
LONGEST_AFTER_OUTAGE_SECONDS = 10.0
"""Before a call that came to no known end is made again: what caused that ends by itself, and soon after that
everything has to be true.
"""


def pause_after(tries: int, longest: float) -> float:
    """Seconds to leave a row alone after its call failed for the nth time in a row: doubled each time, up to
    the `longest`.
    """
    return min(longest, 2.0 ** min(tries, 10))


class Outcomes:
    """Ends turns."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self._database = database
        self._leases = leases

    async def posted(self, turn: Turn, ts: str, *, looks: str | None = None, mentioned: bool = False) -> bool:
        """It stands there as `ts`, looking like the hash `looks`. False: its row has another message already,
        and this one is to be deleted; until that is certain the row asks to be looked up.

        It asks for that too when an earlier post came to nothing that could be found: what was held up longer
        than anything should be, and stands by now, is a second one.
        """
        table, row = _row_of(turn)

        def end(connection: Connection) -> bool:
            ended = self._leases.release_in(connection, turn.lease)
            query = select(table.c.ts).where(row).with_for_update(key_share=True)
            known = connection.execute(query).first()
            if known is None or known.ts not in (None, ts):
                doubt = {"posting_since": func.coalesce(table.c.posting_since, self._database.now_sql())}
                connection.execute(update(table).where(row).values(doubt))
                return False
            values: dict[str, Any] = {"ts": ts, "tries": 0, "next_try_at": None, **_stands(turn)}
            if ended.ours:
                # Otherwise another holder has a post of its own under way.
                values["posting_since"] = self._database.now_sql() if _was_looked_for(turn) else None
            if mentioned:
                values["mentioned"] = True
            connection.execute(update(table).where(row).values(values))
            if turn.line is None:
                self._note_shown(connection, turn, ended, looks)
            return True

        return await self._database.transact(end)

    async def updated(self, turn: Turn, looks: str) -> None:
        """The message shows the turn's revision now, or showed it already."""

        def end(connection: Connection) -> None:
            ended = self._leases.release_in(connection, turn.lease)
            same = (messages.c.id == turn.message.id) & (messages.c.ts == turn.message.ts)
            done = connection.execute(update(messages).where(same).values(tries=0, next_try_at=None))
            if done.rowcount:
                self._note_shown(connection, turn, ended, looks)

        await self._database.transact(end)

    async def called(self, turn: Turn) -> None:
        """The assignees were mentioned."""
        await self._leases.release(turn.lease)

    async def failed(self, turn: Turn, *, pause: bool = True) -> None:
        """Nothing was done. With `pause` the row is left alone, each time for longer."""
        table, row = _row_of(turn)

        def end(connection: Connection) -> None:
            ended = self._leases.release_in(connection, turn.lease)
            values: dict[str, Any] = {}
            if turn.act is Act.POST and ended.ours:
                if turn.message.kind == "news":
                    # What it was to tell is told by the next one.
                    self._forget(connection, turn.message.id)
                    return
                values["posting_since"] = None
            if turn.act is Act.CALL:
                values["mentioned"] = False
            if turn.act is Act.UPDATE and turn.shown_hash is not None and not turn.in_doubt and ended.held:
                connection.execute(put_back(turn.message.id, turn.shown_hash))
            if pause:
                values |= self._pause(connection, table, row, LONGEST_PAUSE_SECONDS)
            if values:
                connection.execute(update(table).where(row).values(values))

        await self._database.transact(end)

    async def unknown(self, turn: Turn) -> None:
        """It may have been done. A post keeps its `posting_since` and is looked up; an edit leaves what the
        message looks like in doubt, so it is made again; a late mention is not.
        """

        def end(connection: Connection) -> None:
            self._leases.release_in(connection, turn.lease)
            if turn.act in (Act.POST, Act.CALL):
                return
            table, row = _row_of(turn)
            paused = self._pause(connection, table, row, LONGEST_AFTER_OUTAGE_SECONDS)
            connection.execute(update(table).where(row).values(paused))

        await self._database.transact(end)

    async def gone(self, turn: Turn) -> None:
        """The message was deleted in Slack, or cannot be written any more."""
        stands = (messages.c.id == turn.message.id) & (messages.c.ts == turn.message.ts)

        def end(connection: Connection) -> None:
            self._leases.release_in(connection, turn.lease)
            if turn.line is not None:
                self._forget_post(connection, turn)
            values = {"ts": None, "posting_since": None, "gone": self._database.now_sql()}
            if connection.execute(update(messages).where(stands).values(values)).rowcount:
                self._reset_shown(connection, turn)

        await self._database.transact(end)

    async def dropped(self, turn: Turn) -> None:
        """The line will never be posted."""
        table, row = _row_of(turn)

        def end(connection: Connection) -> None:
            self._leases.release_in(connection, turn.lease)
            connection.execute(update(table).where(row).values(dropped=True, posting_since=None))

        await self._database.transact(end)

    async def looked_up(
        self, turn: Turn, keep: str | None, *, mentioned: bool = False, extras_left: bool = False
    ) -> None:
        """The look-up is over: `keep` stands there, or nothing does and it may be posted again.

        `extras_left`: a second message could not be deleted; the row asks to be looked up once more.
        """
        table, row = _row_of(turn)

        def end(connection: Connection) -> None:
            ended = self._leases.release_in(connection, turn.lease)
            values: dict[str, Any] = {"tries": 0, "next_try_at": None}
            if extras_left:
                values = self._pause(connection, table, row, LONGEST_AFTER_OUTAGE_SECONDS)
            elif ended.ours:
                values["posting_since"] = None
            if mentioned and turn.line is None:
                values["mentioned"] = True
            if keep is None and turn.message.kind == "news" and ended.ours:
                self._forget(connection, turn.message.id)
                return
            if keep is None:
                values["tries"] = 1
            connection.execute(update(table).where(row).values(values))
            if keep is None:
                return
            stands = {"ts": keep, **_stands(turn)}
            found = connection.execute(update(table).where(row, table.c.ts.is_(None)).values(stands))
            if found.rowcount and turn.line is None:
                # What it showed when it was posted is not known.
                self._reset_shown(connection, turn)

        await self._database.transact(end)

    async def deleted(self, turn: Turn) -> None:
        """The page was taken out of the channel."""

        def end(connection: Connection) -> None:
            self._leases.release_in(connection, turn.lease)
            self._forget(connection, turn.message.id)

        await self._database.transact(end)

    async def folded(self, turn: Turn) -> None:
        """The page is the summary of its storm now, which is over: the other pages list nothing any more.
        After a lost lease it is a page still, and is written anew.

        What was resolved without ever having had a message of its own needs none.
        """
        of_channel = and_(
            messages.c.team_id == turn.message.channel.team_id,
            messages.c.channel_id == turn.message.channel.id,
        )
        storms = select(messages.c.id).where(
            of_channel, messages.c.kind.in_(("page", "news")), messages.c.gone.is_(None)
        )
        was_paged = select(shown.c.incident_id).where(shown.c.message_id.in_(storms))
        over = select(incidents.c.id).where(
            incidents.c.id.in_(was_paged), incidents.c.status == Status.RESOLVED.value
        )
        never_stood = and_(messages.c.ts.is_(None), messages.c.posting_since.is_(None))
        now = self._database.now_sql()

        def end(connection: Connection) -> None:
            if not self._leases.release_in(connection, turn.lease).held:
                # Somebody may have written to the page since, or the storm may have begun anew.
                self._reset_shown(connection, turn)
                return
            connection.execute(
                update(messages)
                .where(of_channel, never_stood, messages.c.kind == "incident", messages.c.gone.is_(None))
                .where(messages.c.incident_id.in_(over))
                .values(gone=now)
            )
            connection.execute(delete(shown).where(shown.c.message_id.in_(storms)))
            news = and_(of_channel, messages.c.kind == "news", messages.c.gone.is_(None))
            connection.execute(update(messages).where(news).values(gone=now))
            connection.execute(
                update(messages).where(messages.c.id == turn.message.id).values(kind="summary")
            )
            of_storm = and_(
                channels.c.team_id == turn.message.channel.team_id,
                channels.c.channel_id == turn.message.channel.id,
            )
            connection.execute(update(channels).where(of_storm).values(storm_since=None, calm_since=None))

        await self._database.transact(end)

    # ------------------------------------------------------------------------------------- inside of them

    def _forget(self, connection: Connection, message_id: int) -> None:
        connection.execute(delete(shown).where(shown.c.message_id == message_id))
        connection.execute(delete(messages).where(messages.c.id == message_id))

    def _note_shown(self, connection: Connection, turn: Turn, ended: Ended, looks: str | None) -> None:
        if not ended.held or looks is None:
            self._reset_shown(connection, turn)
            return
        # Of a post nothing came before it.
        known = SETTLING if turn.act is Act.UPDATE and turn.in_doubt else looks
        if turn.message.kind != "incident":
            self._note_rows(connection, turn, known)
            return
        values = {"revision": turn.revision, "hash": known, "shown_at": self._database.now_sql()}
        connection.execute(
            insert_into(shown, self._database.dialect)
            .values(message_id=turn.message.id, incident_id=turn.message.incident_id, **values)
            .on_conflict_do_update(index_elements=[shown.c.message_id, shown.c.incident_id], set_=values)
        )

    def _note_rows(self, connection: Connection, turn: Turn, looks: str) -> None:
        """A page's rows were rendered as the turn had them; one that has left the page stays away."""
        rows = [{"row": one.incident.id, "rendered": one.revision} for one in turn.rows]
        if turn.message.kind == "page" and rows:
            connection.execute(
                update(shown)
                .where(shown.c.message_id == turn.message.id, shown.c.incident_id == bindparam("row"))
                .values(revision=bindparam("rendered"), hash=looks, shown_at=self._database.now_sql()),
                rows,
            )

    def _reset_shown(self, connection: Connection, turn: Turn) -> None:
        of_message = shown.c.message_id == turn.message.id
        if turn.message.kind == "incident":
            connection.execute(delete(shown).where(of_message))
        elif turn.message.kind == "page":
            # Its rows are its rows still.
            connection.execute(update(shown).where(of_message).values(revision=0))
        else:
            return
        # Its incident may be quiet: a moment to try at is what has it looked at soon.
        soon = func.coalesce(messages.c.next_try_at, self._database.now_sql())
        connection.execute(update(messages).where(messages.c.id == turn.message.id).values(next_try_at=soon))

    def _forget_post(self, connection: Connection, turn: Turn) -> None:
        table, row = _row_of(turn)
        connection.execute(update(table).where(row).values(posting_since=None))

    def _pause(
        self, connection: Connection, table: Table, row: ColumnElement[bool], longest: float
    ) -> dict[str, Any]:
        tries = connection.execute(select(table.c.tries).where(row)).scalar_one_or_none() or 0
        pause = pause_after(tries, longest)
        return {"tries": tries + 1, "next_try_at": self._database.now_sql(pause)}


def _stands(turn: Turn) -> dict[str, Any]:
    """An incident's message that was given up meanwhile, as over before it stood, is there after all: it is
    to be kept true.
    """
    return {"gone": None} if turn.line is None and turn.message.kind == "incident" else {}


def _was_looked_for(turn: Turn) -> bool:
    """This is the post of an incident's message that was tried before. Pages are many and short-lived, and of
    a thread line a second one says what the first does.
    """
    return turn.message.kind == "incident" and turn.line is None and turn.message.tries > 0


def _row_of(turn: Turn) -> tuple[Table, ColumnElement[bool]]:
    if turn.line is not None:
        return thread_lines, is_line(turn.line)
    return messages, messages.c.id == turn.message.id
