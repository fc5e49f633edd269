"""Time passing: escalation delays, acknowledgement timeouts, snoozes that end, automatic resolution.

One task sleeps until the next moment something is due. What is due stands in the incident itself
(`escalate_at` …); the queue only remembers when to look, so a timer that was called off in the meantime is
simply not found due.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.state import Incident, State

Kind = Literal["escalate", "unacknowledge", "resolve"]
KINDS: tuple[Kind, ...] = ("escalate", "unacknowledge", "resolve")


def due_at(incident: Incident, kind: Kind) -> datetime | None:
    match kind:
        case "escalate":
            return incident.escalate_at
        case "unacknowledge":
            return incident.unacknowledge_at
        case "resolve":
            return incident.resolve_at


class Timers:
    """Wakes `on_due` for each incident whose time has come; `watch` must be called after a timer was set."""

    def __init__(self, state: State, clock: Clock, on_due: Callable[[Incident, Kind], None]) -> None:
        self._state = state
        self._clock = clock
        self._on_due = on_due
        self._queue: list[tuple[datetime, str, Kind]] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def watch(self, incident: Incident) -> None:
        for kind in KINDS:
            if at := due_at(incident, kind):
                heapq.heappush(self._queue, (at, incident.id, kind))
        self._changed.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def fire_due(self) -> None:
        """Act on everything that is due now."""
        while self._queue and self._queue[0][0] <= self._clock():
            at, incident_id, kind = heapq.heappop(self._queue)
            incident = self._state.incidents[incident_id]
            if due_at(incident, kind) == at:
                self._on_due(incident, kind)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            self.fire_due()
            wait = (self._queue[0][0] - self._clock()).total_seconds() if self._queue else None
            try:
                async with asyncio.timeout(None if wait is None else max(wait, 0.001)):
                    await self._changed.wait()
            except TimeoutError:
                continue
