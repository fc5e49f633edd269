"""Renews the tokens of people who are away, so that two weeks of holiday unlink nobody.

A scoped access token lives a day and its refresh token 30 days; classic ones 30 and 210 (PagerDuty's "OAuth
2.0" pages). Every token is renewed well before its end: a night without PagerDuty's sign-in is slept through,
and hardly any command waits for a renewal. One replica does it each period, one person after the other.
"""

from __future__ import annotations

import asyncio
import random

import structlog

from bot.accounts.tokens import Tokens
from bot.background import rest
from bot.errors import NotLinked, PagerDutyUnavailable, StoreUnavailable
from bot.model import SlackUser
from bot.store.accounts import AccountStore
from bot.store.leases import Lease, Leases

PERIOD = 300.0  # seconds between rounds
APART = 0.5  # seconds between two renewals
SHARE = 0.25  # of its life that a token has left when it is renewed: six hours of a day
PATIENCE = 3  # renewals in a row that PagerDuty left unanswered, after which the round ends

log = structlog.get_logger("pagerline.tokens")


class KeepFresh:
    """The loop. Seconds throughout."""

    def __init__(
        self,
        tokens: Tokens,
        accounts: AccountStore,
        leases: Leases,
        *,
        period: float = PERIOD,
        apart: float = APART,
    ) -> None:
        self._tokens = tokens
        self._accounts = accounts
        self._leases = leases
        self._period = period
        self._apart = apart
        self._failing = False

    async def run(self, stop: asyncio.Event) -> None:
        """A round at once and then once a period, until `stop` is set."""
        while not stop.is_set():
            try:
                await self.once(stop)
            except StoreUnavailable as failure:
                log.warning("tokens_not_kept_fresh", reason=str(failure))
            await rest(stop, self._period)

    async def once(self, stop: asyncio.Event) -> int:
        """One round, unless another replica has done it in this period; returns how many were renewed.

        Raises StoreUnavailable.
        """
        # A little less than a period, so that the own next turn is not refused by the last one.
        mine = await self._leases.take("tokens kept fresh", self._period * 0.9)
        if mine is None:
            return 0
        due = await self._accounts.due(SHARE)
        # In no order: somebody whose renewal always fails must not stand before everybody else.
        random.shuffle(due)
        return await self._round(due, mine, stop)

    async def _round(self, due: list[SlackUser], mine: Lease, stop: asyncio.Event) -> int:
        renewed = unanswered = 0
        for user in due:
            if stop.is_set() or unanswered >= PATIENCE:
                break
            account = await self._accounts.living(user)
            if account is None or account.seconds_left >= account.life_seconds * SHARE:
                continue  # somebody was faster
            try:
                await self._tokens.renew(account)
                renewed += 1
                unanswered = 0
            except NotLinked:
                unanswered = 0  # it has ended, and they were told
            except PagerDutyUnavailable:
                unanswered += 1
            await self._leases.renew(mine, self._period * 0.9)
            await rest(stop, self._apart)
        self._tell(renewed, unanswered)
        return renewed

    def _tell(self, renewed: int, unanswered: int) -> None:
        failing = unanswered >= PATIENCE
        if failing and not self._failing:
            log.warning("sign_in_does_not_answer", again_in=self._period)
        elif renewed:
            log.info("tokens_kept_fresh", renewed=renewed, recovered=self._failing)
        self._failing = failing
