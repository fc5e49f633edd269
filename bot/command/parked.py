"""What people ask for who have to link their PagerDuty account first: offered a way, kept, and done once they
have linked.

    refused: not linked ──► the Link button (bot/command/offering.py) ──► kept (state `linking`)
                                                             ├── linked: run as them, in order (here)
                                                             └── 15 minutes: told (bot/command/intents.py)

Whether somebody has linked since they asked is a question to the database, asked when a link is made and on a
period: neither a lost hint nor a dead process keeps a click from being done, and no two replicas do it.
"""

from __future__ import annotations

import structlog

from bot.command.again import request_of
from bot.command.run import Runner
from bot.command.tasks import Stopping
from bot.errors import StoreUnavailable
from bot.model import Person, SlackUser
from bot.store.intent_steps import Intent

log = structlog.get_logger("pagerline.command")


class Parked:
    """Runs what was kept."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._services = runner.services

    async def on_linked(self, user: SlackUser, person: Person) -> None:
        """Somebody has linked: a hint, which may be lost. Raises nothing."""
        log.info("linked", team=user.team_id, user=user.id, person=person.id)
        try:
            await self.run_released()
        except StoreUnavailable as failure:
            log.warning("parked_not_looked_at", error=str(failure))

    async def run_released(self) -> int:
        """Everything that waited for people who have linked since; returns how many acts."""
        if self._runner.tasks.is_closing:
            return 0
        released = await self._services.intents.release_linked()
        by_user: dict[SlackUser, list[Intent]] = {}
        for intent in released:
            by_user.setdefault(intent.new.user, []).append(intent)
        for user, theirs in by_user.items():
            self._runner.at_work.update(one.id for one in theirs)
            try:
                self._runner.tasks.start(self._in_order(theirs), name=f"parked {user.id}")
            except Stopping:
                log.info("intents_left_to_others", count=len(theirs))
        return len(released)

    async def _in_order(self, theirs: list[Intent]) -> None:
        try:
            for intent in theirs:
                called = self._services.catalog.read(intent.new.words)
                await self._runner.perform(request_of(intent), called, intent)
        finally:
            self._runner.at_work.difference_update(one.id for one in theirs)
