"""What a person does to incidents, as that person; what PagerDuty answers is saved (bot/store/incidents.py),
so that the living messages follow without being told.

One `Desk` per request; bot/command/context.py says what handlers see of it. Every act may be asked for twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.accounts.acting import Acting
from bot.command.context import Escalated, Found, NewIncident, Triggered
from bot.command.editing import NOT_ESCALATED, Editing
from bot.command.looking import Reach, distinct, no_such
from bot.command.writing_down import healed_later
from bot.declaration import IncidentRef
from bot.errors import (
    PagerDutyFailure,
    PagerDutyForbidden,
    PagerDutyNotFound,
    PagerDutyRefused,
    PagerDutyUnavailable,
)
from bot.events import StoryLine
from bot.model import Channel, Incident, Note, Reading, Status, Urgency
from bot.pagerduty.refusals import ALREADY_ACKNOWLEDGED, ALREADY_RESOLVED, CANNOT_ESCALATE
from bot.render.outcomes import Outcome, Result

BULK = 250  # incidents in one write, PagerDuty's limit


@dataclass(frozen=True, slots=True)
class Desks(Reach):
    """Opens one desk per request."""

    def open(self, acting: Acting | None, channel: Channel) -> Desk:
        """For a person (None: reads only) in a channel."""
        return Desk(self, channel, acting=acting)


@dataclass(slots=True)
class Desk(Editing):
    """What one request may do with incidents."""

    async def acknowledge(self, refs: Sequence[IncidentRef]) -> list[Outcome]:
        """Read all in parallel, write once for those that are triggered: PagerDuty reopens a resolved
        incident that is acknowledged.
        """
        found = distinct(await self.read(refs))
        triggered = [
            one.incident.id for one in found if one.incident and one.incident.status is Status.TRIGGERED
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

    async def reopened_later(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Those of them that turn out, some seconds later, to have been reopened by this acknowledgement."""
        for pause in self.reach.late_looks:
            await asyncio.sleep(pause)
            found = await self.reopened(outcomes)
            if late := [one for one in found if one.result is Result.REOPENED and one not in outcomes]:
                return late
        return []

    async def _if_reopened(self, outcome: Outcome) -> Outcome:
        incident = outcome.incident
        if outcome.result is not Result.DONE or incident is None or incident.id not in self._written_at:
            return outcome
        read_at = self._readings[incident.id][0].updated_at
        written_at = self._written_at[incident.id]
        story: Sequence[StoryLine] = ()
        with healed_later("whether it was reopened"):
            story = await self.reach.incidents.story(incident.id)
        for line in story:
            # All three are PagerDuty's clock; `updated_at` may be cut to whole seconds.
            resolved = line.kind == "resolved" and read_at < line.at <= written_at
            reopened = line.kind == "reopened" and read_at < line.at <= written_at + timedelta(seconds=1)
            if resolved or reopened:
                return Outcome(Result.REOPENED, outcome.asked, incident)
        return outcome

    async def resolve(self, refs: Sequence[IncidentRef]) -> list[Outcome]:
        """One write for all; a number whose id we do not know is read first."""
        found = distinct(list(await asyncio.gather(*(self._by_id(ref) for ref in refs))))
        ids = {one.ref.id: one.incident.id if one.incident else one.ref.id for one in found}
        missing = [one for one in found if one.incident is None and one.ref.id.isdigit()]
        wanted = [one for one in found if one not in missing]
        told = await self._write([ids[one.ref.id] for one in wanted], Status.RESOLVED)
        return [
            Outcome(Result.NOT_FOUND, one.ref.id) if one in missing else told[ids[one.ref.id]]
            for one in found
        ]

    async def _by_id(self, ref: IncidentRef) -> Found:
        """Enough to write: an id as it is, a number by what we know, else by a read."""
        if known := await self.reach.incidents.find(ref.id):
            return Found(ref, known)
        return await self._look(ref) if ref.id.isdigit() else Found(ref)

    async def _write(self, ids: Sequence[str], status: Status) -> dict[str, Outcome]:
        """Set a status: all at once, and each alone when PagerDuty refuses them: it takes all or nothing."""
        told: dict[str, Outcome] = {}
        for start in range(0, len(ids), BULK):
            some = list(ids[start : start + BULK])
            try:
                told |= await self._written(some, status)
            except (PagerDutyRefused, PagerDutyNotFound, PagerDutyForbidden) as refused:
                if isinstance(refused, PagerDutyForbidden) and (len(some) == 1 or not self._own_token):
                    raise
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
        began_at = await self.reach.incidents.now()
        readings = {one.incident.id: one for one in await self._hand.set_status(ids, status)}
        told = await asyncio.gather(
            *(self._after_writing(ident, readings.get(ident), began_at, status) for ident in ids)
        )
        return dict(zip(ids, told, strict=True))

    async def _after_writing(
        self, ident: str, reading: Reading | None, began_at: datetime, status: Status
    ) -> Outcome:
        """Saved, too. `reading` is PagerDuty's answer about this one."""
        if reading is None:
            return Outcome(Result.DONE, ident, await self.reach.incidents.find(ident))
        if reading.incident.is_open or status is Status.RESOLVED:
            return Outcome(Result.DONE, ident, await self._changed(reading, began_at))
        # The answer to our write was lost, and it was found resolved: by somebody else.
        return Outcome(Result.RESOLVED, ident, await self._saved(reading, began_at, ask_level=False))

    async def _refused(self, ident: str, failure: PagerDutyFailure) -> Outcome:
        known = await self.reach.incidents.find(ident)
        if failure.code in (ALREADY_RESOLVED, ALREADY_ACKNOWLEDGED):
            found = await self._look(IncidentRef(ident))
            return Outcome(Result.ALREADY, ident, found.incident or known)
        if isinstance(failure, PagerDutyNotFound):
            return Outcome(Result.NOT_FOUND, ident, None)
        if isinstance(failure, PagerDutyForbidden):
            return Outcome(Result.REFUSED, ident, known, _not_for_this_role(known))
        if failure.maybe_done:
            return Outcome(Result.UNKNOWN, ident, known)
        if isinstance(failure, PagerDutyUnavailable):
            return Outcome(Result.NOT_DONE, ident, known)
        return Outcome(Result.REFUSED, ident, known, "; ".join(failure.reasons) or str(failure))

    async def escalate(self, ref: IncidentRef, level: int) -> Escalated:
        """To this level of its policy; never down, and once however many ask at once: reading and writing
        happen under a lease that all replicas share.
        """
        incident = await self.known(ref)
        async with self._alone_at(f"escalate:{incident.id}"):
            now = await self.one(IncidentRef(incident.id))
            if refusal := cannot_be_escalated(now):
                return Escalated(now, moved=False, level=0, refusal=refusal)
            if now.level is not None and now.level.number >= level:
                return Escalated(now, moved=False, level=now.level.number)
            began_at = await self.reach.incidents.now()
            try:
                reading = await self._hand.escalate(now.id, level)
            except PagerDutyRefused as refused:
                if refused.code != CANNOT_ESCALATE:
                    raise
                return Escalated(now, moved=False, level=0, refusal=NOT_ESCALATED)
            changed = await self._changed(reading, began_at)
            return Escalated(changed, moved=True, level=level)

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
        began_at = await self.reach.incidents.now()
        made = await self._hand.create_incident(
            service_id=new.service.id,
            title=new.title,
            incident_key=new.key,
            details=new.details or None,
            urgency=new.urgency,
        )
        return Triggered(await self._changed(made.reading, began_at), made.existed)


def cannot_be_escalated(incident: Incident) -> str:
    """Why PagerDuty would refuse, with what to do instead; empty when it would not."""
    if not incident.is_open:
        return "It is resolved. Trigger a new one if it is back."
    if incident.urgency is Urgency.LOW:
        return "PagerDuty does not escalate low-urgency incidents. Raise its urgency there first."
    return ""


def _not_for_this_role(incident: Incident | None) -> str:
    """One of several that PagerDuty does not let this person change."""
    service = incident.service.name if incident else "its service"
    return f"Your role on {service} does not allow it. Ask whoever is on call for it."
