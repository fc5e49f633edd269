"""The list of calls worth making now: the database's answer, decided by reconcile.py, less what is held.

Between two questions the loop (bot/delivery/loop.py) takes its work from here. A channel has one call at a
time; what Slack or another replica makes us leave alone is held for a while, and hides nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from bot.delivery.setbacks import Hold, Kind
from bot.model import Channel

Act = Callable[[], Awaitable[Hold | None]]


@dataclass(frozen=True, slots=True)
class Item:
    """One call worth making; `worth` sorts, smallest first; `about` is the message, or message and event."""

    worth: tuple[float, ...]
    channel: Channel
    kind: Kind
    about: tuple[int, ...]
    act: Act
    lasting: bool = True  # worth beginning until the next whole question; a storm's only right after any


class Work:
    """What is to be done, what is being done, and what is held. `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._items: list[Item] = []
        self._busy: set[Channel] = set()
        self._holds: dict[tuple[str, str | None, Kind | None], float] = {}

    def replace(self, items: list[Item], *, whole: bool = True) -> None:
        """The database was asked again; unless it was the `whole` question, what else was known stays."""
        asked = {item.about for item in items}
        kept = [] if whole else [item for item in self._items if item.lasting and item.about not in asked]
        self._items = sorted([*items, *kept], key=lambda item: item.worth)
        now = self._clock()
        self._holds = {key: until for key, until in self._holds.items() if until > now}

    @property
    def is_exhausted(self) -> bool:
        """Everything of the last answer was begun."""
        return not self._items

    def can_go_on(self) -> bool:
        """There is something to begin before the database is asked again."""
        now = self._clock()
        return any(item.lasting and self._is_free(item, now) for item in self._items)

    def take(self, *, fresh: bool = True) -> Iterator[Item]:
        """What may be begun now, most worthwhile first; each item taken makes its channel busy. Unless the
        answer is `fresh`, only what lasts.
        """
        now = self._clock()
        left: list[Item] = []
        waiting = list(self._items)
        for place, item in enumerate(waiting):
            if not self._is_free(item, now) or not (fresh or item.lasting):
                left.append(item)
                continue
            self._busy.add(item.channel)
            self._items = left + waiting[place + 1 :]
            yield item
        self._items = left

    def done(self, item: Item, hold: Hold | None) -> None:
        """Its turn is over."""
        self._busy.discard(item.channel)
        if hold is not None:
            key = (hold.team_id, hold.channel_id, hold.kind)
            until = self._clock() + hold.seconds
            self._holds[key] = max(until, self._holds.get(key, until))

    def next_in(self, longest: float) -> float:
        """Seconds until a hold ends that something waits for, at most `longest`."""
        now = self._clock()
        ends = [
            until - now
            for item in self._items
            if item.channel not in self._busy and (until := self._held_until(item)) > now
        ]
        return min([longest, *ends])

    def _is_free(self, item: Item, now: float) -> bool:
        return item.channel not in self._busy and self._held_until(item) <= now

    def _held_until(self, item: Item) -> float:
        team, channel = item.channel.team_id, item.channel.id
        keys = (
            (team, None, None),
            (team, None, item.kind),
            (team, channel, None),
            (team, channel, item.kind),
        )
        return max(self._holds.get(key, 0.0) for key in keys)
