"""What went over the wires of the fake Slack, and what changed in it: for stories, the page, bug reports."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.sandbox.slack.answers import Json

Direction = Literal["api", "delivery", "response_url"]
_KEPT = 20_000
_SECRET = frozenset({"access_token", "client_secret", "code", "id_token", "refresh_token", "token"})


@dataclass
class Exchange:
    """One request and its answer. `method` is the HTTP verb, `api_method` Slack's name for an `api` call.

    `name` says what was delivered (`slash_commands`, `block_actions`, `app_mention`, …). `milliseconds` is
    how long the other side took; `fault` was played on the call; `status` 0 means that no answer was sent.
    """

    direction: Direction
    at: datetime
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    status: int = 0
    answer: Any = None
    api_method: str | None = None
    name: str | None = None
    actor: str | None = None
    milliseconds: float = 0.0
    fault: str | None = None

    def as_json(self) -> Json:
        return {**asdict(self), "at": self.at.isoformat()}


@dataclass(frozen=True)
class Change:
    """Something a person looking at the workspace could notice. `kind` is what changed, `detail` where."""

    kind: str
    detail: Json


class Journal(deque[Exchange]):
    """The newest exchanges, oldest first; a long-running sandbox forgets the very old ones."""

    def __init__(self) -> None:
        super().__init__(maxlen=_KEPT)

    def calls(self, api_method: str) -> list[Exchange]:
        """Web API calls of this method, oldest first."""
        return [e for e in self if e.api_method == api_method]

    def deliveries(self, name: str | None = None) -> list[Exchange]:
        """What was sent to the bot, oldest first; with `name`, only that kind."""
        return [e for e in self if e.direction == "delivery" and name in (None, e.name)]


class Changes:
    """A hub: a listener gets every change from now on; one that falls far behind loses the oldest."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Change]] = set()

    def publish(self, kind: str, **detail: Any) -> None:
        change = Change(kind, detail)
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(change)

    async def listen(self) -> AsyncIterator[Change]:
        queue: asyncio.Queue[Change] = asyncio.Queue(maxsize=1000)
        self._queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)


def masked(headers: dict[str, str]) -> dict[str, str]:
    """The headers without what would let someone act: a token keeps its kind and its last four characters."""
    return {
        name: _mask(value) if name.lower() == "authorization" else value for name, value in headers.items()
    }


def _mask(value: str) -> str:
    if value.startswith("Basic "):
        return "Basic …"
    return f"{value[:12]}…{value[-4:]}" if len(value) > 20 else "…"


def without_secrets(values: Json) -> Json:
    """A call's arguments or answer without the tokens and codes it carries."""
    return {name: "…" if name in _SECRET and value else value for name, value in values.items()}
