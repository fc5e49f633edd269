"""What a command may look at of incidents: from PagerDuty by the account key, from the store as last known.

What PagerDuty tells is saved (bot/store/incidents.py), so that the living messages follow without being told.
The acts are bot/command/desk.py's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.command.context import Escalation, Filter, Found
from bot.command.integrations import Integrations
from bot.command.ports import IncidentStore, LeasePort, Levels
from bot.declaration import IncidentRef
from bot.errors import PagerDutyNotFound, UserError
from bot.model import Channel, Incident, LogEntry, Note, Reading, Reference, RelatedChange
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.journal import Journal
from bot.store.audit import Audit

MANY = 24
"""More incidents than these are not asked for one by one."""
MOST_CHANGES = 5


@dataclass(frozen=True, slots=True)
class Reach:
    """What every desk works with. `late_looks`: seconds to wait before looking again whether an
    acknowledgement reopened something, for PagerDuty's events take a moment.
    """

    reader: PagerDuty
    incidents: IncidentStore
    audit: Audit
    leases: LeasePort
    levels: Levels
    late_looks: tuple[float, ...] = (1.0, 3.0)
    integrations: Integrations | None = None  # by which events are sent


@dataclass(slots=True)
class Looking:
    """The reading half of a desk. `channel` is where the request came from; `journal` keeps what
    PagerDuty was asked for it, and how that was answered.
    """

    reach: Reach
    channel: Channel
    journal: Journal = field(default_factory=Journal)
    _readings: dict[str, tuple[Reading, datetime]] = field(default_factory=dict)

    @property
    def _reader(self) -> PagerDuty:
        return self.reach.reader.noting_in(self.journal)

    async def read(self, refs: Sequence[IncidentRef]) -> list[Found]:
        """Each from PagerDuty, in parallel, in the order asked; of many those that are open from the list of
        their services, a call per 100 instead of one for each. Raises PagerDutyFailure when that fails.
        """
        listed = await self._listed(refs) if len(refs) > MANY else {}
        return list(await asyncio.gather(*(self._among(listed, ref) for ref in refs)))

    async def _listed(self, refs: Sequence[IncidentRef]) -> dict[str, Incident]:
        """By id and by number: those of them that are open, as far as we know of what service they are."""
        known = await asyncio.gather(*(self.reach.incidents.find(ref.id) for ref in refs))
        services = sorted({one.service.id for one in known if one})
        if not services:
            return {}
        wanted = {one.id for one in known if one}
        began_at = await self.reach.incidents.now()
        read = await self._reader.incidents(service_ids=services)
        saved = await asyncio.gather(
            *(self._saved(one, began_at, ask_level=False) for one in read if one.incident.id in wanted)
        )
        return {name: one for one in saved for name in (one.id, str(one.number))}

    async def _among(self, listed: Mapping[str, Incident], ref: IncidentRef) -> Found:
        found = listed.get(ref.id)
        return Found(ref, found) if found else await self._look(ref)

    async def _look(self, ref: IncidentRef, *, ask_level: bool = False) -> Found:
        began_at = await self.reach.incidents.now()
        try:
            reading = await self._reader.incident(ref.id)
        except PagerDutyNotFound:
            return Found(ref)
        return Found(ref, await self._saved(reading, began_at, ask_level=ask_level))

    async def _saved(self, reading: Reading, began_at: datetime, *, ask_level: bool) -> Incident:
        """The incident with its level as far as that is known (`ask_level`: found out), saved as read."""
        incident = await self.reach.levels.with_level(reading.incident, ask=ask_level)
        reading = Reading(incident, reading.updated_at)
        await self.reach.incidents.save_reading(reading, began_at=began_at, seen=None)
        self._readings[incident.id] = (reading, began_at)
        return incident

    async def one(self, ref: IncidentRef) -> Incident:
        """One from PagerDuty, its level worked out. Raises UserError when there is none."""
        found = await self._look(ref, ask_level=True)
        if found.incident is None:
            raise no_such(ref)
        return found.incident

    async def known(self, ref: IncidentRef) -> Incident:
        """As last known, without asking PagerDuty unless we never heard of it. Raises UserError."""
        return await self.reach.incidents.find(ref.id) or await self.one(ref)

    async def seen(self, ids: Sequence[str]) -> Mapping[str, Incident]:
        """Those of them that we have seen, as last known, by id; PagerDuty is not asked."""
        return await self.reach.incidents.many(ids)

    async def now(self) -> datetime:
        """The database's clock, which what is read is ordered by."""
        return await self.reach.incidents.now()

    async def open_ones(self, wanted: Filter) -> list[Incident]:
        """Every open incident that fits, one call per 100; not saved unless `keep` is asked for."""
        began_at = await self.reach.incidents.now()
        found = await self._reader.incidents(
            statuses=wanted.statuses,
            service_ids=wanted.services,
            team_ids=wanted.teams,
            user_ids=wanted.people,
            urgencies=wanted.urgencies,
        )
        for reading in found:
            self._readings[reading.incident.id] = (reading, began_at)
        return [reading.incident for reading in found]

    async def keep(self, incidents: Sequence[Incident]) -> None:
        """Save what `open_ones` read of these."""
        store = self.reach.incidents
        readings = (self._readings[incident.id] for incident in incidents)
        await asyncio.gather(
            *(store.save_reading(reading, began_at=began_at, seen=None) for reading, began_at in readings)
        )

    async def levels(self, incident: Incident) -> list[tuple[int, Sequence[Reference]]]:
        """The levels of its policy and whom each pages now."""
        return await self.reach.levels.of_policy(incident)

    async def notes(self, ref: IncidentRef) -> tuple[Incident, list[Note]]:
        """The incident and its notes."""
        incident = await self.known(ref)
        return incident, list(await self._reader.notes(incident.id))

    async def log(self, ref: IncidentRef) -> list[LogEntry]:
        """Its history in PagerDuty, what matters of it."""
        return list(await self._reader.log_entries(ref.id))

    async def changes(self, ref: IncidentRef) -> list[RelatedChange]:
        """What was changed before it, as PagerDuty relates it; none where it does not tell."""
        return list(await self._reader.related_changes(ref.id, MOST_CHANGES))

    async def last_escalation(self, incident: Incident, seconds: float) -> Escalation | None:
        """Somebody's escalation within the last `seconds` through this bot."""
        recent = await self.reach.audit.recent("escalate", incident.id, seconds)
        return Escalation(recent.user_id, recent.seconds_ago) if recent else None

    async def with_key(self, service_id: str | None, key: str) -> Incident | None:
        """The open incident with this key; `service_id` None: of any service."""
        reading = await self._reader.incident_with_key(service_id, key)
        return reading.incident if reading else None


def distinct(found: Sequence[Found]) -> list[Found]:
    """Without what was named twice: by number and by id, say."""
    seen: set[str] = set()
    kept = []
    for one in found:
        ident = one.incident.id if one.incident else one.ref.id
        if ident not in seen:
            seen.add(ident)
            kept.append(one)
    return kept


def no_such(ref: IncidentRef) -> UserError:
    """Nothing of that name, or not for this account."""
    name = f"#{ref.id}" if ref.id.isdigit() else ref.id[:40]
    return UserError(f"There is no incident {name}. Check the number; `list` shows the open ones.")
