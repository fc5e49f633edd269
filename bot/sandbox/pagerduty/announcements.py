"""What happened, told once to everyone who listens: webhook subscriptions, and the page's live stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.state import Agent, Incident, Json
from bot.sandbox.pagerduty.webhook_body import WebhookWriter, envelope

# A page that stops reading must not hold the fake's memory; it reloads the whole state anyway.
LISTENER_BACKLOG = 5_000


@dataclass(frozen=True)
class Change:
    """One thing that happened: an event type of PagerDuty's, or `incident.edited`, `webhook.*`, `control.*`
    of ours.
    """

    kind: str
    at: datetime
    incident: str | None
    body: Json


class Listener:
    """Changes from the moment it was made; `close` (or the end of `async for`) lets it be forgotten."""

    def __init__(self, listeners: set[Listener]) -> None:
        self._queue: asyncio.Queue[Change] = asyncio.Queue(LISTENER_BACKLOG)
        self._listeners = listeners
        listeners.add(self)

    def offer(self, change: Change) -> None:
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(change)

    def close(self) -> None:
        self._listeners.discard(self)

    def __aiter__(self) -> AsyncIterator[Change]:
        return self._changes()

    async def _changes(self) -> AsyncIterator[Change]:
        try:
            while True:
                yield await self._queue.get()
        finally:
            self.close()


class Announcer:
    def __init__(self, writer: WebhookWriter, clock: Clock) -> None:
        self.write = writer
        self._clock = clock
        self._listeners: set[Listener] = set()
        self.deliver: Callable[[Json, Incident | None], None] = lambda _body, _incident: None

    def listen(self) -> Listener:
        return Listener(self._listeners)

    def tell(self, kind: str, body: Json, incident: str | None = None) -> None:
        """Tell the page only: PagerDuty has no webhook for this (an urgency or title edit, a delivery)."""
        change = Change(kind, self._clock(), incident, body)
        for listener in tuple(self._listeners):
            listener.offer(change)

    def announce(
        self, event_type: str, incident: Incident, agent: Agent | None, data: Json | None = None
    ) -> None:
        """Send a webhook about an incident; without `data`, the incident itself as it is now."""
        data = self.write.incident(incident) if data is None else data
        client = incident.client if event_type == "incident.triggered" else None
        body = envelope(event_type, self._clock(), self.write.agent(agent), data, client)
        self.deliver(body, incident)
        self.tell(event_type, body["event"], incident.id)

    def announce_raw(
        self, event_type: str, agent: Json | None, data: Json, incident: Incident | None
    ) -> None:
        body = envelope(event_type, self._clock(), agent, data, None)
        self.deliver(body, incident)
        self.tell(event_type, body["event"], incident.id if incident else None)
