"""Posts whose outcome nobody knows: looked up in the channel's history before anything is posted again.

A post that was carried out is found by the row id in its metadata, and any second one is deleted. Without the
history scopes (they are optional) it is posted again after the same wait: rather twice than never.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.delivery.desk import Desk
from bot.delivery.reconcile import LOOK_BACK, settle
from bot.delivery.setbacks import Hold, Kind, held, undone
from bot.errors import SlackFailure
from bot.model import Channel
from bot.slack.client import Found
from bot.slack.failures import ScopeMissing
from bot.store.rows import Message, ThreadLine
from bot.store.turns import Begun, NotNow, Turn

log = structlog.get_logger("pagerline.delivery")


class LookUps:
    """Makes the calls of `LookUp` (bot/delivery/reconcile.py), for messages and for thread lines."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told = False

    async def message(self, message: Message) -> Hold | None:
        """Find out whether this message stands in its channel, and whether twice."""
        turns = self._desk.turns if message.kind == "incident" else self._desk.page_turns
        return await self._look(await turns.begin_look_up(message), message.channel)

    async def line(self, line: ThreadLine) -> Hold | None:
        """The same for a thread line, in its thread."""
        return await self._look(await self._desk.turns.begin_line_look_up(line), line.channel)

    async def _look(self, turn: Begun, channel: Channel) -> Hold | None:
        if turn is None:
            return undone(Kind.LOOKS, channel.team_id, channel.id)
        if isinstance(turn, NotNow):
            return held(turn, Kind.LOOKS, channel.team_id, channel.id)
        desk = self._desk
        known = turn.message.ts if turn.line is None else None
        try:
            found = await self._find(turn)
        except ScopeMissing as missing:
            self._tell_once(missing)
            await desk.setbacks.saved(lambda: desk.outcomes.looked_up(turn, known))
            desk.setbacks.count("look_up", "no_scope")
            return None
        except SlackFailure as failure:
            return await desk.setbacks.meet(turn, failure, kind="look_up")
        settled = settle((one.ts for one in found), known)
        deleted = [await desk.delete_extra(turn, ts) for ts in settled.extras]
        mentioned = any(one.mark is not None and one.mark.mentioned for one in found)
        await desk.setbacks.saved(
            lambda: desk.outcomes.looked_up(
                turn, settled.keep, mentioned=mentioned, extras_left=not all(deleted)
            )
        )
        log.info(
            "post_looked_up",
            channel=turn.message.channel.id,
            incident=turn.message.incident_id,
            found=len(found),
            deleted=len(deleted),
        )
        desk.setbacks.count("look_up", "found" if settled.keep else "nothing")
        return None

    async def _find(self, turn: Turn) -> Sequence[Found]:
        """Our messages of this row (and event) since a minute before the post was begun."""
        slack = self._desk.slack(turn)
        channel, row = turn.message.channel.id, turn.message.id
        if turn.line is None:
            begun = turn.message.posting_since
            assert begun is not None
            said = await slack.history(channel, oldest=(begun - LOOK_BACK).timestamp())
            ours = (turn.message.kind, row)
            return [one for one in said if one.mark and (one.mark.kind, one.mark.row) == ours]
        begun = turn.line.posting_since
        assert begun is not None
        oldest = (begun - LOOK_BACK).timestamp()
        said = await slack.replies(channel, turn.line.thread_ts, oldest=oldest)
        wanted = ("line", row, turn.line.event_id)
        return [one for one in said if one.mark and (one.mark.kind, one.mark.row, one.mark.event) == wanted]

    def _tell_once(self, missing: ScopeMissing) -> None:
        if not self._told:
            log.warning("history_scope_missing", needed=missing.needed)
        self._told = True
