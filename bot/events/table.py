"""Every event type of PagerDuty's V3 webhooks and what it does; the types are those of its documentation
("Event types"), and `pagey.ping`, which its test button sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.events.values import Event


class News(StrEnum):
    """How loudly an event is told."""

    NOT = "not told"
    TIMELINE = "in the timeline only"  # the incident's message shows it itself, or it is small
    THREAD = "a thread line"
    CHANNEL = "a thread line that is shown in the channel too"


@dataclass(frozen=True, slots=True)
class EventRule:
    """What one event type does. With all flags down it is kept, and ignored on purpose, for the reason in
    `why`.

    `changes`: what an incident's message shows changes with it. `moves`: responders, level or pending actions
    may be others now. `stale`: REST knows more than the event carries. `what`: how the last change is called.
    """

    changes: bool = False
    moves: bool = False
    stale: bool = False
    news: News = News.NOT
    what: str | None = None
    why: str = ""


def _moves(news: News, what: str | None = None) -> EventRule:
    return EventRule(changes=True, moves=True, stale=True, news=news, what=what)


def _edits(what: str) -> EventRule:
    return EventRule(changes=True, stale=True, news=News.THREAD, what=what)


def _tells(news: News) -> EventRule:
    return EventRule(news=news)


_OF_A_SERVICE = EventRule(why="about a service and no incident: only the directory forgets what it knew")

EVENTS: Mapping[str, EventRule] = {
    "incident.triggered": _moves(News.TIMELINE),
    "incident.acknowledged": _moves(News.TIMELINE),
    "incident.unacknowledged": _moves(News.THREAD, "no longer acknowledged"),
    "incident.delegated": _moves(News.THREAD, "handed over"),
    "incident.escalated": _moves(News.CHANNEL, "escalated"),
    "incident.reassigned": _moves(News.THREAD, "reassigned"),
    "incident.reopened": _moves(News.CHANNEL, "reopened"),
    "incident.resolved": _moves(News.TIMELINE),
    "incident.priority_updated": _edits("priority"),  # louder when it was raised, see story.py
    "incident.service_updated": _edits("service"),
    "incident.conference_bridge.updated": _edits("conference bridge"),
    "incident.incident_type.changed": EventRule(changes=True, news=News.TIMELINE, what="type"),
    "incident.annotated": _tells(News.THREAD),
    "incident.status_update_published": _tells(News.THREAD),
    "incident.responder.added": _tells(News.THREAD),
    "incident.responder.replied": _tells(News.THREAD),
    "incident.role.assigned": _tells(News.THREAD),
    "incident.task.created": _tells(News.THREAD),
    "incident.task.updated": _tells(News.TIMELINE),
    "incident.task.completed": _tells(News.THREAD),
    "incident.custom_field_values.updated": _tells(News.TIMELINE),
    "incident.action_invocation.created": _tells(News.TIMELINE),
    "incident.action_invocation.updated": _tells(News.TIMELINE),
    "incident.action_invocation.terminated": _tells(News.THREAD),
    "incident.workflow.started": _tells(News.THREAD),
    "incident.workflow.completed": _tells(News.TIMELINE),
    "service.created": _OF_A_SERVICE,
    "service.updated": _OF_A_SERVICE,
    "service.deleted": _OF_A_SERVICE,
    "service.custom_field_values.updated": _OF_A_SERVICE,
    "pagey.ping": EventRule(why="the test button: nothing happened"),
}
_UNKNOWN = EventRule(stale=True, news=News.TIMELINE)


def rule_of(event_type: str) -> EventRule:
    """The type's rule; a type we do not know may have changed anything."""
    return EVENTS.get(event_type, _UNKNOWN)


def marks_stale(event: Event) -> bool:
    """Whether the incident must be read again after this event."""
    return event.incident_id is not None and rule_of(event.type).stale
