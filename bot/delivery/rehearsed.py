"""A game day's incident, about which PagerDuty is taken for away (bot/store/rehearsals.py, docs/gameday.md).

Runs only where GAMEDAY_SERVICE is set. Calls about the incident find nobody (bot/pagerduty/http.py asks
before each), webhooks about it count as lost, and the channel that shows it hears of it as of a real outage
(bot/delivery/asof.py). Nothing else is touched: not what the bot believes of PagerDuty, no other channel.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import pairwise
from urllib.parse import urlsplit

import structlog

from bot.background import rest
from bot.delivery.reach import Reach
from bot.errors import StoreUnavailable
from bot.model import Channel
from bot.store.incidents import Incidents
from bot.store.rehearsals import Rehearsals

log = structlog.get_logger("pagerline.rehearsal")

LOOK_SECONDS = 2.0
BELIEVED = 3 * LOOK_SECONDS
"""Seconds without a look after which it is over, whatever the database said: it cannot outlive its lease."""


class Rehearsed:
    """What is away just now: nothing, most of the time. `seconds`: as for Reach; `timer`: monotonic."""

    def __init__(self, seconds: float, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._reach = Reach(seconds, timer=timer)
        self._timer = timer
        self._names: frozenset[str] = frozenset()
        self._ids: tuple[str, ...] = ()
        self._until = 0.0

    def learn(self, found: Mapping[str, int | None]) -> None:
        """Incidents by id, with their numbers: PagerDuty takes both in an address."""
        if found and not self._ids:
            log.warning("rehearsal_began", incidents=sorted(found))
        elif self._ids and not found:
            log.warning("rehearsal_ended", incidents=list(self._ids))
        self._ids = tuple(sorted(found))
        self._names = frozenset(self._ids) | {str(number) for number in found.values() if number is not None}
        self._until = self._timer() + BELIEVED
        if not found:
            self._reach.called("", "", 200, 0.0)

    @property
    def ids(self) -> tuple[str, ...]:
        """The incidents'."""
        return self._ids if self._timer() < self._until else ()

    def is_silent(self, url: str) -> bool:
        """Whether a call to this address is to find nobody; it counts as one that did."""
        if not self._names or not self.ids:
            return False
        parts = urlsplit(url).path.split("/")
        silent = any(kind == "incidents" and name in self._names for kind, name in pairwise(parts))
        if silent:
            self._reach.called("", "", 0, 0.0)
        return silent

    def loses(self, incident_id: str | None) -> bool:
        """Whether a webhook about this incident is to count as lost."""
        lost = incident_id in self.ids
        if lost:
            log.info("webhook_lost_for_rehearsal", incident=incident_id)
        return lost

    @property
    def away_since(self) -> datetime | None:
        """As bot/delivery/reach.py says it, of calls about these incidents."""
        return self._reach.away_since if self.ids else None


class Rehearsing:
    """Learns what is away, and tells the notes of bot/delivery/asof.py which channels to tell."""

    def __init__(self, rehearsed: Rehearsed, store: Rehearsals, incidents: Incidents, reach: Reach) -> None:
        self._rehearsed = rehearsed
        self._store = store
        self._incidents = incidents
        self._reach = reach

    async def run(self, stop: asyncio.Event) -> None:
        """Look every two seconds until `stop` is set."""
        while not stop.is_set():
            try:
                await self.once()
            except StoreUnavailable as error:
                log.info("rehearsal_waits_for_the_store", reason=str(error))
            await rest(stop, LOOK_SECONDS)

    async def once(self) -> None:
        """Raises StoreUnavailable."""
        found = await self._store.current()
        self._rehearsed.learn(found)
        if found:
            # In an outage there is always something to read again; here it is seen to.
            await self._store.doubt(sorted(found))

    @property
    def away_since(self) -> datetime | None:
        """Since when PagerDuty is away, really or for the rehearsal."""
        return self._reach.away_since or self._rehearsed.away_since

    async def channels_showing_open(self) -> list[Channel]:
        """Whom it concerns: everybody, or the rehearsal's channel."""
        if self._reach.away_since is not None:
            return await self._incidents.channels_showing_open()
        return await self._store.channels(self._rehearsed.ids)
