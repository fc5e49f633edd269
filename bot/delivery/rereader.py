"""Reads again what is marked stale: within a second, one request per burst, never while answering.

Events carry only part of an incident; what they make doubtful is marked in the store, which hints here once a
burst is over. What is read is saved like everything else, and the loop of bot/delivery shows it.
"""

from __future__ import annotations

import asyncio

import structlog

from bot.errors import PagerDutyFailure, PagerDutyNotFound, PagerDutyUnavailable, StoreUnavailable
from bot.model import Reading
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.levels import Levels
from bot.store.incidents import Incidents, Stale
from bot.store.outcomes import pause_after
from bot.store.wake import Wake

log = structlog.get_logger("pagerline.rereader")

AT_ONCE = 8  # requests under way
POLL_SECONDS = 1.0
GATHER_SECONDS = 0.15  # what becomes stale meanwhile is taken together
LONGEST_PAUSE = 60.0  # before an incident that PagerDuty does not let us read is tried again
LONGEST_AFTER_OUTAGE = (
    10.0  # and one it did not answer about: soon after it is back, everything has to be true
)
FINISH_SECONDS = 10.0


class Rereader:
    """Runs until told to stop. `reader` is the account's own client, `levels` tells where incidents stand."""

    def __init__(
        self,
        incidents: Incidents,
        reader: PagerDuty,
        levels: Levels,
        wake: Wake,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._incidents = incidents
        self._reader = reader
        self._levels = levels
        self._wake = wake
        self._poll = poll_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._tries: dict[str, int] = {}
        self._away = False
        self._store_away = False

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set, then let the requests under way finish."""
        stopped = asyncio.create_task(stop.wait(), name="rereader stop")
        try:
            while not stop.is_set():
                await self._begin()
                hint = asyncio.create_task(self._wake.wait(self._poll, "stale"), name="rereader hint")
                # With no room left only an answer makes a difference.
                waiting = {hint, stopped} if len(self._tasks) < AT_ONCE else {stopped, *self._tasks}
                await asyncio.wait(waiting, timeout=self._poll, return_when=asyncio.FIRST_COMPLETED)
                hint.cancel()
                # Each taking is a write of its own, and in a flood those compete with the webhooks'.
                await asyncio.wait({stopped}, timeout=GATHER_SECONDS)
        finally:
            stopped.cancel()
            await self._finish()

    async def _finish(self) -> None:
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=FINISH_SECONDS)
        finally:  # also when we are told to hurry: nobody else knows of these
            for task in self._tasks:
                task.cancel()

    async def _begin(self) -> None:
        room = AT_ONCE - len(self._tasks)
        if room <= 0:
            return
        try:
            stale = await self._incidents.take_stale(room)
        except StoreUnavailable as error:
            if not self._store_away:
                log.warning("rereader_waits_for_the_store", reason=str(error))
            self._store_away = True
            return
        if self._store_away:
            log.info("rereader_goes_on")
        self._store_away = False
        for one in stale:
            task = asyncio.create_task(self._read(one), name=f"read {one.incident_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _read(self, stale: Stale) -> None:
        try:
            await self.read(stale)
        except StoreUnavailable as error:
            log.warning("reading_not_saved", incident=stale.incident_id, reason=str(error))
        except Exception:
            log.exception("reading_failed", incident=stale.incident_id)

    async def read(self, stale: Stale) -> bool:
        """Ask PagerDuty about one incident and save what it says. False: it could not be read now."""
        try:
            reading = await self._reader.incident(stale.incident_id)
        except PagerDutyNotFound:
            log.info("incident_unknown_to_pagerduty", incident=stale.incident_id)
            await self._incidents.forget(stale.incident_id, seen=stale.seen)
        except PagerDutyFailure as failure:
            await self._put_off(stale, failure)
            return False
        else:
            try:
                incident = await self._levels.worked_out(reading.incident)
            except PagerDutyUnavailable as failure:
                # What is known is shown; the mark stays, or nobody would ask for the level again.
                await self._incidents.save_reading(reading, began_at=stale.began_at)
                await self._put_off(stale, failure)
                return False
            except PagerDutyFailure:  # it does not let us ask
                incident = reading.incident
            told = Reading(incident, reading.updated_at)
            await self._incidents.save_reading(told, began_at=stale.began_at, seen=stale.seen)
        self._tries.pop(stale.incident_id, None)
        if self._away:
            log.info("pagerduty_can_be_read_again")
        self._away = False
        return True

    async def _put_off(self, stale: Stale, failure: PagerDutyFailure) -> None:
        if not self._away:
            log.warning("pagerduty_cannot_be_read", reason=str(failure), request_id=failure.request_id)
        self._away = True
        tries = self._tries.get(stale.incident_id, 0)
        self._tries[stale.incident_id] = tries + 1
        longest = LONGEST_AFTER_OUTAGE if isinstance(failure, PagerDutyUnavailable) else LONGEST_PAUSE
        pause = max(failure.retry_after or 0.0, pause_after(tries, longest))
        await self._incidents.put_off(stale.incident_id, pause)
