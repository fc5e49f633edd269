"""What the simulated bot knows of its channels, and the figures the policy is asked with."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.delivery.setbacks import Kind
from bot.delivery.storm import EditPage, Option, PageState, Tuning, Unseen, Untold
from bot.store.pace import PaceLimits
from tests.bench.storm_world import Play, Stands


class Bucket:
    """A token bucket of bot/store/pace.py in virtual time."""

    def __init__(self, name: str) -> None:
        limits = PaceLimits().bucket(name)
        self.size, self.rate = limits.size, limits.rate
        self._tokens, self._at = self.size, 0.0

    def has(self, now: float, reserve: float = 0.0) -> bool:
        self._tokens = min(self.size, self._tokens + (now - self._at) * self.rate)
        self._at = now
        return self._tokens >= 1 + reserve * self.size - 1e-9

    def spend(self) -> None:
        self._tokens -= 1


@dataclass(eq=False)
class Page:
    """A page, and since when each of its rows has been untrue."""

    row: int
    members: list[Play]
    message: Stands = field(default_factory=lambda: Stands(0.0))
    behind: dict[int, float] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Channel:
    """What the bot knows of a channel: `waiting` stand nowhere or on no page yet, since when."""

    number: int
    waiting: dict[int, float] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    old: list[Page] = field(default_factory=list)
    own: dict[int, Stands] = field(default_factory=dict)
    own_behind: dict[int, float] = field(default_factory=dict)
    own_told: set[int] = field(default_factory=set)
    own_wanted: dict[int, float] = field(default_factory=dict)
    events: list[int] = field(default_factory=list)
    in_storm: bool = False
    busy: bool = False


def kind_of(option: Option) -> Kind:
    return Kind.EDITS if isinstance(option.call, EditPage) else Kind.POSTS


def used(page: Page) -> int:
    """The room its rows take; resolved ones are short."""
    says = page.message.says
    return sum(one.lengths[max(0, says.get(one.number, 1) - 1)] for one in page.members)


def page_state(page: Page, now: float, tuning: Tuning) -> PageState:
    waits = [now - since for since in page.behind.values()]
    told = sum(now - page.behind[number] for number in page.told)
    return PageState(
        row=page.row,
        used=used(page),
        rows=len(page.members),
        stale=sum(waits) - told * (1 - tuning.told_weight),
        oldest=max(waits, default=0.0),
    )


def untold(channel: Channel, now: float) -> Untold:
    waits = [
        now - since
        for page in channel.pages
        for number, since in page.behind.items()
        if number not in page.told
    ]
    waits += [now - since for number, since in channel.own_behind.items() if number not in channel.own_told]
    return Untold(waited=sum(waits), longest=max(waits, default=0.0))


def unseen(channel: Channel, now: float) -> Unseen:
    waits = [now - since for since in channel.waiting.values()]
    return Unseen(
        rows=len(waits),
        used=150 * len(waits),
        waited=sum(waits),
        longest=max(waits, default=0.0),
    )
