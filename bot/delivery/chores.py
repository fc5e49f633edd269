"""What delivery does beside its calls, periodically: late mentions, bad tokens, closed channels, figures.

Run by the loop in a task of their own, so that no message waits for them.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.delivery.closing import Closing
from bot.delivery.lines import Lines
from bot.delivery.periods import Periods
from bot.delivery.tokens import Tokens
from bot.metrics import Metrics
from bot.store.messages import Messages


class Chores:
    """`clock` is monotonic seconds."""

    def __init__(
        self,
        messages: Messages,
        lines: Lines,
        tokens: Tokens,
        closing: Closing,
        *,
        periods: Periods,
        metrics: Metrics | None,
        clock: Callable[[], float],
    ) -> None:
        self._messages = messages
        self._lines = lines
        self._tokens = tokens
        self._closing = closing
        self._metrics = metrics
        self._clock = clock
        self._periods = {
            "figures": periods.figures,
            "tokens": periods.tokens,
            "closed": periods.closed,
            "mentions": periods.mentions,
        }
        self._next = dict.fromkeys(self._periods, 0.0)

    def are_due(self) -> bool:
        """Something is to be done."""
        return min(self._next.values()) <= self._clock()

    async def do(self) -> bool:
        """Do what is due; True when messages may be due because of it."""
        new = False
        if self._is_time("figures") and self._metrics is not None:
            backlog = await self._messages.backlog()
            self._metrics.backlog(backlog.count)
            self._metrics.worst_staleness(backlog.worst_seconds)
            self._metrics.channels_in_storm(backlog.in_storm)
        if self._is_time("tokens"):
            new |= await self._tokens.try_again()
        if self._is_time("closed"):
            new |= await self._closing.look_again()
        if self._is_time("mentions"):
            await self._call_late()
        return new

    def _is_time(self, chore: str) -> bool:
        if self._clock() < self._next[chore]:
            return False
        self._next[chore] = self._clock() + self._periods[chore]
        return True

    async def _call_late(self) -> None:
        for uncalled in await self._messages.uncalled():
            if not self._tokens.is_bad(uncalled.message.channel.team_id):
                await self._lines.call(uncalled)
