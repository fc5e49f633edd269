"""Everything a command does with incidents: reads by the account key, acts as the person, and what PagerDuty
answers
is saved (bot/store/incidents.py), so that the living messages follow without being told.

One `Desk` per request; bot/command/context.py says what handlers see of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.accounts import Acting
from bot.command.context import (
    Escalated,
    Escalation,
    Filter,
    Found,
    NewIncident,
    Triggered,
)
from bot.command.ports import IncidentStore, LeasePort, Levels
from bot.declaration import IncidentRef
from bot.errors import (
    NotAllowed,
    PagerDutyFailure,
    PagerDutyNotFound,
    PagerDutyRefused,
    UserError,
)
from bot.model import Channel, Incident, LogEntry, Note, Reading, Reference, Status, Urgency
from bot.pagerduty.client import PagerDuty
from bot.render.outcomes import Outcome, Result
from bot.store.audit import Audit

BULK = 250  # incidents in one write, PagerDuty's limit
LEASE_SECONDS = 15.0
LEASE_PATIENCE = 8.0  # seconds to wait while somebody else escalates the same incident
ALREADY_RESOLVED, ALREADY_ACKNOWLEDGED = 1001, 1002  # PagerDuty's error codes


@dataclass(frozen=True, slots=True)
class Desks:
    """Opens one per request."""

    reader: PagerDuty
    incidents: IncidentStore
    audit: Audit
    leases: LeasePort
    levels: Levels

    def open(self, acting: Acting | None, channel: Channel) -> Desk:
        """For a person (None: reads only) in a channel."""
        return Desk(self, acting, channel)


@dataclass(slots=True)
class Desk:
    """What one request may do with incidents."""

    desks: Desks
    acting: Acting | None
    channel: Channel
    subjects: list[str] = field(default_factory=list)  # ids of the incidents that were changed
    _readings: dict[str, tuple[Reading, datetime]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------- reading

    async def read(self, refs: Sequence[IncidentRef]) -> list[Found]:
        """Each from PagerDuty, in parallel, in the order asked. Raises PagerDutyFailure when it is PagerDuty
        that fails.
        """
        return list(await asyncio.gather(*(self._look(ref) for ref in refs)))

    async def _look(self, ref: IncidentRef) -> Found:
        began_at = await self.desks.incidents.now()
        try:
            reading = await self.desks.reader.incident(ref.id)
        except PagerDutyNotFound:
            return Found(ref)
        return Found(ref, await self._saved(reading, began_at))

    async def _saved(self, reading: Reading, began_at: datetime) -> Incident:
        """The incident with its level, saved as read."""
        incident = await self.desks.levels.with_level(reading.incident)
        reading = Reading(incident, reading.updated_at)
        await self.desks.incidents.save_reading(reading, began_at=began_at, seen=None)
        self._readings[incident.id] = (reading, began_at)
        return incident

    async def one(self, ref: IncidentRef) -> Incident:
        """One from PagerDuty, its level worked out. Raises UserError when there is none."""
        found = await self._look(ref)
        if found.incident is None:
            raise no_such(ref)
        return found.incident

    async def known(self, ref: IncidentRef) -> Incident:
        """As last known, without asking PagerDuty unless we never heard of it. Raises UserError."""
        return await self.desks.incidents.find(ref.id) or await self.one(ref)

    async def here(self) -> list[Incident]:
        """Open incidents with a message in this channel, as last known."""
        return await self.desks.incidents.open_in(self.channel) if self.channel.id else []

    async def open_ones(self, wanted: Filter) -> list[Incident]:
        """Every open incident that fits, one call per 100; not saved unless `keep` is asked for."""
        began_at = await self.desks.incidents.now()
        found = await self.desks.reader.incidents(
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
        for incident in incidents:
            reading, began_at = self._readings[incident.id]
            await self.desks.incidents.save_reading(reading, began_at=began_at, seen=None)

    async def levels(self, incident: Incident) -> list[tuple[int, Sequence[Reference]]]:
        """The levels of its policy and whom each pages now."""
        return await self.desks.levels.of_policy(incident)

    async def notes(self, ref: IncidentRef) -> tuple[Incident, list[Note]]:
        """The incident and its notes."""
        incident = await self.known(ref)
        return incident, list(await self.desks.reader.notes(incident.id))

    async def log(self, ref: IncidentRef) -> list[LogEntry]:
        """Its history in PagerDuty, what matters of it."""
        return list(await self.desks.reader.log_entries(ref.id))

    async def last_escalation(self, incident: Incident, seconds: float) -> Escalation | None:
        """Somebody's escalation within the last `seconds` through this bot."""
        recent = await self.desks.audit.recent("escalate", incident.id, seconds)
        return Escalation(recent.user_id, recent.seconds_ago) if recent else None

    async def with_key(self, service_id: str, key: str) -> Incident | None:
        """The incident that an earlier `trigger` with this key made."""
        reading = await self.desks.reader.incident_with_key(service_id, key)
        return reading.incident if reading else None

    # ------------------------------------------------------------------------------------------- acting

    @property
    def _hand(self) -> PagerDuty:
        if self.acting is None:
            raise NotAllowed("This command may only read. Tell whoever runs this bot: its scope is wrong.")
        return self.acting.pagerduty

    async def acknowledge(self, refs: Sequence[IncidentRef]) -> list[Outcome]:
        """Read all in parallel, write once for those that are triggered: PagerDuty reopens a resolved
        incident that is
        acknowledged.
        """
        found = distinct(await self.read(refs))
        triggered = [
            one.incident for one in found if one.incident and one.incident.status is Status.TRIGGERED
        ]
        told = await self._write(triggered, Status.ACKNOWLEDGED)
        outcomes = []
        for one in found:
            asked, incident = one.ref.id, one.incident
            if incident is None:
                outcomes.append(Outcome(Result.NOT_FOUND, asked))
            elif incident.id in told:
                outcomes.append(told[incident.id])
            elif incident.status is Status.ACKNOWLEDGED:
                outcomes.append(Outcome(Result.ALREADY, asked, incident))
            else:
                outcomes.append(Outcome(Result.RESOLVED, asked, incident))
        return await self.reopened(outcomes)

    async def reopened(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The same outcomes, with those marked that were resolved between our read and our write: then this
        acknowledgement reopened them. PagerDuty's answer does not say so; its events do.
        """
        return [await self._if_reopened(one) for one in outcomes]

    async def _if_reopened(self, outcome: Outcome) -> Outcome:
        incident = outcome.incident
        if outcome.result is not Result.DONE or incident is None or incident.id not in self._readings:
            return outcome
        read, _ = self._readings[incident.id]
        for line in await self.desks.incidents.story(incident.id):
            if line.kind in ("resolved", "reopened") and line.at > read.updated_at:
                return Outcome(Result.REOPENED, outcome.asked, incident)
        return outcome

    async def resolve(self, refs: Sequence[IncidentRef]) -> list[Outcome]:
        """One write for all; a number whose id we do not know is read first."""
        found = distinct(list(await asyncio.gather(*(self._by_id(ref) for ref in refs))))
        ids = {one.ref.id: one.incident.id if one.incident else one.ref.id for one in found}
        missing = [one for one in found if one.incident is None and one.ref.id.isdigit()]
        wanted = [one for one in found if one not in missing]
        told = await self._write_ids([ids[one.ref.id] for one in wanted], Status.RESOLVED)
        return [
            Outcome(Result.NOT_FOUND, one.ref.id) if one in missing else told[ids[one.ref.id]]
            for one in found
        ]

    async def _by_id(self, ref: IncidentRef) -> Found:
        """Enough to write: an id as it is, a number by what we know, else by a read."""
        if known := await self.desks.incidents.find(ref.id):
            return Found(ref, known)
        return await self._look(ref) if ref.id.isdigit() else Found(ref)

    async def _write(self, incidents: Sequence[Incident], status: Status) -> dict[str, Outcome]:
        return await self._write_ids([one.id for one in incidents], status)

    async def _write_ids(self, ids: Sequence[str], status: Status) -> dict[str, Outcome]:
        """Set a status: all at once, and each alone when PagerDuty refuses them together (it takes all or
        nothing).
        """
        told: dict[str, Outcome] = {}
        for start in range(0, len(ids), BULK):
            some = list(ids[start : start + BULK])
            try:
                told |= await self._written(some, status)
            except (PagerDutyRefused, PagerDutyNotFound) as refused:
                if len(some) == 1:
                    told[some[0]] = await self._refused(some[0], refused)
                else:
                    alone = await asyncio.gather(*(self._alone(ident, status) for ident in some))
                    told |= dict(zip(some, alone, strict=True))
        return told

    async def _alone(self, ident: str, status: Status) -> Outcome:
        try:
            return (await self._written([ident], status))[ident]
        except PagerDutyFailure as failure:
            return await self._refused(ident, failure)

    async def _written(self, ids: list[str], status: Status) -> dict[str, Outcome]:
        began_at = await self.desks.incidents.now()
        readings = {one.incident.id: one for one in await self._hand.set_status(ids, status)}
        told = {}
        for ident in ids:
            reading = readings.get(ident)
            incident = await self._changed(reading, began_at) if reading else None
            told[ident] = Outcome(Result.DONE, ident, incident or await self.desks.incidents.find(ident))
        return told

    async def _changed(self, reading: Reading, began_at: datetime) -> Incident:
        """What PagerDuty answered to our own write, saved."""
        incident = await self.desks.levels.with_level(reading.incident)
        await self.desks.incidents.save_written(Reading(incident, reading.updated_at), began_at=began_at)
        self.subjects.append(incident.id)
        return incident

    async def _refused(self, ident: str, failure: PagerDutyFailure) -> Outcome:
        known = await self.desks.incidents.find(ident)
        if failure.code in (ALREADY_RESOLVED, ALREADY_ACKNOWLEDGED):
            found = await self._look(IncidentRef(ident))
            return Outcome(Result.ALREADY, ident, found.incident or known)
        if isinstance(failure, PagerDutyNotFound):
            return Outcome(Result.NOT_FOUND, ident, None)
        if failure.maybe_done:
            return Outcome(Result.UNKNOWN, ident, known)
        return Outcome(Result.REFUSED, ident, known, "; ".join(failure.reasons) or str(failure))

    async def escalate(self, ref: IncidentRef, level: int) -> Escalated:
        """To this level of its policy; never down, and once however many ask at once: reading and writing
        happen under
        a lease that all replicas share.
        """
        incident = await self.known(ref)
        name = f"escalate:{incident.id}"
        lease = await self._lease(name)
        try:
            now = await self.one(IncidentRef(incident.id))
            if refusal := cannot_be_escalated(now):
                return Escalated(now, moved=False, level=0, refusal=refusal)
            if now.level is not None and now.level.number >= level:
                return Escalated(now, moved=False, level=now.level.number)
            began_at = await self.desks.incidents.now()
            reading = await self._hand.escalate(now.id, level)
            changed = await self._changed(reading, began_at)
            return Escalated(changed, moved=True, level=level)
        finally:
            await self.desks.leases.release(lease)

    async def _lease(self, name: str) -> object:
        deadline = asyncio.get_running_loop().time() + LEASE_PATIENCE
        while (lease := await self.desks.leases.take(name, LEASE_SECONDS)) is None:
            if asyncio.get_running_loop().time() > deadline:
                raise UserError(
                    "Somebody else is escalating this incident right now. Look at it again in a moment."
                )
            await asyncio.sleep(0.1)
        return lease

    async def note(self, ref: IncidentRef, text: str) -> tuple[Incident, Note]:
        """Write a note."""
        incident = await self.known(ref)
        try:
            written = await self._hand.add_note(incident.id, text)
        except PagerDutyNotFound:
            raise no_such(ref) from None
        self.subjects.append(incident.id)
        return incident, written

    async def trigger(self, new: NewIncident) -> Triggered:
        """Open one; the same key again gives the same incident while it is open."""
        began_at = await self.desks.incidents.now()
        made = await self._hand.create_incident(
            service_id=new.service.id,
            title=new.title,
            incident_key=new.key,
            details=new.details or None,
            urgency=new.urgency,
        )
        return Triggered(await self._changed(made.reading, began_at), made.existed)


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


def cannot_be_escalated(incident: Incident) -> str:
    """Why PagerDuty would refuse, with what to do instead; empty when it would not."""
    if not incident.is_open:
        return "It is resolved. Trigger a new one if it is back."
    if incident.urgency is Urgency.LOW:
        return "PagerDuty does not escalate low-urgency incidents. Raise its urgency there first."
    return ""
