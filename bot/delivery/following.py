"""Without a webhook: what happened is read from the account's log every few seconds.

For bots that PagerDuty cannot reach (Socket Mode behind a firewall). A log entry becomes an event like a
webhook's, with an id of its own, so that it is told once however often it is read and by however many
replicas; what it leaves open is read from PagerDuty (bot/delivery/rereader.py). Slower, still true: an entry
does not tell whom an escalation paged, so those lines call nobody by name; the message does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.background import rest
from bot.errors import PagerDutyFailure, StoreUnavailable
from bot.events import Event
from bot.model import LogEntry
from bot.pagerduty.client import PagerDuty
from bot.store.cursors import Cursor, Cursors
from bot.store.incidents import Incidents
from bot.store.leases import Leases

log = structlog.get_logger("pagerline.following")

PERIOD = "log period"  # a lease: one replica reads each period
CURSOR = "followed"  # the moment of the newest entry read, PagerDuty's clock
OVERLAP = timedelta(seconds=30)  # entries may come late
LONGEST_PAUSE = 15.0  # seconds between tries while PagerDuty is away
# PagerDuty's kinds of log entries (its "Log Entries" pages) and the events that tell the same.
EVENT_OF: Mapping[str, str] = {
    "trigger": "incident.triggered",
    "acknowledge": "incident.acknowledged",
    "unacknowledge": "incident.unacknowledged",
    "resolve": "incident.resolved",
    "escalate": "incident.escalated",
    "repeat_escalation_path": "incident.escalated",
    "delegate": "incident.delegated",
    "annotate": "incident.annotated",
    "reopen": "incident.reopened",
}
SILENT = frozenset({"notify", "assign", "exhaust_escalation_path", "reach_ack_limit", "reach_trigger_limit"})


def as_event(entry: LogEntry) -> Event | None:
    """The event that would have told it; None for what changes nothing a message shows. A kind we do not know
    may have changed anything.
    """
    if entry.incident_id is None or entry.kind in SILENT:
        return None
    return Event(
        id=f"log:{entry.id}",
        type=EVENT_OF.get(entry.kind, f"incident.{entry.kind}"),
        occurred_at=entry.at,
        agent=entry.agent,
        incident_id=entry.incident_id,
        text=entry.note,
        raw="{}",
    )


class LogFollower:
    """`seconds` is the period."""

    def __init__(
        self,
        incidents: Incidents,
        reader: PagerDuty,
        leases: Leases,
        cursors: Cursors,
        *,
        seconds: float = 5.0,
    ) -> None:
        self._incidents = incidents
        self._reader = reader
        self._leases = leases
        self._cursors = cursors
        self._seconds = seconds
        self._failures = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Read once a period until `stop` is set, more rarely while PagerDuty is away."""
        while not stop.is_set():
            try:
                await self.once()
                if self._failures:
                    log.info("log_followed_again")
                self._failures = 0
            except (PagerDutyFailure, StoreUnavailable) as failure:
                if not self._failures:
                    log.warning("log_not_followed", reason=str(failure))
                self._failures = min(self._failures + 1, 10)
            pause = min(self._seconds * 2**self._failures, max(LONGEST_PAUSE, self._seconds))
            await rest(stop, pause)

    async def once(self) -> int | None:
        """How many entries were new; None when another replica has read in this period.

        Raises PagerDutyFailure and StoreUnavailable; then the same entries are read again next time.
        """
        mine = await self._leases.take(PERIOD, self._seconds * 0.9)
        if mine is None:
            return None
        try:
            return await self._read()
        except BaseException:
            await self._leases.release(mine)
            raise

    async def _read(self) -> int:
        cursor = await self._cursors.get(CURSOR)
        since = (cursor.at if cursor else await self._incidents.now()) - OVERLAP
        newest: datetime | None = cursor.at if cursor else None
        events = []
        for entry in await self._reader.log_since(since):
            newest = max(newest or entry.at, entry.at)
            if event := as_event(entry):
                events.append(event)
        taken = await asyncio.gather(*(self._incidents.accept(event) for event in events))
        await self._cursors.put(CURSOR, Cursor(newest or since + OVERLAP))
        return sum(not one.duplicate for one in taken)
