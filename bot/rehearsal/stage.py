"""The test service as a game day uses it: incidents opened, acted on as a person, resolved in every ending.

The first incident comes by the Events API where the service has an integration for it (its key is read, none
is made): that is the way of a real alert. Many come by REST, where no grouping of alerts makes one of them.
Acts are REST's, in the name of the person who was asked to lend it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from bot.errors import PagerDutyFailure
from bot.model import Incident, Status, Urgency
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.event_fields import Action, Alert, Severity
from bot.pagerduty.events import EventsApi
from bot.pagerduty.journal import Journal
from bot.rehearsal.ground import KEY, TITLE, Ground, is_ours

AT_ONCE = 4  # calls under way: a game day leaves the bot its share of PagerDuty's limit
DETAILS = (
    "Opened by Pagerline's game day (python -m bot gameday). Nothing is broken; it is resolved by itself."
)


class Stage:
    """`client` acts as the person of the ground."""

    def __init__(self, client: PagerDuty, events: EventsApi, ground: Ground) -> None:
        self._client = client
        self._events = events
        self._ground = ground
        self._run = secrets.token_hex(4)
        self._sent: set[str] = set()  # keys of events whose incident may come after we have gone

    @property
    def by_event(self) -> bool:
        """Whether an alert can be sent as a monitoring tool would."""
        return self._ground.routing_key is not None

    async def alert(self) -> str:
        """Send an alert's event, or open an incident where the service takes none; the key to find it by.
        Raises PagerDutyFailure.
        """
        if self._ground.routing_key is None:
            await self._open(TITLE, self._key("1"))
            return self._key("1")
        key = self._key("event")
        self._sent.add(key)
        low = self._ground.urgency is Urgency.LOW
        alert = Alert(
            key=key,
            summary=TITLE,
            source="game day",
            severity=Severity.INFO if low else Severity.CRITICAL,
            details={"what": DETAILS},
        )
        await self._events.send(self._ground.routing_key, alert, Journal())
        return key

    async def found(self, key: str) -> Incident | None:
        """The open incident of that key, once PagerDuty has made it."""
        reading = await self._client.incident_with_key(self._ground.service.id, key)
        if reading is None:
            return None
        self._sent.discard(key)
        return reading.incident

    async def open_many(self, count: int) -> list[Incident]:
        """So many at once. Raises PagerDutyFailure."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> Incident:
            async with places:
                return await self._open(f"{TITLE} ({number} of {count})", self._key(str(number)))

        done = await asyncio.gather(*(one(n) for n in range(1, count + 1)), return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in done if isinstance(outcome, Incident)]

    async def now(self, incident: Incident) -> Incident:
        """As PagerDuty has it."""
        return (await self._client.incident(incident.id)).incident

    async def set_status(self, incidents: Sequence[Incident], status: Status) -> list[Incident]:
        """Acknowledge or resolve all of them in one write."""
        found = await self._client.set_status([one.id for one in incidents], status)
        return [one.incident for one in found]

    async def escalate(self, incident: Incident) -> Incident:
        """To the second level."""
        return (await self._client.escalate(incident.id, 2)).incident

    async def note(self, incident: Incident, words: str) -> None:
        await self._client.add_note(incident.id, words)

    async def others_triggered(self) -> list[Incident]:
        """Whatever else waits for somebody in the whole account."""
        found = await self._client.incidents(statuses=[Status.TRIGGERED])
        return [one.incident for one in found if not is_ours(one.incident)]

    async def clean(self) -> list[str]:
        """Resolve what this run and earlier ones opened; what is left, in words. Never raises a failure of
        PagerDuty's.
        """
        left: list[str] = []
        for key in sorted(self._sent):
            try:
                await self._resolve_event(key)
            except PagerDutyFailure as failure:
                left.append(f"the alert {key} was not resolved by an event ({failure})")
        try:
            if open_ones := await self._open_ones():
                await self._client.set_status([one.id for one in open_ones], Status.RESOLVED)
            still = await self._open_ones()
        except PagerDutyFailure as failure:
            where = f"incidents of {self._ground.service.name} that begin with {TITLE!r}"
            return [f"PagerDuty could not be asked ({failure}): resolve {where}, or run this again"]
        return left + [f"{one.label} {one.title}: resolve it in PagerDuty" for one in still]

    async def _open(self, title: str, key: str) -> Incident:
        """Waited for even when we are told to stop: none may appear after the cleaning up."""
        opening = asyncio.create_task(
            self._client.create_incident(
                service_id=self._ground.service.id,
                title=title,
                incident_key=key,
                details=DETAILS,
                urgency=self._ground.urgency,
            )
        )
        try:
            return (await asyncio.shield(opening)).reading.incident
        except asyncio.CancelledError:
            await asyncio.wait({opening})
            raise

    async def _open_ones(self) -> list[Incident]:
        found = await self._client.incidents(service_ids=[self._ground.service.id])
        return [one.incident for one in found if is_ours(one.incident)]

    async def _resolve_event(self, key: str) -> None:
        assert self._ground.routing_key is not None
        await self._events.send(self._ground.routing_key, Alert(action=Action.RESOLVE, key=key), Journal())

    def _key(self, name: str) -> str:
        return f"{KEY}{self._run}-{name}"
