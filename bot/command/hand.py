"""What every act on incidents needs: the person's own client, a lease where only one may act, and a place
where PagerDuty's answer is saved. Above it: bot/command/editing.py and desk.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bot.accounts.acting import Acting
from bot.command.sending import Sending
from bot.command.writing_down import healed_later
from bot.errors import NotAllowed, UserError
from bot.model import Incident, Reading
from bot.pagerduty.client import PagerDuty

LEASE_SECONDS = 15.0
LEASE_PATIENCE = 8.0  # seconds to wait while somebody else escalates the same incident


@dataclass(slots=True)
class Hand(Sending):
    """The part of a desk that acts as somebody."""

    acting: Acting | None = None
    subjects: list[str] = field(default_factory=list)  # ids of the incidents that were changed
    _written_at: dict[str, datetime] = field(default_factory=dict)  # PagerDuty's clock

    @property
    def _own_token(self) -> bool:
        """Whether a 403 is about this person's role."""
        return self.acting is not None and self.acting.kind == "oauth"

    @property
    def _hand(self) -> PagerDuty:
        if self.acting is None:
            raise NotAllowed("This command may only read. Tell whoever runs this bot: its scope is wrong.")
        return self.acting.pagerduty.noting_in(self.journal)

    async def _changed(self, reading: Reading, began_at: datetime) -> Incident:
        """What PagerDuty answered to our own write, saved if that can be: it is done in any case."""
        incident = await self.reach.levels.with_level(reading.incident)
        self.subjects.append(incident.id)
        self._written_at[incident.id] = reading.updated_at
        with healed_later("what PagerDuty answered"):
            await self.reach.incidents.save_written(Reading(incident, reading.updated_at), began_at=began_at)
        return incident

    @asynccontextmanager
    async def _alone_at(self, name: str) -> AsyncIterator[None]:
        """Nobody else, on any replica, does what has this name. Raises UserError when somebody goes on to."""
        lease = await self._lease(name)
        try:
            yield
        finally:
            with healed_later("a lease, which ends by itself"):
                await self.reach.leases.release(lease)

    async def _lease(self, name: str) -> object:
        deadline = asyncio.get_running_loop().time() + LEASE_PATIENCE
        while (lease := await self.reach.leases.take(name, LEASE_SECONDS)) is None:
            if asyncio.get_running_loop().time() > deadline:
                raise UserError(
                    "Somebody else is escalating this incident right now. Look at it again in a moment."
                )
            await asyncio.sleep(0.1)
        return lease
