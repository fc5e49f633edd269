"""Reads again what an event marked stale: one call per burst, within a second, never while PagerDuty waits
for its answer.

Woken by whoever marks (bot/store/incidents.py) and by a poll; several replicas share the work, each incident
is handed to one.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from bot.errors import PagerDutyFailure, PagerDutyNotFound, StoreUnavailable
from bot.model import Incident, Reading
from bot.store.incidents import Incidents, Stale
from bot.store.wake import Wake

log = structlog.get_logger("pagerline.delivery")

AT_ONCE = 8
BURST_SECONDS = 0.15  # what else happens to an incident in that time is answered by the same reading
POLL_SECONDS = 1.0
AFTER_FAILURE = 5.0  # seconds until an incident that could not be read is read again


class Reader(Protocol):
    """PagerDuty, read with the account's key."""

    async def incident(self, ref: str) -> Reading: ...


class Levels(Protocol):
    """Where an incident stands on its policy."""

    async def with_level(self, incident: Incident, *, ask: bool = False) -> Incident: ...


class Rereader:
    """`run` until told to stop."""

    def __init__(self, incidents: Incidents, reader: Reader, levels: Levels, wake: Wake) -> None:
        self._incidents = incidents
        self._reader = reader
        self._levels = levels
        self._wake = wake
        self._failing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Read what is stale, as soon as it is."""
        while not stop.is_set():
            try:
                read = await self.once()
            except StoreUnavailable as away:
                log.info("rereading_waits", reason=str(away))
                read = 0
            if read == 0:
                await self._rest(stop)

    async def once(self) -> int:
        """Read what is due now; returns how many."""
        stale = await self._incidents.take_stale(AT_ONCE)
        await asyncio.gather(*(self._read(one) for one in stale))
        return len(stale)

    async def _rest(self, stop: asyncio.Event) -> None:
        hint = asyncio.ensure_future(self._wake.wait(POLL_SECONDS, "stale"))
        stopped = asyncio.ensure_future(stop.wait())
        done, _ = await asyncio.wait({hint, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (hint, stopped):
            task.cancel()
        await asyncio.gather(hint, stopped, return_exceptions=True)
        if hint in done and stopped not in done and hint.result():
            await asyncio.sleep(BURST_SECONDS)

    async def _read(self, stale: Stale) -> None:
        try:
            reading = await self._reader.incident(stale.incident_id)
        except PagerDutyNotFound:
            await self._incidents.forget(stale.incident_id)
            return
        except PagerDutyFailure as failure:
            if not self._failing:
                log.warning("rereading_fails", incident=stale.incident_id, reason=str(failure))
            self._failing = True
            await self._incidents.put_off(stale.incident_id, failure.retry_after or AFTER_FAILURE)
            return
        if self._failing:
            log.info("rereading_works_again")
        self._failing = False
        known = Reading(await self._levels.with_level(reading.incident, ask=True), reading.updated_at)
        await self._incidents.save_reading(known, began_at=stale.began_at, seen=stale.seen)
