"""Asking back before many incidents are acknowledged at once: named one by one, the worst first."""

from __future__ import annotations

from collections.abc import Sequence

from bot.declaration import Reply
from bot.model import Incident
from bot.render import text
from bot.render.blocks import Block, actions, button, context, section
from bot.render.limits import VALUE, reply
from bot.render.lists import arrange, row, sections
from bot.render.text import line

AT_ONCE = 250
"""Incidents one press acknowledges: what PagerDuty takes in one write."""
IN_FULL = 50
"""So many are named with all that a list tells; of more, number and title."""
ROOM = 11_000
"""Characters of a message for the rows."""


def ask_to_acknowledge(incidents: Sequence[Incident], which: str) -> Reply:
    """`which`, in plain words: "assigned to Alice Anderson". The button carries the ids of those it names."""
    found = arrange(incidents)
    said = line(which, 120)
    if not found:
        told = f"No incident {said} is triggered."
        return reply(told, [section(f":white_check_mark:  {told}")])
    named, rows, words = _that_fit(found)
    of = (
        f"the first {len(named):,} of {len(found):,} triggered incidents"
        if len(named) < len(found)
        else (text.plural(len(found), "triggered incident"))
    )
    question = f"Acknowledge {of} {said}?"
    blocks: list[Block] = [
        section(f"*{question}*"),
        *sections(rows),
        actions(
            [
                button(
                    f"Acknowledge {len(named):,}",
                    words,
                    style="primary",
                    spoken=f"Acknowledge {text.plural(len(named), 'incident')}",
                )
            ]
        ),
    ]
    if len(named) < len(found):
        blocks.append(context("Ask again afterwards for the rest."))
    told = "; ".join(f"{one.label} {line(one.title, 40)}" for one in named)
    return reply(f"{question} {told}", blocks)


def _that_fit(found: Sequence[Incident]) -> tuple[list[Incident], list[str], str]:
    """As many as are named in one message and carried by one button; their rows, and the button's words."""
    some = list(found[:AT_ONCE])
    if len(some) > IN_FULL or sum(len(row(one)) + 1 for one in some) > ROOM:
        width = ROOM // len(some) - 1
        named = [_short(one, width) for one in some]
        # A number is half as long as an id, and as unmistakable.
        words = [str(one.number or one.id) for one in some]
    else:
        named, words = [row(one) for one in some], [one.id for one in some]
    value, shown, count = len("ack"), 0, 0
    for name, word in zip(named, words, strict=True):
        value += len(word) + 1
        shown += len(name) + 1
        if value > VALUE or shown > ROOM:
            break
        count += 1
    return some[:count], named[:count], " ".join(["ack", *words[:count]])


def _short(incident: Incident, width: int) -> str:
    """In so many characters, as escaped as it is."""
    priority = f"{line(incident.priority.name, 10)} " if incident.priority else ""
    said = f"{incident.label} {priority}"
    room = width - len(said)
    title = line(incident.title, room)
    if len(title) > room:
        title = line(incident.title, max(10, 2 * room - len(title)))
    return said + (title or "(no title)")
