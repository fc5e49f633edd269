"""Every open incident read again, at start and on a period: whatever a webhook did not tell is put right.

One list call per 100 open incidents; those we thought open and PagerDuty does not list are read one by one.
One replica does it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

import structlog

from bot.errors import PagerDutyFailure, PagerDutyNotFound, StoreUnavailable
from bot.model import Reading
from bot.store.incidents import Incidents
from bot.store.leases import Leases

log = structlog.get_logger("pagerline.delivery")

NAME = "sweep"
LEASE_SECONDS = 120.0
AFTER_FAILURE = 15.0


class Reader(Protocol):
    """PagerDuty, read with the account's key."""

    async def incident(self, ref: str) -> Reading: ...
    async def incidents(self) -> Sequence[Reading]: ...


class Sweep:
    """`seconds` between two sweeps."""

    def __init__(self, incidents: Incidents, reader: Reader, leases: Leases, *, seconds: float) -> None:
        self._incidents = incidents
        self._reader = reader
        self._leases = leases
        self._seconds = seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep at once, then on the period; sooner again after a failure."""
        while not stop.is_set():
            pause = self._seconds
            try:
                await self.once()
            except (PagerDutyFailure, StoreUnavailable) as failure:
                log.warning("sweep_failed", reason=str(failure))
                pause = min(AFTER_FAILURE, self._seconds)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def once(self) -> bool:
        """One sweep; False when another replica is at it. Raises PagerDutyFailure, StoreUnavailable."""
        lease = await self._leases.take(NAME, LEASE_SECONDS)
        if lease is None:
            return False
        try:
            await self._sweep()
        finally:
            await self._leases.release(lease)
        return True

    async def _sweep(self) -> None:
        thought_open = await self._incidents.open_ids()
        began_at = await self._incidents.now()
        listed = await self._reader.incidents()
        for reading in listed:
            await self._incidents.save_reading(reading, began_at=began_at, seen=None)
        gone = thought_open - {reading.incident.id for reading in listed}
        for incident_id in sorted(gone):
            began_at = await self._incidents.now()
            try:
                reading = await self._reader.incident(incident_id)
            except PagerDutyNotFound:
                await self._incidents.forget(incident_id)
                continue
            await self._incidents.save_reading(reading, began_at=began_at, seen=None)
        log.info("swept", open=len(listed), gone=len(gone))
