"""Deletes what is old (bot/store/retention.py): every hour, by one replica, in batches with pauses."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import structlog

from bot.background import rest
from bot.errors import StoreUnavailable
from bot.store.leases import Leases
from bot.store.retention import Retention

log = structlog.get_logger("pagerline.retention")

RETIRING = "retention"  # held while it runs
PERIOD = "retention period"  # held until the next one is due
PERIOD_SECONDS = 3600.0
RETIRING_SECONDS = 60.0  # longer than a batch
PAUSE_SECONDS = 0.1  # between batches: the writer is everybody's


class Figures(Protocol):
    """bot/metrics.py."""

    def old_rows_deleted(self, table: str, rows: int) -> None:
        """One batch."""


class Retiring:
    """`sleep` waits between batches; seconds throughout."""

    def __init__(
        self,
        retention: Retention,
        leases: Leases,
        *,
        figures: Figures | None = None,
        seconds: float = PERIOD_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._retention = retention
        self._leases = leases
        self._figures = figures
        self._seconds = seconds
        self._sleep = sleep

    async def run(self, stop: asyncio.Event) -> None:
        """Once a period, until `stop` is set; the first time a tenth of a period after the start."""
        pause = self._seconds / 10
        while not stop.is_set():
            await rest(stop, pause)
            if stop.is_set():
                return
            pause = self._seconds
            try:
                await self.once(stop)
            except StoreUnavailable as failure:
                log.warning("retention_failed", reason=str(failure))

    async def once(self, stop: asyncio.Event | None = None) -> Mapping[str, int] | None:
        """Delete all that is due: rows by table. None when another replica does it, or has done it in this
        period. Raises StoreUnavailable.
        """
        # A little less than a period, so that the own next turn is not refused by the last one.
        if await self._leases.take(PERIOD, self._seconds * 0.9) is None:
            return None
        lease = await self._leases.take(RETIRING, RETIRING_SECONDS)
        if lease is None:
            return None
        deleted: Counter[str] = Counter()
        try:
            async with contextlib.aclosing(self._retention.batches()) as batches:
                async for batch in batches:
                    deleted[batch.table] += batch.rows
                    if self._figures is not None:
                        self._figures.old_rows_deleted(batch.table, batch.rows)
                    if stop is not None and stop.is_set():
                        break
                    if not await self._leases.renew(lease, RETIRING_SECONDS):
                        break  # we were frozen for long: somebody else goes on
                    await self._sleep(PAUSE_SECONDS)
        finally:
            await self._leases.release(lease)
        if deleted:
            log.info("old_rows_deleted", **deleted)
        return deleted
