"""Heals what no webhook told: at start and on a period open incidents are read from PagerDuty again.

A sweep costs the same however many are open. It reads one page of the open incidents, where the last sweep
stopped; whoever begins anew looks at those that are open here and were not in the list. The account's log
tells which other incidents changed since the last sweep, such as a resolved one that was given another title:
they are read one by one (bot/delivery/rereader.py). One replica does it each period; at its start every
process reads the whole list, because it may have missed anything while it was away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.errors import PagerDutyFailure, PagerDutyNotFound, StoreUnavailable
from bot.model import Reading
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.levels import Levels
from bot.store.cursors import Cursor, Cursors
from bot.store.incidents import Incidents
from bot.store.leases import Leases

log = structlog.get_logger("pagerline.sweep")

SWEEPING = "sweep"  # held while it runs
PERIOD = "sweep period"  # held until the next one is due
SWEEPING_SECONDS = 6.0  # how long one that died in the middle keeps the next from beginning
AGAIN_SECONDS = 15.0  # after a sweep that failed, unless the period is shorter
TOGETHER = 50  # readings saved in one commit
OVERLAP = 10  # entries of the page before: what was resolved meanwhile has moved the others forward
LOG_OVERLAP = timedelta(minutes=2)  # entries may come late
LONGEST_LOG = timedelta(hours=1)  # after a day away a hundred calls would tell of what is long over


@dataclass(frozen=True, slots=True)
class Swept:
    """How many PagerDuty listed, how many were open only here, and how many readings were saved; `doubted`:
    how many the log told to read again.
    """

    open: int
    gone: int
    saved: int
    doubted: int = 0


class Sweep:
    """`seconds` is the period. With `levels` known ones are added, at no cost; the others come with a re-
    read.
    """

    def __init__(
        self,
        incidents: Incidents,
        reader: PagerDuty,
        leases: Leases,
        cursors: Cursors,
        *,
        seconds: float = 300.0,
        levels: Levels | None = None,
    ) -> None:
        self._incidents = incidents
        self._reader = reader
        self._leases = leases
        self._cursors = cursors
        self._levels = levels
        self._seconds = seconds
        self._failing = False
        self._now = asyncio.Event()

    def hurry(self) -> None:
        """Read the whole list as soon as possible: something may have been missed."""
        self._now.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep at once and then once a period, until `stop` is set."""
        stopped = asyncio.create_task(stop.wait(), name="sweep stop")
        again = not await self._try(at_start=True)
        try:
            while not stop.is_set():
                pause = min(AGAIN_SECONDS, self._seconds) if again else self._seconds
                hurried = asyncio.create_task(self._now.wait(), name="sweep hurry")
                await asyncio.wait({stopped, hurried}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                whole = again or self._now.is_set()
                self._now.clear()
                hurried.cancel()
                if not stop.is_set():
                    again = not await self._try(at_start=whole)
        finally:
            stopped.cancel()

    async def _try(self, *, at_start: bool) -> bool:
        """False when it is to be tried again soon."""
        try:
            swept = await self.once(at_start=at_start)
        except (PagerDutyFailure, StoreUnavailable) as failure:
            if not self._failing:
                log.warning("sweep_failed", reason=str(failure))
            self._failing = True
            return False
        if swept is None and at_start:
            return False  # who is at it may be past what we have missed, or be dead
        if swept is not None:
            log.info(
                "swept",
                open=swept.open,
                gone=swept.gone,
                saved=swept.saved,
                doubted=swept.doubted,
                recovered=self._failing,
            )
        self._failing = False
        return True

    async def once(self, *, at_start: bool = False) -> Swept | None:
        """One sweep; None while another replica does it, or when one has done it in this period (unless
        `at_start`: then the whole list is read).

        Raises PagerDutyFailure and StoreUnavailable.
        """
        # A little less than a period, so that the own next turn is not refused by the last one.
        mine = await self._leases.take(PERIOD, self._seconds * 0.9)
        if mine is None and not at_start:
            return None
        async with self._leases.held(SWEEPING, SWEEPING_SECONDS) as lease:
            if lease is None:
                if mine is not None:
                    await self._leases.release(mine)  # who is at it may have died: this period is anybody's
                return None
            try:
                return await (self._whole() if at_start else self._piece())
            except BaseException:
                if mine is not None:
                    await self._leases.release(mine)
                raise

    # ------------------------------------------------------------------------------------------- two kinds

    async def _whole(self) -> Swept:
        """Every page; then whatever was not in them."""
        ours = await self._incidents.open_ids()
        began_at = await self._incidents.now()
        readings = await self._reader.incidents()
        saved = await self._save_all(readings, began_at)
        listed = {reading.incident.id for reading in readings}
        began_there = await self._by_pagerduty(began_at)
        gone = sorted(ours - listed)
        for incident_id in gone:
            saved += await self._read(incident_id)
        if await self._cursors.get("log") is None:  # else what it tells of resolved ones is still to be read
            await self._cursors.put("log", Cursor(began_there))
        await self._cursors.put("sweep", Cursor(await self._incidents.now()))
        return Swept(len(readings), len(gone), saved)

    async def _piece(self) -> Swept:
        """One page, and what the log tells of the others."""
        began_at = await self._incidents.now()
        cursor = await self._cursors.get("sweep") or Cursor(began_at)
        readings, more = await self._reader.open_page(cursor.position)
        saved = await self._save_all(readings, began_at)
        gone: list[str] = []
        if not more:
            gone = await self._incidents.not_read_since(began_at if not cursor.position else cursor.at)
        for incident_id in gone:
            saved += await self._read(incident_id)
        # Afterwards: what was just read is not doubted.
        doubted, read = await self._follow_log(began_at)
        position = cursor.position + max(len(readings) - OVERLAP, 1)
        await self._cursors.put("sweep", Cursor(cursor.at, position) if more else Cursor(began_at))
        return Swept(len(readings), len(gone), saved + read, doubted)

    async def _follow_log(self, began_at: datetime) -> tuple[int, int]:
        """Doubt what changed later than we know of; read what we have never seen.

        The place is a moment by PagerDuty's clock, as its entries' are: by a database's that goes before it
        entries would be passed over.
        """
        began_there = await self._by_pagerduty(began_at)
        last = await self._cursors.get("log")
        oldest = began_there - LONGEST_LOG
        since = max(last.at, oldest) if last else began_there - timedelta(seconds=self._seconds)
        newest: dict[str, datetime] = {}
        for entry in await self._reader.log_since(since - LOG_OVERLAP):
            if entry.incident_id is not None:
                newest[entry.incident_id] = entry.at
        doubted, unknown = await self._incidents.doubt(newest)
        read = 0
        for incident_id in unknown:
            read += await self._read(incident_id)
        await self._cursors.put("log", Cursor(began_there))
        return doubted, read

    async def _by_pagerduty(self, began_at: datetime) -> datetime:
        """What PagerDuty's clock showed when the database's showed `began_at`; the same while it tells none.
        Asked once PagerDuty has answered.
        """
        passed = await self._incidents.now() - began_at
        there = self._reader.pagerduty_now()
        return began_at if there is None else there - passed

    # --------------------------------------------------------------------------------------------- reading

    async def _save_all(self, readings: Sequence[Reading], began_at: datetime) -> int:
        saved = 0
        for start in range(0, len(readings), TOGETHER):
            some = readings[start : start + TOGETHER]
            saved += sum(await asyncio.gather(*(self._save(reading, began_at) for reading in some)))
        return saved

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
