"""What happens in the account, read from its log again and again: for `python -m bot watch`.

Like bot/delivery/following.py, without a database: whoever watches keeps the place. Each entry is told once,
with its incident as it was when the entry was read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.errors import PagerDutyNotFound
from bot.model import Incident, LogEntry
from bot.pagerduty import payloads
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.wire import Params

OVERLAP = timedelta(seconds=30)  # entries may come late
SKEW = timedelta(minutes=10)  # how far our clock may be from PagerDuty's when we begin
UNTOLD = frozenset({"notify"})  # who was called how is no change of an incident


@dataclass(frozen=True, slots=True)
class News:
    """One entry and its incident."""

    entry: LogEntry
    incident: Incident


@dataclass(slots=True)
class AccountLog:
    """`since` (aware): what happened from then on is news; None: what happens after the first look. `teams`
    are ids; empty for all.
    """

    client: PagerDuty
    since: datetime | None = None
    teams: tuple[str, ...] = ()
    _newest: datetime | None = None  # PagerDuty's clock
    _seen: dict[str, datetime] = field(default_factory=dict)

    async def news(self) -> list[News]:
        """Since the last look, the oldest first. One call per 100 entries. Raises PagerDutyFailure; then the
        same comes again next time.
        """
        begins = self._newest is None
        start = self.since or self.client.http.clock() - SKEW
        found = await self._read(start if self._newest is None else self._newest - OVERLAP)
        fresh = [one for one in found if one.entry.id not in self._seen]
        self._newest = max((one.entry.at for one in found), default=self._newest or start)
        for one in fresh:
            self._seen[one.entry.id] = one.entry.at
        kept = self._newest - OVERLAP * 2
        self._seen = {ident: at for ident, at in self._seen.items() if at >= kept}
        return [] if begins and self.since is None else fresh

    async def _read(self, since: datetime) -> list[News]:
        params: Params = {
            "since": since,
            "is_overview": True,
            "include": ["incidents"],
            "team_ids": self.teams,
        }
        found: list[News] = []
        asked: dict[str, Incident | None] = {}
        pages = self.client.http.pages("/log_entries", self.client.credentials, "log_entries", params=params)
        async for page in pages:
            for told in page.items:
                entry = payloads.log_entry(told)
                if entry is None or entry.incident_id is None or entry.kind in UNTOLD:
                    continue
                reading = payloads.reading(told.get("incident"), self.client.ranks())
                if reading is None and entry.incident_id not in asked:
                    asked[entry.incident_id] = await self._incident(entry.incident_id)
                incident = reading.incident if reading else asked[entry.incident_id]
                if incident is not None:
                    found.append(News(entry, incident))
        found.reverse()  # they come newest first; equal seconds keep their order
        return sorted(found, key=lambda one: one.entry.at)

    async def _incident(self, ident: str) -> Incident | None:
        """Where the entry names it only; None for one that is not ours to see."""
        try:
            return (await self.client.incident(ident)).incident
        except PagerDutyNotFound:
            return None
