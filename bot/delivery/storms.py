"""Channels in storm: what bot/delivery/storm.py weighs, from the database's figures, as items for the loop.

Asked with every question of the loop. It also moves a storm on: in when too much waits in a channel, calm
when nothing happens any more, over when everything open has a message of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from functools import partial

import structlog

from bot.delivery.lookup import LookUps
from bot.delivery.pages import Pages
from bot.delivery.periods import Periods
from bot.delivery.reconcile import Urgent
from bot.delivery.setbacks import Hold, Kind
from bot.delivery.storm import (
    OPEN_ROW,
    RESOLVED_ROW,
    EditPage,
    Option,
    PageState,
    PostNews,
    PostPage,
    Tuning,
    Unseen,
    Untold,
    ends,
    fits,
    options,
)
from bot.delivery.work import Act, Item
from bot.model import Channel
from bot.store.messages import PER_CHANNEL
from bot.store.pace import PaceLimits
from bot.store.rows import Candidate, Message
from bot.store.storms import ChannelStorm, PageSums, Storms

log = structlog.get_logger("pagerline.delivery")

TOGETHER_SECONDS = 10.0
"""First posts that would take longer than this, one after the other, make a storm."""
BEHIND_MINUTES = 0.6
"""Messages whose edits would take longer than this make one too."""


def tuning_for(limits: PaceLimits, calm_seconds: float) -> Tuning:
    """The thresholds follow from what Slack allows: there is nothing to configure."""
    return Tuning(
        calm=calm_seconds,
        enter_waiting=max(3, math.ceil(TOGETHER_SECONDS * limits.channel_per_second)),
        enter_behind=max(3, math.ceil(BEHIND_MINUTES * limits.updates_per_minute)),
    )


class StormWork:
    """Gives the loop its items for channels in storm."""

    def __init__(
        self, storms: Storms, pages: Pages, look_ups: LookUps, *, tuning: Tuning, periods: Periods
    ) -> None:
        self._storms = storms
        self._pages = pages
        self._look_ups = look_ups
        self._tuning = tuning
        self._periods = periods

    async def begin(self, candidates: Iterable[Candidate]) -> bool:
        """A storm where too much waits; True when one has begun."""
        waiting = Counter(
            (one.message.channel, one.message.ts is None)
            for one in candidates
            if one.message.posting_since is None
        )
        most = {True: self._tuning.enter_waiting, False: self._tuning.enter_behind}
        suspects = {
            channel for (channel, first), count in waiting.items() if count >= min(PER_CHANNEL, most[first])
        }
        begun = await self._storms.begin(suspects, waiting=most[True], behind=most[False])
        for channel in begun:
            log.warning("storm_begins", team=channel.team_id, channel=channel.id)
        return bool(begun)

    async def items(self) -> list[Item]:
        """The calls worth making for all storms; also what is left of those that are over."""
        found: list[Item] = []
        for storm in await self._storms.look(self._periods.settled):
            found += self._doubts(storm)
            found += self._remains(storm)
            if storm.storm_since is not None:
                found += self._calls(storm)
                found += await self._on(storm)
        return found

    # ------------------------------------------------------------------------------------- of one channel

    def _doubts(self, storm: ChannelStorm) -> list[Item]:
        """Posts of unknown outcome."""
        return [
            self._item(storm, Kind.LOOKS, self._looking(message), message.id, rank=Urgent.PAGE)
            for message in storm.in_doubt
        ]

    def _looking(self, message: Message) -> Act:
        async def act() -> Hold | None:
            return await self._look_ups.message(message)

        return act

    def _remains(self, storm: ChannelStorm) -> list[Item]:
        """Pages that came to nothing are posted again; those that list nothing are taken away."""
        found: list[Item] = []
        all_stand = all(page.message.ts is not None for page in storm.pages)
        for page in storm.pages:
            message = page.message
            if not page.try_now or message.posting_since is not None:
                continue
            if message.ts is None and page.rows:
                found.append(
                    self._item(storm, Kind.POSTS, self._again(message), message.id, rank=Urgent.PAGE)
                )
            elif message.ts is not None and not page.rows and all_stand:
                found.append(
                    self._item(storm, Kind.DELETES, self._deleting(message), message.id, rank=Urgent.CLEARING)
                )
        return found

    def _again(self, message: Message) -> Act:
        async def act() -> Hold | None:
            return await self._pages.again(message)

        return act

    def _deleting(self, message: Message) -> Act:
        async def act() -> Hold | None:
            return await self._pages.delete(message)

        return act

    def _calls(self, storm: ChannelStorm) -> list[Item]:
        """What the policy would do."""
        standing = [
            page
            for page in storm.pages
            if page.rows and page.message.ts is not None and page.message.posting_since is None
        ]
        ready = [_state(page, self._tuning) for page in standing if page.try_now]
        unseen = Unseen(
            rows=storm.unseen,
            used=storm.unseen * OPEN_ROW,
            waited=storm.waited,
            longest=storm.longest,
        )
        untold = Untold(
            waited=sum(page.untold for page in storm.pages) + storm.own,
            longest=max([storm.own_oldest, *(page.oldest_untold for page in storm.pages)]),
        )
        old = sum(1 for page in storm.pages if not page.rows)
        by_row = {page.message.id: page for page in standing}
        return [
            self._option_item(storm, option, by_row, ready)
            for option in options(ready, unseen, untold, old, self._tuning)
        ] + [
            self._item(storm, Kind.EDITS, partial(self._edit, page), page.message.id, rank=Urgent.CONFIRMING)
            for page in standing
            if page.try_now and not page.oldest and (page.in_doubt or page.settled)
        ]

    async def _edit(self, page: PageSums) -> Hold | None:
        return await self._pages.edit(page.message, settled=page.settling if page.settled else None)

    def _option_item(
        self, storm: ChannelStorm, option: Option, by_row: dict[int, PageSums], pages: list[PageState]
    ) -> Item:
        channel, call, pager = storm.channel, option.call, self._pages

        async def act() -> Hold | None:
            match call:
                case EditPage(row):
                    return await self._edit(by_row[row])
                case PostPage(absorbs):
                    return await pager.new(
                        channel, absorbs, fits([one for one in pages if one.row in absorbs])
                    )
                case PostNews():
                    return await pager.news(channel)

        if isinstance(call, EditPage):
            # Among the other edits: most seconds of staleness removed first.
            return self._item(storm, Kind.EDITS, act, call.row, option.seconds, rank=Urgent.UPDATE)
        about = -1 if isinstance(call, PostPage) else -2
        return self._item(storm, Kind.POSTS, act, about, option.seconds, rank=Urgent.PAGE)

    def _item(
        self, storm: ChannelStorm, kind: Kind, act: Act, about: int, seconds: float = 0.0, *, rank: Urgent
    ) -> Item:
        return Item((rank, 0, 0, -seconds), storm.channel, kind, (about,), act, lasting=False)

    async def _on(self, storm: ChannelStorm) -> list[Item]:
        """From storm to calm, and from calm to its end."""
        untrue = sum(1 for page in storm.pages if not page.is_true)
        if storm.calm_since is None:
            quiet = min((page.quiet for page in storm.pages if page.rows), default=math.inf)
            age = (storm.asked_at - storm.storm_since).total_seconds() if storm.storm_since else 0.0
            if not untrue and not storm.unseen and min(quiet, age) >= self._tuning.calm:
                await self._storms.calm(storm.channel)
                log.info("storm_calms_down", channel=storm.channel.id, alone=storm.alone)
            return []
        if not ends(untrue=untrue, unseen=storm.unseen, alone=storm.alone):
            return []
        return [self._item(storm, Kind.EDITS, self._folding(storm.channel), -3, rank=Urgent.UPDATE)]

    def _folding(self, channel: Channel) -> Act:
        async def act() -> Hold | None:
            return await self._pages.fold(channel)

        return act


def _state(page: PageSums, tuning: Tuning) -> PageState:
    return PageState(
        row=page.message.id,
        used=page.open_rows * OPEN_ROW + (page.rows - page.open_rows) * RESOLVED_ROW,
        rows=page.rows,
        stale=page.untold + page.told * tuning.told_weight,
        oldest=page.oldest,
    )
