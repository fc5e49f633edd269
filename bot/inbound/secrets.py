"""The secrets that webhooks may be signed with: those of the settings, and those sealed in the store.

`python -m bot webhooks` adds and forgets sealed ones while bots run: the store is asked once a minute, and at
once when a signature matches nothing, so that the first delivery of a new subscription is taken.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from pydantic import SecretStr

FRESH_SECONDS = 60.0
LOOK_GAP = 1.0  # seconds between looks on a mismatch: anybody can send one


class Secrets:
    """`fixed` are the settings'; `kept` reads the sealed ones and may raise StoreUnavailable."""

    def __init__(
        self,
        fixed: Sequence[SecretStr],
        kept: Callable[[], Awaitable[Sequence[SecretStr]]] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fixed = tuple(one.get_secret_value() for one in fixed)
        self._kept = kept
        self._clock = clock
        self._sealed: tuple[str, ...] = ()
        self._read_at = float("-inf")

    async def now(self) -> tuple[str, ...]:
        """All that count. Raises StoreUnavailable."""
        await self._look(FRESH_SECONDS)
        return self._fixed + self._sealed

    async def newer(self) -> tuple[str, ...]:
        """Those that were sealed since the last look; none when that was a moment ago. Raises
        StoreUnavailable.
        """
        before = self._sealed
        await self._look(LOOK_GAP)
        return tuple(one for one in self._sealed if one not in before)

    async def _look(self, older_than: float) -> None:
        if self._kept is None or self._clock() - self._read_at < older_than:
            return
        self._sealed = tuple(one.get_secret_value() for one in await self._kept())
        self._read_at = self._clock()
