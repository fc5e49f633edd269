"""The loop that looks at the rotas of every workspace, and reminds whoever goes on call unlinked tomorrow.

Each replica looks for itself: what was told stands in the store (bot/command/reminding.py).
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from bot.command.reminding import Reminders
from bot.command.rotas import Rotas
from bot.errors import Failure, SlackFailure
from bot.slack.workspaces import Workspaces

log = structlog.get_logger("pagerline.reminding")

PERIOD = 900.0  # seconds between two looks at the rotas
AFTER_FAILURE = 120.0


class DayBefore:
    """Runs where people link, unless REMIND_UNLINKED is off."""

    def __init__(self, rotas: Rotas, reminders: Reminders, workspaces: Workspaces) -> None:
        self._rotas = rotas
        self._reminders = reminders
        self._workspaces = workspaces

    async def run(self, stop: asyncio.Event) -> None:
        """At once, then every quarter of an hour; sooner again after a failure."""
        failing = False
        while not stop.is_set():
            try:
                await self.once()
                if failing:
                    log.info("reminding_again")
                failing = False
            except Failure as failure:
                if not failing:
                    log.warning("not_reminding", error=str(failure))
                failing = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AFTER_FAILURE if failing else PERIOD)

    async def once(self) -> int:
        """Remind everybody whose time it is; returns how many. Raises PagerDutyFailure, StoreUnavailable, and
        SlackFailure once every other workspace was looked after.
        """
        sent = 0
        told = await self._reminders.told()
        trouble: SlackFailure | None = None
        for slack in self._workspaces.all():
            try:
                for one in await self._rotas.look(slack.team_id):
                    sent += await self._reminders.remind_if_due(one, told)
            except SlackFailure as failure:
                trouble = failure
        if trouble is not None:
            raise trouble
        return sent
