"""Ending a turn: what became of a call to Slack is written down, and the channel's lease given back, at once.

The other half of bot/store/turns.py. A turn whose lease was lost meanwhile (its process was frozen) does not
trust what it did: it resets `shown`, so that the truth is written again, and leaves to the other holder what
is theirs.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.leases import Ended, Leases
from bot.store.tables import messages, shown, thread_lines
from bot.store.turns import Act, Turn, is_line
from bot.store.upsert import insert_into

LONGEST_PAUSE_SECONDS = 300.0


def pause_after(tries: int, longest: float = LONGEST_PAUSE_SECONDS) -> float:
    """Seconds to leave a row alone after its call failed for the nth time in a row: doubled each time."""
    return min(longest, 2.0 ** min(tries, 10))


class Outcomes:
    """Ends turns."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self._database = database
        self._leases = leases

    async def posted(self, turn: Turn, ts: str, *, looks: str | None = None, mentioned: bool = False) -> bool:
        """It stands there as `ts`, looking like the hash `looks`. False: its row has another message already,
        and this one is to be deleted; until that is certain the row asks to be looked up.
        """
        table, row = _row_of(turn)
        async with self._database.write() as connection:
            ended = await self._leases.release_in(connection, turn.lease)
            query = select(table.c.ts).where(row).with_for_update()
            known = (await connection.execute(query)).first()
            if known is None or known.ts not in (None, ts):
                doubt = {"posting_since": func.coalesce(table.c.posting_since, self._database.now_sql())}
                await connection.execute(update(table).where(row).values(doubt))
                return False
            values: dict[str, Any] = {"ts": ts, "tries": 0, "next_try_at": None}
            if ended.ours:
                # Otherwise another holder has a post of its own under way.
                values["posting_since"] = None
            if mentioned:
                values["mentioned"] = True
            await connection.execute(update(table).where(row).values(values))
            if turn.line is None:
                await self._note_shown(connection, turn, ended, looks)
            return True

    async def updated(self, turn: Turn, looks: str) -> None:
        """The message shows the turn's revision now, or showed it already."""
        async with self._database.write() as connection:
            ended = await self._leases.release_in(connection, turn.lease)
            same = (messages.c.id == turn.message.id) & (messages.c.ts == turn.message.ts)
            done = await connection.execute(update(messages).where(same).values(tries=0, next_try_at=None))
            if done.rowcount:
                await self._note_shown(connection, turn, ended, looks)

    async def called(self, turn: Turn) -> None:
        """The assignees were mentioned."""
        await self._leases.release(turn.lease)

    async def failed(self, turn: Turn, *, pause: bool = True, seconds: float = 0.0) -> None:
        """Nothing was done. The row is left alone for a pause that grows, or for `seconds` when that is
        longer.
        """
        table, row = _row_of(turn)
        async with self._database.write() as connection:
            ended = await self._leases.release_in(connection, turn.lease)
            values: dict[str, Any] = {}
            if turn.act is Act.POST and ended.ours:
                values["posting_since"] = None
            if turn.act is Act.CALL:
                values["mentioned"] = False
            if pause or seconds:
                values |= await self._pause(connection, table, row, seconds)
            if values:
                await connection.execute(update(table).where(row).values(values))

    async def unknown(self, turn: Turn) -> None:
        """It may have been done. A post keeps its `posting_since` and is looked up; an edit is made again; a
        late mention is not.
        """
        async with self._database.write() as connection:
            await self._leases.release_in(connection, turn.lease)
            if turn.act in (Act.POST, Act.CALL):
                return
            table, row = _row_of(turn)
            paused = await self._pause(connection, table, row, 0.0)
            await connection.execute(update(table).where(row).values(paused))
            if turn.line is None and turn.act is Act.UPDATE:
                await self._reset_shown(connection, turn)

    async def gone(self, turn: Turn) -> None:
        """The message was deleted in Slack, or cannot be written any more."""
        stands = (messages.c.id == turn.message.id) & (messages.c.ts == turn.message.ts)
        async with self._database.write() as connection:
            await self._leases.release_in(connection, turn.lease)
            if turn.line is not None:
                await self._forget_post(connection, turn)
            values = {"ts": None, "posting_since": None, "gone": self._database.now_sql()}
            if (await connection.execute(update(messages).where(stands).values(values))).rowcount:
                await self._reset_shown(connection, turn)

    async def dropped(self, turn: Turn) -> None:
        """The line will never be posted."""
        table, row = _row_of(turn)
        async with self._database.write() as connection:
            await self._leases.release_in(connection, turn.lease)
            await connection.execute(update(table).where(row).values(dropped=True, posting_since=None))

    async def looked_up(
        self, turn: Turn, keep: str | None, *, mentioned: bool = False, extras_left: bool = False
    ) -> None:
        """The look-up is over: `keep` stands there, or nothing does and it may be posted again.

        `extras_left`: a second message could not be deleted; the row asks to be looked up once more.
        """
        table, row = _row_of(turn)
        async with self._database.write() as connection:
            ended = await self._leases.release_in(connection, turn.lease)
            values: dict[str, Any] = {"tries": 0, "next_try_at": None}
            if extras_left:
                values = await self._pause(connection, table, row, 0.0)
            elif ended.ours:
                values["posting_since"] = None
            if mentioned and turn.line is None:
                values["mentioned"] = True
            await connection.execute(update(table).where(row).values(values))
            if keep is None:
                return
            found = await connection.execute(update(table).where(row, table.c.ts.is_(None)).values(ts=keep))
            if found.rowcount and turn.line is None:
                # What it showed when it was posted is not known.
                await self._reset_shown(connection, turn)

    # ------------------------------------------------------------------------------------- inside of them

    async def _note_shown(
        self, connection: AsyncConnection, turn: Turn, ended: Ended, looks: str | None
    ) -> None:
        if not ended.held or looks is None:
            await self._reset_shown(connection, turn)
            return
        values = {"revision": turn.revision, "hash": looks, "shown_at": self._database.now_sql()}
        await connection.execute(
            insert_into(shown, self._database.dialect)
            .values(message_id=turn.message.id, incident_id=turn.message.incident_id, **values)
            .on_conflict_do_update(index_elements=[shown.c.message_id, shown.c.incident_id], set_=values)
        )

    async def _reset_shown(self, connection: AsyncConnection, turn: Turn) -> None:
        await connection.execute(delete(shown).where(shown.c.message_id == turn.message.id))
        # Its incident may be quiet: a moment to try at is what has it looked at soon.
        soon = func.coalesce(messages.c.next_try_at, self._database.now_sql())
        await connection.execute(
            update(messages).where(messages.c.id == turn.message.id).values(next_try_at=soon)
        )

    async def _forget_post(self, connection: AsyncConnection, turn: Turn) -> None:
        table, row = _row_of(turn)
        await connection.execute(update(table).where(row).values(posting_since=None))

    async def _pause(
        self, connection: AsyncConnection, table: Table, row: ColumnElement[bool], seconds: float
    ) -> dict[str, Any]:
        tries = (await connection.execute(select(table.c.tries).where(row))).scalar_one_or_none() or 0
        pause = max(seconds, pause_after(tries))
        return {"tries": tries + 1, "next_try_at": self._database.now_sql(pause)}


def _row_of(turn: Turn) -> tuple[Table, ColumnElement[bool]]:
    if turn.line is not None:
        return thread_lines, is_line(turn.line)
    return messages, messages.c.id == turn.message.id
