"""The two values: an event as it came, and a line of an incident's story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.model import Agent, Bridge, Incident, Reference


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line of an incident's story: `kind` is the event type without `incident.`; `names` are people or
    things it is about.

    `in_thread`: news worth a thread line. `broadcast`: also shown in the channel (reopened, escalated,
    priority raised). `calls`: PagerDuty users the line is meant to call (mentioned in Slack where we know
    them).
    """

    kind: str
    at: datetime
    by: str | None = None
    text: str | None = None
    old: str | None = None
    new: str | None = None
    names: tuple[str, ...] = ()
    calls: tuple[Reference, ...] = ()
    trimmed: bool = False  # PagerDuty cut `text` short
    in_thread: bool = False
    broadcast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One webhook event. `seen` is the incident as the event shows it (fields it does not carry are None);
    None for other data types, and for an incident that could not be read.
    """

    id: str
    type: str
    occurred_at: datetime
    webhook_id: str | None = None
    subscription_id: str | None = None
    agent: Agent | None = None
    incident_id: str | None = None
    seen: Incident | None = None
    bridge: Bridge | None = None
    text: str | None = None  # a note, a status update, a responder message, a task description …
    trimmed: bool = False  # PagerDuty cut the text: the whole is behind REST
    names: tuple[str, ...] = ()  # the people or things it is about (responder, role, task, action, fields)
    calls: tuple[Reference, ...] = ()  # PagerDuty users it asks to come
    old: str | None = None  # what a role's holder or a field was before, where the event says so
    new: str | None = None
    state: str | None = None  # a responder's answer, a task's status, an action's state
    about: Reference | None = None  # the service of a `service.*` event
    merged_into: Reference | None = None
    raw: str = ""
