"""What an event has to tell: one line of the incident's story, and whether it is news.

Acknowledged and resolved are no thread lines: the message itself shows them; a merge is one. People are
called where the line is meant to bring somebody: escalated, reopened, given a page, or asked to help; never
whoever did it.
"""

from __future__ import annotations

from bot.events.folding import RAISED, fold, who
from bot.events.table import News, rule_of
from bot.events.values import Event, StoryLine
from bot.model import Change, Incident, Reference, Status, Urgency

_PAGING = frozenset({"incident.escalated", "incident.reopened", "incident.reassigned", "incident.delegated"})
_SHOWS_OLD_AND_NEW = frozenset({"incident.priority_updated", "incident.service_updated"})
_SHOWS_STATE = frozenset(
    {
        "incident.responder.replied",
        "incident.task.updated",
        "incident.action_invocation.updated",
        "incident.action_invocation.terminated",
    }
)


def story_line(known: Incident | None, event: Event, folded: Incident | None = None) -> StoryLine | None:
    """The line, or None when there is nothing to tell. `known`: the snapshot from before the fold; `folded`:
    the one from after it, where somebody has it already.
    """
    news = rule_of(event.type).news
    if event.incident_id is None or news is News.NOT:
        return None
    change = _change(event, folded or fold(known, event))
    if change is not None and change.what == RAISED:
        news = News.CHANNEL
    elif event.merged_into is not None and event.type == "incident.resolved":
        news = News.THREAD  # the thread goes on elsewhere
    old, new = event.old, event.new
    if event.type in _SHOWS_OLD_AND_NEW and change is not None:
        old, new = change.old, change.new or "none"
    if event.type in _SHOWS_STATE:
        new = event.state
    by = who(event)
    return StoryLine(
        kind=_kind(event),
        at=event.occurred_at,
        by=None if event.type == "incident.responder.replied" and by in event.names else by,
        text=event.text,
        old=old,
        new=new,
        names=_names(event),
        calls=_calls(known, event),
        trimmed=event.trimmed,
        in_thread=news in (News.THREAD, News.CHANNEL),
        broadcast=news is News.CHANNEL,
    )


def _change(event: Event, folded: Incident | None) -> Change | None:
    if rule_of(event.type).what is None or event.seen is None:
        return None
    return folded.last_change if folded else None


def _kind(event: Event) -> str:
    if event.type == "incident.resolved" and event.merged_into:
        return "merged"
    if event.type == "incident.role.assigned" and event.new is None:
        return "role.unassigned"
    return event.type.removeprefix("incident.")


def _names(event: Event) -> tuple[str, ...]:
    if event.type == "incident.resolved" and event.merged_into:
        return (event.merged_into.name,)
    if event.seen is None or event.type not in _PAGING:
        return event.names
    if event.type == "incident.delegated" and event.seen.policy:
        return (event.seen.policy.name,)
    return tuple(person.name for person in event.seen.assignees)


def _calls(known: Incident | None, event: Event) -> tuple[Reference, ...]:
    called = event.calls
    seen = event.seen
    if seen is not None and event.type in _PAGING:
        if seen.urgency is not Urgency.HIGH or seen.status is not Status.TRIGGERED:
            return ()
        has_it: frozenset[str] = frozenset()
        if event.type == "incident.reassigned" and known is not None:
            has_it = frozenset(person.id for person in known.assignees)
        called = tuple(person for person in seen.assignees if person.id not in has_it)
    actor = event.agent.id if event.agent else None
    return tuple(person for person in called if person.id != actor)
