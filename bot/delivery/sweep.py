"""Heals what no webhook told: at start and on a period all open incidents are read from PagerDuty again.

Those that are open here and gone from PagerDuty's list are read one by one. One replica does it each period;
at its start every process does, because it may have missed anything while it was away.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.errors import PagerDutyFailure, PagerDutyNotFound, StoreUnavailable
from bot.model import Reading
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.levels import Levels
from bot.store.incidents import Incidents
from bot.store.leases import Lease, Leases

log = structlog.get_logger("pagerline.sweep")

SWEEPING = "sweep"  # held while it runs
PERIOD = "sweep period"  # held until the next one is due
SWEEPING_SECONDS = 60.0
AGAIN_SECONDS = 15.0  # after a sweep that failed, unless the period is shorter
TOGETHER = 50  # readings saved in one commit


@dataclass(frozen=True, slots=True)
class Swept:
    """How many were open in PagerDuty, how many only here, and how many readings were saved."""

    open: int
    gone: int
    saved: int


class Sweep:
    """`seconds` is the period. With `levels` known ones are added, at no cost; the others come with a re-
    read.
    """

    def __init__(
        self,
        incidents: Incidents,
        reader: PagerDuty,
        leases: Leases,
        *,
        seconds: float = 300.0,
        levels: Levels | None = None,
    ) -> None:
        self._incidents = incidents
        self._reader = reader
        self._leases = leases
        self._levels = levels
        self._seconds = seconds
        self._failing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep at once and then once a period, until `stop` is set."""
        again = not await self._try(at_start=True)
        while not stop.is_set():
            pause = min(AGAIN_SECONDS, self._seconds) if again else self._seconds
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                again = not await self._try(at_start=again)

    async def _try(self, *, at_start: bool) -> bool:
        """False when it is to be tried again soon."""
        try:
            swept = await self.once(at_start=at_start)
        except (PagerDutyFailure, StoreUnavailable) as failure:
            if not self._failing:
                log.warning("sweep_failed", reason=str(failure))
            self._failing = True
            return False
        if swept is not None:
            log.info("swept", open=swept.open, gone=swept.gone, saved=swept.saved, recovered=self._failing)
        self._failing = False
        return True

    async def once(self, *, at_start: bool = False) -> Swept | None:
        """One sweep; None when another replica does it, or has done it in this period (unless `at_start`).

        Raises PagerDutyFailure and StoreUnavailable.
        """
        # A little less than a period, so that the own next turn is not refused by the last one.
        mine = await self._leases.take(PERIOD, self._seconds * 0.9)
        if mine is None and not at_start:
            return None
        lease = await self._leases.take(SWEEPING, SWEEPING_SECONDS)
        if lease is None:
            return None
        try:
            return await self._sweep(lease)
        except BaseException:
            if mine is not None:
                await self._leases.release(mine)
            raise
        finally:
            await self._leases.release(lease)

    async def _sweep(self, lease: Lease) -> Swept:
        ours = await self._incidents.open_ids()
        began_at = await self._incidents.now()
        readings = await self._reader.incidents()
        saved = 0
        for start in range(0, len(readings), TOGETHER):
            some = readings[start : start + TOGETHER]
            saved += sum(await asyncio.gather(*(self._save(reading, began_at) for reading in some)))
            await self._leases.renew(lease, SWEEPING_SECONDS)
        listed = {reading.incident.id for reading in readings}
        gone = sorted(ours - listed)
        for incident_id in gone:
            saved += await self._read(incident_id)
            await self._leases.renew(lease, SWEEPING_SECONDS)
        return Swept(len(readings), len(gone), saved)

    async def _read(self, incident_id: str) -> bool:
        began_at = await self._incidents.now()
        try:
            reading = await self._reader.incident(incident_id)
        except PagerDutyNotFound:
            await self._incidents.forget(incident_id)
            return False
        return await self._save(reading, began_at)

    async def _save(self, reading: Reading, began_at: datetime) -> bool:
        incident = reading.incident
        if self._levels is not None:
            incident = await self._levels.with_level(incident)
        return await self._incidents.save_reading(Reading(incident, reading.updated_at), began_at=began_at)
