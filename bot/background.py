"""Loops that run beside the requests: started together, told to stop together, and loud when one fails.

A loop that ends with an exception, or by itself, is begun again after a pause, and `complaints` (said by
/health/ready) names it until it has run for a while without failing: a dead side task must not look like a
calm night.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from bot.errors import StoreUnavailable

log = structlog.get_logger("pagerline.background")

PAUSE = 1.0  # seconds before a failed loop begins again; doubles up to the longest
LONGEST_PAUSE = 30.0
CALM = 60.0  # seconds without failing after which a loop is well again

Loop = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set."""


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """Between two rounds of a loop: returns after `seconds`, at once when the loop is to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def rest_until(stop: asyncio.Event, hint: Coroutine[Any, Any, object]) -> None:
    """The same, until `hint` is over: it waits for news, or for its own time."""
    waits = [asyncio.create_task(one, name="rest") for one in (stop.wait(), hint)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def look_again(
    stop: asyncio.Event,
    look: Callable[[], Awaitable[object]],
    hint: Callable[[], Coroutine[Any, Any, object]],
    *,
    lost: str,
) -> None:
    """Look, and again after every hint, until the loop is to stop. A store that is away is logged once, as
    `lost`.
    """
    away = False
    while not stop.is_set():
        try:
            await look()
            away = False
        except StoreUnavailable as failure:
            if not away:
                log.warning(lost, reason=str(failure))
            away = True
        await rest_until(stop, hint())


class Background:
    """Owns the loops' tasks. Build it inside the running loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stop = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failed_at: dict[str, float] = {}

    def start(self, name: str, loop: Loop) -> None:
        """Begin one loop."""
        self._tasks[name] = asyncio.get_running_loop().create_task(self._keep_going(name, loop), name=name)

    def complaints(self) -> list[str]:
        """One line for each loop that failed lately."""
        recent = (name for name, at in self._failed_at.items() if self._clock() - at < CALM)
        return [f"{name} failed and was begun again; the log says why" for name in sorted(recent)]

    async def stop(self, seconds: float) -> None:
        """Tell all loops to stop; cancel what has not within `seconds`."""
        self._stop.set()
        tasks = set(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            log.warning("loop_cancelled", loop=task.get_name())
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=5)

    async def _keep_going(self, name: str, loop: Loop) -> None:
        pause = PAUSE
        while not self._stop.is_set():
            began = self._clock()
            try:
                await loop(self._stop)
                if self._stop.is_set():
                    return
                log.error("loop_ended", loop=name, again_in=pause)
            except Exception:
                log.exception("loop_failed", loop=name, again_in=pause)
            self._failed_at[name] = self._clock()
            await rest(self._stop, pause)
            ran = self._failed_at[name] - began
            pause = PAUSE if ran > CALM else min(pause * 2, LONGEST_PAUSE)
