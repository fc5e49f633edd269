"""Keeps the list of addresses that PagerDuty's webhooks come from fresh, for the door that asks for it.

One replica fetches the published list each period and keeps it in the store; every replica reads it from
there. Until the first came, the list in the code counts (bot/pagerduty/safelist.py). What is no list is never
applied: the last good one stays. The admins are told once of each change, because firewalls and security
groups in front of us need it too; as long as nobody can be reached it is tried again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from bot.background import rest
from bot.errors import PagerDutyFailure, StoreUnavailable
from bot.pagerduty.safelist import SNAPSHOT, Network, Region, networks, words
from bot.store.leases import Leases
from bot.store.safelists import Safelists

log = structlog.get_logger("pagerline.safelist")

PERIOD = "safelist period"  # a lease: one replica fetches each period
NOTICE = "safelist:"
RETRY_SECONDS = 300.0  # after a fetch that failed, or a note that reached nobody


class Notes(Protocol):
    """How the admins are told (bot/delivery/admins.py)."""

    async def tell_once(self, key: str, text: str) -> bool: ...
    async def settle(self, key: str, *, after: float = 0.0) -> bool: ...


class PublishedSources:
    """`fetch` gets the list as published; `seconds` is the period."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[tuple[Network, ...]]],
        kept: Safelists,
        leases: Leases,
        notes: Notes,
        *,
        region: Region,
        seconds: float,
    ) -> None:
        self._fetch = fetch
        self._kept = kept
        self._leases = leases
        self._notes = notes
        self._region = region
        self._seconds = seconds
        self._networks: Sequence[Network] = networks(SNAPSHOT[region])
        self._failing = False

    def networks(self) -> Sequence[Network]:
        """Where PagerDuty's webhooks come from, as far as we know."""
        return self._networks

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch once a period until `stop` is set."""
        while not stop.is_set():
            wait = self._seconds
            try:
                if not await self.once():
                    wait = min(wait, RETRY_SECONDS)
                self._failing = False
            except (PagerDutyFailure, StoreUnavailable) as failure:
                if not self._failing:
                    log.warning("safelist_not_fetched", reason=str(failure), kept=len(self._networks))
                self._failing = True
                wait = min(wait, RETRY_SECONDS)
            await rest(stop, wait)

    async def once(self) -> bool:
        """Fetch unless another replica has in this period; apply what is kept. False: of a change nobody
        could be told yet.

        Raises PagerDutyFailure and StoreUnavailable; what counted before counts on.
        """
        before = await self._kept.get(self._region)
        if before:
            self._networks = networks(before)
        lease = await self._leases.take(PERIOD, self._seconds * 0.9)
        if lease is None:
            return True
        try:
            self._networks = found = await self._fetch()
            told = await self._take(before, words(found))
        except (PagerDutyFailure, StoreUnavailable):
            await self._leases.release(lease)
            raise
        if not told:
            await self._leases.release(lease)
        return told

    async def _take(self, before: tuple[str, ...], now: tuple[str, ...]) -> bool:
        """Keep the list, also one that nobody could be told of: then what they know stays what it was."""
        known = await self._kept.told(self._region) or before
        changed = bool(known) and set(known) != set(now)
        key = f"{NOTICE}{self._region}:{hashlib.sha256(' '.join(now).encode()).hexdigest()[:16]}"
        # Told before it is kept: who dies in between tells nothing twice, and nothing is left untold.
        told = not changed or await self._notes.tell_once(key, _explained(self._region, known, now))
        await self._kept.put(self._region, now, told=now if told else known)
        if changed and told:
            await self._notes.settle(key)
        return told


def _explained(region: Region, before: Sequence[str], now: Sequence[str]) -> str:
    new = ", ".join(one for one in now if one not in before) or "none"
    gone = ", ".join(one for one in before if one not in now) or "none"
    return (
        f"PagerDuty's webhooks ({region}) come from other addresses now. New: {new}. Gone: {gone}. "
        "I have taken the list over. Bring firewalls and security groups in front of me up to date: "
        "`python -m bot safelist` prints the whole list."
    )
