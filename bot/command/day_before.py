"""The loop that looks at the rotas of every workspace, and reminds whoever goes on call unlinked tomorrow.

One replica looks each time, to spare PagerDuty; that nobody is told twice does not rest on it, but on what
stands in the store (bot/command/reminding.py).
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from bot.background import rest
from bot.command.ports import LeasePort
from bot.command.reminding import Reminders
from bot.command.rotas import Rotas
from bot.errors import Failure, SlackFailure, StoreUnavailable
from bot.slack.workspaces import Workspaces

log = structlog.get_logger("pagerline.reminding")

PERIOD = 900.0  # seconds between two looks at the rotas
AFTER_FAILURE = 120.0
LEASE = "reminding"


class DayBefore:
    """Runs where people link, unless REMIND_UNLINKED is off."""

    def __init__(self, rotas: Rotas, reminders: Reminders, workspaces: Workspaces, leases: LeasePort) -> None:
        self._rotas = rotas
        self._reminders = reminders
        self._workspaces = workspaces
        self._leases = leases

    async def run(self, stop: asyncio.Event) -> None:
        """At once, then every quarter of an hour; sooner again after a failure."""
        failing = False
        while not stop.is_set():
            try:
                await self._unless_another_does()
                if failing:
                    log.info("reminding_again")
                failing = False
            except Failure as failure:
                if not failing:
                    log.warning("not_reminding", error=str(failure))
                failing = True
            await rest(stop, AFTER_FAILURE if failing else PERIOD)

    async def _unless_another_does(self) -> None:
        lease = await self._leases.take(LEASE, PERIOD * 0.9)
        if lease is None:
            return
        try:
            await self.once()
        except Failure:
            with contextlib.suppress(StoreUnavailable):
                await self._leases.release(lease)
            raise

    async def once(self) -> int:
        """Remind everybody whose time it is; returns how many. Raises PagerDutyFailure, StoreUnavailable, and
        SlackFailure once every other workspace was looked after.
        """
        sent = 0
        people = await self._rotas.ahead()
        told = await self._reminders.told()
        trouble: SlackFailure | None = None
        for slack in self._workspaces.all():
            try:
                for one in await self._rotas.joined(slack.team_id, people):
                    sent += await self._reminders.remind_if_due(one, told)
            except SlackFailure as failure:
                trouble = failure
        if trouble is not None:
            raise trouble
        return sent
