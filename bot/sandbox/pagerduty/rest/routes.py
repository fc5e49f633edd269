"""What a REST route is: a method and path, the scope it needs, and a function from a call to an answer.

Handlers are plain functions without waiting, so each request happens at one instant, and refuse by raising
ApiError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.pagerduty.access import Actor
from bot.sandbox.pagerduty.query import Query
from bot.sandbox.pagerduty.state import Agent, Json


@dataclass(frozen=True)
class Call:
    """One request, after authentication; `body` is the parsed JSON, None when there is none."""

    actor: Actor
    query: Query
    path: dict[str, str]
    body: Any = None

    @property
    def agent(self) -> Agent:
        """Who acts, on routes that need a person (`needs_person`)."""
        assert self.actor.user is not None
        return Agent("user", self.actor.user)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Json | None = None


@dataclass(frozen=True)
class Route:
    """`scope` is the OAuth scope's resource (`incidents`); `needs_person`: account keys must send `From`."""

    method: str
    path: str
    handle: Callable[[Call], Answer]
    scope: str | None
    needs_person: bool = False


def ok(body: Json) -> Answer:
    return Answer(200, body)
