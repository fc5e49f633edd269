"""The private answers about one incident: everything known of it, and its notes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.declaration import Reply
from bot.model import Incident, LogEntry, Note, RelatedChange
from bot.render import controls, text
from bot.render.blocks import Block, context, section
from bot.render.incident import Buttons, details_line, emoji, responder_line, state_line
from bot.render.limits import reply
from bot.render.summary import started, summary
from bot.render.text import bold, dotted, line, link

REASONS = {
    "most_recent": "the latest",
    "related_service": "related service",
    "intelligent": "like earlier ones",
}
STORY = 8  # lines of history on the card
NOTES = 20


def incident_card(
    incident: Incident,
    catalog_buttons: Buttons,
    *,
    story: Sequence[LogEntry] = (),
    notes: Sequence[Note] = (),
    changes: Sequence[RelatedChange] = (),
    replaces: bool = False,
) -> Reply:
    """`show`: the whole title, the state, everybody involved, changes before it, the latest history
    and notes, and the buttons that apply.
    """
    title = link(incident.url, f"{incident.label}\u2002{incident.title or '(no title)'}", 1200)
    blocks: list[Block] = [section(f"{emoji(incident)}  {bold(title)}\n{state_line(incident)}")]
    if incident.is_open:
        blocks.append(section(responder_line(incident, {})))
    blocks += controls.row(incident, catalog_buttons)
    blocks.append(context(_facts(incident)))
    if changes:
        blocks.append(section("\n".join([bold("Changed before it"), *map(_change, changes)])))
    if story:
        latest = sorted(story, key=lambda entry: entry.at)[-STORY:]
        rows = [f"{text.moment(entry.at)}  {line(entry.summary, 160)}" for entry in latest]
        blocks.append(section("\n".join([bold("What happened last"), *rows])))
    if notes:
        blocks.append(
            section("\n".join([bold("Latest note"), _note(max(notes, key=lambda note: note.at), 600)]))
        )
    return reply(summary(incident), blocks, replaces=replaces)


def _change(change: RelatedChange) -> str:
    what = link(change.url, change.summary, 160)
    source = f"from {line(change.source, 60)}" if change.source else None
    return dotted(f"{text.moment(change.at)}  {what}", source, REASONS.get(change.reason or ""))


def _facts(incident: Incident) -> str:
    opened = text.moment(incident.created_at, "opened at ")
    teams = ", ".join(line(team.name, 60) for team in incident.teams)
    return dotted(
        opened if started(incident) != incident.created_at or not incident.is_open else None,
        f"teams {teams}" if teams else None,
        f"key {line(incident.incident_key, 80)}" if incident.incident_key else None,
        details_line(incident),
        f"id {line(incident.id, 40)}",
    )


def notes_list(incident: Incident, notes: Sequence[Note]) -> Reply:
    """`notes`: the newest last, as one reads a conversation."""
    name = link(incident.url, f"{incident.label}\u2002{incident.title}", 150)
    if not notes:
        return reply(f"{incident.label} has no notes.", [section(f"{name} has no notes yet.")])
    newest = sorted(notes, key=lambda note: note.at)[-NOTES:]
    blocks: list[Block] = [section(f"{bold(f'Notes on {name}')}")]
    blocks += [section(_note(note, 1200)) for note in newest]
    if len(notes) > len(newest):
        rest = link(incident.url, "the rest in PagerDuty")
        blocks.append(context(f"The newest {len(newest)} of {len(notes):,}; {rest}."))
    told = " ".join(f"{line(note.by, 60)}: {line(note.content, 200)}" for note in newest)
    return reply(f"Notes on {incident.label}. {told}", blocks)


def _note(note: Note, limit: int) -> str:
    return f"{bold(line(note.by, 60))}  {text.moment(note.at)}\n{text.quote(text.prose(note.content, limit))}"
