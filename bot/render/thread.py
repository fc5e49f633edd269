"""Thread lines: the news of an incident, one short line each, appended and never edited.

A line that is broadcast stands alone in the channel, so it names its incident; in the thread that would be
noise. People are named; only those a line is meant to call are mentioned, where we know them in Slack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.events import StoryLine
from bot.model import Incident
from bot.render import text
from bot.render.blocks import Block, context, section
from bot.render.incident import name
from bot.render.limits import Rendered, finish
from bot.render.text import bold, line, link

NOTE = 1500  # characters of a note in a thread; PagerDuty has the whole


@dataclass(frozen=True, slots=True)
class _Wording:
    """`*phrase*` + `joiner` + names; a colon and old → new follow where the line has them."""

    emoji: str
    phrase: str
    joiner: str = " "


_WORDINGS: Mapping[str, _Wording] = {
    "triggered": _Wording(":rotating_light:", "Triggered"),
    "acknowledged": _Wording(":large_yellow_circle:", "Acknowledged"),
    "unacknowledged": _Wording(":rotating_light:", "No longer acknowledged"),
    "resolved": _Wording(":white_check_mark:", "Resolved"),
    "reopened": _Wording(":rotating_light:", "Reopened", ", assigned to "),
    "escalated": _Wording(":arrow_double_up:", "Escalated", " to "),
    "reassigned": _Wording(":arrow_right:", "Reassigned", " to "),
    "delegated": _Wording(":arrow_right:", "Handed over", " to "),
    "merged": _Wording(":twisted_rightwards_arrows:", "Merged", " into "),
    "priority_updated": _Wording(":label:", "Priority changed"),
    "urgency_updated": _Wording(":label:", "Urgency changed"),
    "service_updated": _Wording(":label:", "Service changed"),
    "incident_type.changed": _Wording(":label:", "Type changed"),
    "annotated": _Wording(":memo:", "Note"),
    "status_update_published": _Wording(":mega:", "Status update"),
    "responder.added": _Wording(":raising_hand:", "Asked to help", ": "),
    "responder.replied": _Wording(":raising_hand:", "Answer", " from "),
    "conference_bridge.updated": _Wording(":telephone_receiver:", "Bridge changed"),
    "custom_field_values.updated": _Wording(":label:", "Fields changed", ": "),
    "role.assigned": _Wording(":raising_hand:", "Role", " "),
    "role.unassigned": _Wording(":raising_hand:", "Role given up", ": "),
    "task.created": _Wording(":ballot_box_with_check:", "Task added", ": "),
    "task.updated": _Wording(":ballot_box_with_check:", "Task", " "),
    "task.completed": _Wording(":ballot_box_with_check:", "Task done", ": "),
    "action_invocation.created": _Wording(":gear:", "Action started", ": "),
    "action_invocation.updated": _Wording(":gear:", "Action", " "),
    "action_invocation.terminated": _Wording(":gear:", "Action ended", ": "),
    "workflow.started": _Wording(":gear:", "Workflow started", ": "),
    "workflow.completed": _Wording(":gear:", "Workflow completed", ": "),
}
_RAISED = _Wording(":arrow_double_up:", "Priority raised")


def render_line(story: StoryLine, incident: Incident, mentions: Mapping[str, str] | None = None) -> Rendered:
    """One line of the story as a thread message; `mentions` maps PagerDuty user ids to Slack user ids."""
    wording = _wording(story)
    told = f"{wording.emoji}  {_told(story, wording, mentions or {})}"
    if story.broadcast:
        told += f"\n{name(incident)}{text.DOT}{link(incident.service.url, incident.service.name, 80)}"
    if story.kind == "conference_bridge.updated":
        told += _bridge(incident)
    if story.text:
        told += f"\n{text.quote(text.prose(story.text, NOTE))}"
    blocks: list[Block] = [section(told)]
    if story.trimmed or len(story.text or "") > NOTE:
        blocks.append(context(f"Cut short here. {link(incident.url, 'Read all of it in PagerDuty')}"))
    return finish(line_in_words(story, incident), blocks)


def render_call(incident: Incident, mentions: Mapping[str, str]) -> Rendered:
    """The line that calls the assignees once it is known who they are in Slack, when the first post could
    not.
    """
    known = [f"<@{mentions[person.id]}>" for person in incident.assignees if person.id in mentions]
    who = ", ".join(known) or text.names(person.name for person in incident.assignees) or "Nobody"
    words = f"{incident.label} is assigned to you"
    return finish(f"{who}: {words}.", [section(f":wave:  {who}, this one is assigned to you.")])


def line_in_words(story: StoryLine, incident: Incident) -> str:
    """The same news as plain text."""
    told = _told(story, _wording(story), {}, in_words=True)
    note = f' "{line(story.text, 300)}"' if story.text else ""
    return f"{told}: {incident.label} {line(incident.title, 150)}.{note}"


def _wording(story: StoryLine) -> _Wording:
    if story.kind == "priority_updated" and story.broadcast:
        return _RAISED
    kind = story.kind.removeprefix("incident.")
    fallback = _Wording(
        ":small_blue_diamond:", line(kind.replace("_", " ").replace(".", " ").capitalize(), 60)
    )
    return _WORDINGS.get(kind, fallback)


def _told(story: StoryLine, wording: _Wording, mentions: Mapping[str, str], *, in_words: bool = False) -> str:
    mark: Callable[[str], str] = str if in_words else bold
    people = [f"<@{mentions[one.id]}>" for one in story.calls if one.id in mentions]
    called = {one.name for one in story.calls if one.id in mentions}
    unmentioned = dict.fromkeys([*story.names, *(one.name for one in story.calls if one.id not in mentions)])
    named = text.names((one for one in unmentioned if one not in called), 6, mark)
    about = ", ".join([*people, named] if named else people)
    by = f" by {mark(line(story.by, 60))}" if story.by else ""
    told = mark(wording.phrase)
    if wording.joiner.startswith(","):  # `Reopened by Alice, assigned to Bob`
        told, by = told + by, ""
    if about:
        told += f"{wording.joiner}{about}"
    new = mark(line(story.new, 120)) if story.new else ""
    if story.old:
        old = line(story.old, 120)
        told += f": {old if in_words else text.struck(old)} → {new or 'none'}"
    elif new:
        told += f": {new}"
    if story.kind == "escalated" and not by:
        return f"{told}, not acknowledged in time"
    return told + by


def _bridge(incident: Incident) -> str:
    if incident.bridge is None:
        return ""
    joined = link(incident.bridge.url, "Join the bridge") if text.safe_url(incident.bridge.url) else ""
    number = line(incident.bridge.number, 60) if incident.bridge.number else ""
    return "".join(f"{text.DOT}{part}" for part in (joined, number) if part)
