"""The only writer of living messages: asks which message is not true, and makes the calls that change it.

Woken by whoever saves something newer (bot/store/wake.py), by an invitation, and by its own poll; several
replicas run it at once. Channels are written to side by side, each by one holder of its lease at a time;
nobody sleeps holding a lease. `stop` lets the calls under way finish.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.declaration import Button
from bot.delivery.chores import Chores
from bot.delivery.closing import Closing
from bot.delivery.desk import Desk
from bot.delivery.lines import Lines
from bot.delivery.lookup import Doubt, LookUps, oldest_doubts
from bot.delivery.pages import Pages
from bot.delivery.periods import Periods
from bot.delivery.posting import Poster
from bot.delivery.reconcile import LookUp, Post, Update, line_worth, next_call, worth
from bot.delivery.setbacks import Hold, Kind, Setbacks
from bot.delivery.storm import Tuning
from bot.delivery.storms import StormWork, tuning_for
from bot.delivery.tokens import Tokens
from bot.delivery.work import Item, Work
from bot.errors import StoreUnavailable
from bot.metrics import Metrics
from bot.model import Channel
from bot.slack.workspaces import Workspaces
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.messages import Messages
from bot.store.outcomes import Outcomes
from bot.store.pace import Pace
from bot.store.page_turns import PageTurns
from bot.store.people import People
from bot.store.rows import Candidate, ThreadLine
from bot.store.storms import Storms
from bot.store.subscriptions import Subscriptions
from bot.store.turns import Turns
from bot.store.wake import Wake

log = structlog.get_logger("pagerline.delivery")

MOST_AT_ONCE = 8
"""Channels written to at the same time."""
BETWEEN_QUESTIONS = 0.03
"""Seconds at least; the first hint after a rest is never kept waiting."""
SHARE_FOR_QUESTIONS = 0.1
"""Of the time: they take it from the webhooks, and a busy database must not leave less for the calls."""
LONGEST_BETWEEN_QUESTIONS = 1.0
"""Seconds, however long an answer takes, while there is known work to go on with."""
LONGEST_AFTER_A_HINT = 0.25
"""Seconds, while there is none."""
SHARE_FOR_WHOLE = 0.02
"""Of the time: for asking about every message there is, and not only what changed lately."""
LONGEST_BETWEEN_WHOLE = 10.0
"""Seconds."""
BUG_SECONDS = 5.0
"""A turn that ended in an error of ours: its channel is left alone for so long."""


class Delivery:
    """Runs until told to stop; `health` says what stands in its way."""

    def __init__(
        self,
        *,
        database: Database,
        leases: Leases,
        pace: Pace,
        wake: Wake,
        messages: Messages,
        subscriptions: Subscriptions,
        people: People,
        workspaces: Workspaces,
        buttons: Sequence[tuple[str, Button]],
        page_verb: str | None = None,
        calm_seconds: float = 120.0,
        tuning: Tuning | None = None,
        periods: Periods | None = None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._periods = periods = periods or Periods()
        self._messages = messages
        self._wake = wake
        self._metrics = metrics
        self._clock = clock
        self._tokens = Tokens(workspaces)
        self._closing = Closing(subscriptions, messages, workspaces)
        outcomes = Outcomes(database, leases)
        setbacks = Setbacks(
            outcomes,
            pace,
            self._closing,
            self._tokens,
            periods=periods,
            sleep=asyncio.sleep,
            metrics=metrics,
        )
        self._desk = desk = Desk(
            turns=Turns(database, leases, pace, lease_seconds=periods.lease),
            page_turns=PageTurns(database, leases, pace, lease_seconds=periods.lease),
            outcomes=outcomes,
            setbacks=setbacks,
            workspaces=workspaces,
            people=people,
            buttons=buttons,
            periods=periods,
            clock=clock,
        )
        self._poster, self._lines, self._look_ups = Poster(desk), Lines(desk), LookUps(desk)
        self._tuning = tuning or tuning_for(pace.limits, calm_seconds)
        self._storms = StormWork(
            Storms(database),
            Pages(desk, verb=page_verb),
            self._look_ups,
            tuning=self._tuning,
            periods=periods,
        )
        self._work = Work(clock)
        self._chores = Chores(
            messages, self._lines, self._tokens, self._closing, periods=periods, metrics=metrics, clock=clock
        )
        self._chore: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        # Set when a turn ends: what it wrote down may make something due that the last question did not see.
        self._something_ended = asyncio.Event()
        self._to_ask = False  # something happened since the last question
        self._asked_at = self._ask_again_at = self._whole_again_at = 0.0
        self._everything = True
        self._store_away = False

    # ------------------------------------------------------------------------------------------ from outside

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set, then finish the calls under way."""
        stopped = asyncio.create_task(stop.wait(), name="delivery stop")
        ask = True
        try:
            while not stop.is_set():
                await self._round(ask=ask)
                ask = await self._rest(stopped)
        finally:
            stopped.cancel()
            await self._finish()

    async def drain(self) -> None:
        """Deliver until nothing is due; what waits for its pace is waited for. For tests."""
        while True:
            self._everything = True
            quiet = not self._under_way()
            await self._round(ask=True)
            if under_way := self._under_way():
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            elif not self._work.is_exhausted:
                await asyncio.sleep(self._work.next_in(self._periods.poll))
            elif quiet:
                return

    def look_at_everything(self) -> None:
        """Ask about every message next, also those long behind: a channel was opened, or a workspace."""
        self._everything = True
        self._wake.notify("delivery")

    def health(self) -> list[str]:
        """One line for each thing that keeps messages from being true, with what to do."""
        away = ["Delivery waits for the database."] if self._store_away else []
        return [*self._tokens.problems(), *away]

    # ----------------------------------------------------------------------------------------------- the loop

    async def _round(self, *, ask: bool) -> None:
        """Ask when there may be something new, and begin what may be begun."""
        if (self._chore is None or self._chore.done()) and self._chores.are_due():
            self._chore = asyncio.create_task(self._do_chores(), name="delivery chores")
        ask = ask or self._work.is_exhausted
        try:
            if ask:
                self._asked_at = self._clock()
                self._something_ended.clear()
                self._to_ask = False
                await self._ask()
                pause = (self._clock() - self._asked_at) / SHARE_FOR_QUESTIONS
                self._ask_again_at = self._asked_at + min(LONGEST_BETWEEN_QUESTIONS, pause)
            if self._store_away:
                log.info("delivery_goes_on")
            self._store_away = False
        except StoreUnavailable as error:
            if not self._store_away:
                log.warning("delivery_waits_for_the_store", reason=str(error))
            self._store_away = True
            return
        if len(self._tasks) < MOST_AT_ONCE:
            for item in self._work.take(fresh=ask):
                task = asyncio.create_task(self._turn(item), name=f"deliver {item.channel.id}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                if len(self._tasks) >= MOST_AT_ONCE:
                    break

    async def _rest(self, stopped: asyncio.Task[bool]) -> bool:
        """Until something may be done. True: the database is to be asked, after a hint, a turn, or a poll."""
        now, poll = self._clock(), self._asked_at + self._periods.poll
        longest = max(0.0, (min(poll, self._ask_again_at) if self._to_ask else poll) - now)
        hint = asyncio.create_task(self._wake.wait(self._periods.poll, "delivery"), name="delivery hint")
        ended = asyncio.create_task(self._something_ended.wait(), name="delivery turn ended")
        done, waiting = await asyncio.wait(
            {hint, ended, stopped}, timeout=self._work.next_in(longest), return_when=asyncio.FIRST_COMPLETED
        )
        # A flood of hints is one question, so that asking leaves time for what is asked about.
        if (early := self._too_early()) > 0 and stopped not in done:
            await asyncio.wait({stopped}, timeout=early)
        self._to_ask = self._to_ask or hint.done() or self._something_ended.is_set()
        # Cancelling a wait for a hint loses nothing: the hint itself is kept.
        for task in waiting - {stopped}:
            task.cancel()
        self._something_ended.clear()
        now = self._clock()
        # The poll's end is told by the clock: no task of ours need have noticed it.
        return now >= poll or (self._to_ask and (now >= self._ask_again_at or not self._work.can_go_on()))

    def _too_early(self) -> float:
        """Seconds until the database may be asked again, or known work begun."""
        soon = self._asked_at + BETWEEN_QUESTIONS - self._clock()
        if self._work.can_go_on():
            return soon
        hinted = min(self._ask_again_at, self._asked_at + LONGEST_AFTER_A_HINT) - self._clock()
        return max(soon, self._work.next_in(hinted))

    async def _finish(self) -> None:
        under_way = self._under_way()
        if not under_way:
            return
        # A post, its plain second attempt, and the deletion of an extra, each with its time.
        _, late = await asyncio.wait(under_way, timeout=3 * self._periods.call + 1)
        for task in late:
            log.warning("call_cancelled", task=task.get_name())
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _under_way(self) -> set[asyncio.Task[None]]:
        chores = set() if self._chore is None or self._chore.done() else {self._chore}
        return self._tasks | chores

    async def _do_chores(self) -> None:
        try:
            if await self._chores.do():
                self.look_at_everything()
        except StoreUnavailable as error:
            log.warning("chores_lost_the_store", reason=str(error))
        except Exception:
            log.exception("chores_failed")

    async def _turn(self, item: Item) -> None:
        hold: Hold | None = Hold(BUG_SECONDS, item.channel.team_id, item.channel.id)
        try:
            hold = await item.act() if self._can_serve(item) else None
        except StoreUnavailable as error:
            log.warning("turn_lost_the_store", channel=item.channel.id, reason=str(error))
        except Exception:
            log.exception("turn_failed", channel=item.channel.id, kind=item.kind)
        finally:
            self._work.done(item, hold)
            self._something_ended.set()

    # ------------------------------------------------------------------------------------------ the question

    async def _ask(self) -> None:
        settled = self._periods.settled
        began = self._clock()
        whole = self._everything or began >= self._whole_again_at
        self._everything = False  # may be set again while the question is asked
        try:
            candidates = await self._messages.due(settled, news_only=not whole)
        except StoreUnavailable:
            self._everything = whole
            raise
        if whole:
            took = self._clock() - began
            self._whole_again_at = self._clock() + min(LONGEST_BETWEEN_WHOLE, took / SHARE_FOR_WHOLE)
        if await self._storms.begin(candidates):
            # What was known of its messages is another matter now.
            self._everything = True
            await self._ask()
            return
        lines = await self._messages.due_lines(settled)
        items = await self._storms.items()
        doubts = oldest_doubts(candidates)
        items += [item for one in candidates if (item := self._item(one, doubts)) is not None]
        if lines:
            now = await self._messages.now()
            items += [self._line_item(line, now) for line in lines]
        self._work.replace([item for item in items if self._can_serve(item)], whole=whole)

    def _item(self, candidate: Candidate, doubts: Mapping[Channel, datetime]) -> Item | None:
        message, click = candidate.message, candidate.answers_a_click
        call = next_call(
            message,
            candidate.standing,
            candidate.shown,
            now=candidate.asked_at,
            settled_after=timedelta(seconds=self._periods.settled),
        )
        if call is None:
            return None

        async def act() -> Hold | None:
            match call:
                case Post():
                    return await self._poster.post(message)
                case Update(settled=settled):
                    return await self._poster.update(message, for_a_click=click, settled=settled)
                case LookUp():
                    doubt = Doubt(candidate.asked_at, doubts[message.channel])
                    return await self._look_ups.message(message, doubt)

        kinds = {Post: Kind.POSTS, Update: Kind.CLICKS if click else Kind.EDITS, LookUp: Kind.LOOKS}
        value = worth(candidate, call, self._tuning)
        return Item(value, message.channel, kinds[type(call)], (message.id,), act)

    def _line_item(self, line: ThreadLine, now: datetime) -> Item:
        about, value = (line.message_id, line.event_id), line_worth(line, now)
        if line.posting_since is not None:
            return Item(value, line.channel, Kind.THREADS, about, lambda: self._look_ups.line(line))
        return Item(value, line.channel, Kind.POSTS, about, lambda: self._lines.post(line))

    def _can_serve(self, item: Item) -> bool:
        team = item.channel.team_id
        return not self._tokens.is_bad(team) and self._desk.workspaces.for_team(team) is not None
