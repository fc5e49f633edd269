"""Posts whose outcome nobody knows: looked up in the channel's history before anything is posted again.

A post that was carried out is found by the row id in its metadata, and any second one is deleted. What was
read of a channel answers for every post that can have come to nothing else by then: after a crash in a storm
one call tells of many. Without the history scopes (they are optional) it is posted again after the same wait:
rather twice than never.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.delivery.desk import Desk
from bot.delivery.reconcile import LOOK_BACK, settle
from bot.delivery.setbacks import Hold, Kind, held, undone
from bot.errors import SlackFailure
from bot.model import Channel
from bot.slack.client import Found
from bot.slack.failures import ScopeMissing
from bot.store.rows import Candidate, Message, ThreadLine
from bot.store.turns import Begun, NotNow, Turn

log = structlog.get_logger("pagerline.delivery")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message of unknown outcome, asked about at `asked_at`; `oldest`: when the first such post of its
    channel was begun. Both are the database's clock.
    """

    asked_at: datetime
    oldest: datetime


@dataclass(frozen=True, slots=True)
class _Read:
    """Our messages in a channel after `oldest`, as they stood at `at` or later."""

    at: datetime
    oldest: datetime
    said: Sequence[Found]

    def answers_for(self, begun: datetime | None, settled: timedelta) -> bool:
        """Whether a post begun then stands here if it stands at all."""
        return begun is not None and begun - LOOK_BACK >= self.oldest and begun + settled <= self.at


def oldest_doubts(candidates: Iterable[Candidate]) -> dict[Channel, datetime]:
    """When the first post of unknown outcome was begun, by channel."""
    found: dict[Channel, datetime] = {}
    for one in candidates:
        if (begun := one.message.posting_since) is not None:
            found[one.message.channel] = min(begun, found.get(one.message.channel, begun))
    return found


class LookUps:
    """Makes the calls of `LookUp` (bot/delivery/reconcile.py), for messages and for thread lines."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._settled = timedelta(seconds=desk.periods.settled)
        self._reads: dict[Channel, _Read] = {}  # the last one of each channel
        self._told = False

    async def message(self, message: Message, doubt: Doubt | None = None) -> Hold | None:
        """Find out whether this message stands in its channel, and whether twice. With `doubt` the channel is
        read from its oldest one on, for all of them.
        """
        if message.kind != "incident":
            return await self._look(await self._desk.page_turns.begin_look_up(message), message.channel)
        at_hand = self._at_hand(message) is not None
        turn = await self._desk.turns.begin_look_up(message, at_hand=at_hand)
        return await self._look(turn, message.channel, doubt=doubt)

    async def line(self, line: ThreadLine) -> Hold | None:
        """The same for a thread line, in its thread."""
        turn = await self._desk.turns.begin_line_look_up(line)
        return await self._look(turn, line.channel, kind=Kind.THREADS)

    async def _look(
        self, turn: Begun, channel: Channel, *, kind: Kind = Kind.LOOKS, doubt: Doubt | None = None
    ) -> Hold | None:
        if turn is None:
            return undone(kind, channel.team_id, channel.id)
        if isinstance(turn, NotNow):
            return held(turn, kind, channel.team_id, channel.id)
        desk = self._desk
        known = turn.message.ts if turn.line is None else None
        try:
            found = await self._find(turn, doubt)
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

    def _at_hand(self, message: Message) -> _Read | None:
        read = self._reads.get(message.channel)
        return read if read and read.answers_for(message.posting_since, self._settled) else None

    async def _find(self, turn: Turn, doubt: Doubt | None) -> Sequence[Found]:
        """Our messages of this row (and event) since a minute before the post was begun."""
        slack = self._desk.slack(turn)
        channel, row = turn.message.channel.id, turn.message.id
        if turn.line is None:
            begun = turn.message.posting_since
            assert begun is not None
            read = self._at_hand(turn.message)
            if read is None:
                oldest = (min(begun, doubt.oldest) if doubt else begun) - LOOK_BACK
                said = await slack.history(channel, oldest=oldest.timestamp())
                read = _Read(doubt.asked_at if doubt else begun, oldest, said)
                self._reads[turn.message.channel] = read
            ours = (turn.message.kind, row)
            return [one for one in read.said if one.mark and (one.mark.kind, one.mark.row) == ours]
        begun = turn.line.posting_since
        assert begun is not None
        since = (begun - LOOK_BACK).timestamp()
        said = await slack.replies(channel, turn.line.thread_ts, oldest=since)
        wanted = ("line", row, turn.line.event_id)
        return [one for one in said if one.mark and (one.mark.kind, one.mark.row, one.mark.event) == wanted]

    def _tell_once(self, missing: ScopeMissing) -> None:
        if not self._told:
            log.warning("history_scope_missing", needed=missing.needed)
        self._told = True
