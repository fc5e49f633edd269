"""What is done about a call to Slack that did not go well: one place for posts, edits, look-ups and lines.

Each kind of bot/slack/failures.py ends the turn in its own way and tells the loop what to leave alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import structlog

from bot.command.writing_down import Sleep, kept
from bot.delivery.closing import Closing
from bot.delivery.periods import Periods
from bot.delivery.tokens import Tokens
from bot.errors import SlackFailure
from bot.metrics import Metrics
from bot.slack.failures import (
    ChannelClosed,
    ContentRefused,
    Limited,
    MessageGone,
    OutcomeUnknown,
    TokenBad,
    Unreachable,
)
from bot.store.outcomes import Outcomes
from bot.store.pace import DELETES, HISTORY, REPLIES, UPDATES, Pace
from bot.store.turns import Act, NotNow, Turn

log = structlog.get_logger("pagerline.delivery")

T = TypeVar("T")

SAVING_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Between attempts to write down what Slack has done: losing it costs a look-up, or a double."""


class Kind(StrEnum):
    """Calls that wait for the same thing."""

    POSTS = "posts"
    EDITS = "edits"
    CLICKS = "clicks"  # edits a person waits for, which have a share of their own
    DELETES = "deletes"
    LOOKS = "looks"
    THREADS = "threads"  # looks into one


@dataclass(frozen=True, slots=True)
class Hold:
    """What is left alone for `seconds`: a workspace or one channel of it, every call or those of one kind."""

    seconds: float
    team_id: str
    channel_id: str | None = None
    kind: Kind | None = None


def held(not_now: NotNow, turn_kind: Kind, team_id: str, channel_id: str) -> Hold:
    """A turn could not begin: the pace of edits is the workspace's, that of posts mostly the channel's."""
    if not not_now.by_pace:
        return Hold(not_now.seconds, team_id, channel_id)
    if turn_kind is Kind.POSTS:
        return Hold(not_now.seconds, team_id, channel_id, turn_kind)
    return Hold(not_now.seconds, team_id, None, turn_kind)


UNDONE_SECONDS = 0.1
MOST_LINE_TRIES = 8  # some four minutes


def undone(kind: Kind, team_id: str, channel_id: str) -> Hold:
    """A turn found nothing to do: somebody was faster. The next question is not asked at once."""
    return Hold(UNDONE_SECONDS, team_id, channel_id, kind)


class Setbacks:
    """Ends the turns of failed calls."""

    def __init__(
        self,
        outcomes: Outcomes,
        pace: Pace,
        closing: Closing,
        tokens: Tokens,
        *,
        periods: Periods,
        sleep: Sleep,
        metrics: Metrics | None = None,
    ) -> None:
        self._outcomes = outcomes
        self._pace = pace
        self._closing = closing
        self._tokens = tokens
        self._periods = periods
        self._sleep = sleep
        self._metrics = metrics

    def count(self, kind: str, outcome: str) -> None:
        """For the metrics: one call by what it was and how it went."""
        if self._metrics is not None:
            self._metrics.delivery(kind, outcome)

    async def meet(self, turn: Turn, failure: SlackFailure, *, kind: str) -> Hold | None:
        """End the turn as the failure demands; what the loop is to leave alone."""
        self.count(kind, failure.code)
        channel = turn.message.channel
        hold: Hold | None = None
        match failure:
            case OutcomeUnknown():
                log.warning("slack_outcome_unknown", kind=kind, channel=channel.id, code=failure.code)
                hold = Hold(self._periods.hold / 2, channel.team_id)
                await self.saved(lambda: self._outcomes.unknown(turn))
            case MessageGone():
                await self.saved(lambda: self._outcomes.gone(turn))
            case ChannelClosed():
                broken = await self.saved(lambda: self._closing.close(channel, failure))
                try:
                    await self.saved(lambda: self._outcomes.failed(turn, pause=False))
                finally:
                    # They are named once only, so they are told whatever became of the turn.
                    await self._closing.tell(channel, failure, broken)
            case TokenBad():
                self._tokens.found_bad(channel.team_id, failure)
                await self.saved(lambda: self._outcomes.failed(turn, pause=False))
            case Limited():
                hold = await self._limited(turn, failure)
            case Unreachable():
                log.warning("slack_unreachable", kind=kind, channel=channel.id, code=failure.code)
                hold = Hold(self._periods.hold, channel.team_id)
                await self.saved(lambda: self._outcomes.failed(turn, pause=False))
            case _:
                log.error(
                    "slack_refused",
                    kind=kind,
                    channel=channel.id,
                    code=failure.code,
                    reasons=failure.reasons if isinstance(failure, ContentRefused) else (),
                    incident=turn.message.incident_id,
                )
                if turn.line is not None and turn.line.tries >= MOST_LINE_TRIES:
                    # It must not keep back the news after it for ever.
                    await self.saved(lambda: self._outcomes.dropped(turn))
                else:
                    await self.saved(lambda: self._outcomes.failed(turn))
        return hold

    async def _limited(self, turn: Turn, failure: Limited) -> Hold:
        channel = turn.message.channel
        if turn.act in (Act.POST, Act.CALL):
            await self.saved(lambda: self._pace.post_blocked(channel, failure.seconds))
            hold = Hold(failure.seconds, channel.team_id, channel.id, Kind.POSTS)
        elif turn.act is Act.UPDATE:
            await self.saved(lambda: self._pace.blocked(channel.team_id, UPDATES, failure.seconds))
            hold = Hold(failure.seconds, channel.team_id, None, Kind.EDITS)
        elif turn.act is Act.DELETE:
            await self.saved(lambda: self._pace.blocked(channel.team_id, DELETES, failure.seconds))
            hold = Hold(failure.seconds, channel.team_id, None, Kind.DELETES)
        else:
            bucket, kind = (HISTORY, Kind.LOOKS) if turn.line is None else (REPLIES, Kind.THREADS)
            await self.saved(lambda: self._pace.blocked(channel.team_id, bucket, failure.seconds))
            hold = Hold(failure.seconds, channel.team_id, None, kind)
        await self.saved(lambda: self._outcomes.failed(turn, pause=False))
        return hold

    def refused_content(self, turn: Turn, failure: ContentRefused) -> None:
        """Slack does not take what was rendered: the log has what is to be mended."""
        log.error(
            "content_refused",
            id=uuid.uuid4().hex[:8],
            incident=turn.message.incident_id,
            channel=turn.message.channel.id,
            code=failure.code,
            reasons=failure.reasons,
        )

    async def saved(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write down what has happened in Slack, again and again while the database is away.

        Raises StoreUnavailable in the end: then the row still says that a post is under way.
        """
        return await kept(write, pauses=SAVING_PAUSES, sleep=self._sleep)
