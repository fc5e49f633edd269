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

AT_ONCE = 50
"""Incidents one press acknowledges: as many as are named readably, and well within a button's value."""
ROOM = 11_000
"""Characters of a message for the rows."""


def ask_to_acknowledge(incidents: Sequence[Incident], which: str) -> Reply:
    """`which`, in plain words: "assigned to Alice Anderson". The button carries the ids of those it names."""
    found = arrange(incidents)
    said = line(which, 120)
    if not found:
        told = f"Nothing triggered is {said}."
        return reply(told, [section(f":white_check_mark:  {told}")])
    named = _that_fit(found)
    of = (
        f"the first {len(named):,} of {len(found):,} triggered incidents"
        if len(named) < len(found)
        else (text.plural(len(found), "triggered incident"))
    )
    question = f"Acknowledge {of} {said}?"
    blocks: list[Block] = [
        section(f"*{question}*"),
        *sections([row(one) for one in named]),
        actions(
            [
                button(
                    f"Acknowledge {len(named):,}",
                    " ".join(["ack", *(one.id for one in named)]),
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


def _that_fit(found: Sequence[Incident]) -> list[Incident]:
    """As many as are named in one message and carried by one button."""
    named: list[Incident] = []
    value, shown = len("ack"), 0
    for one in found[:AT_ONCE]:
        value += len(one.id) + 1
        shown += len(row(one)) + 1
        if value > VALUE or shown > ROOM:
            break
        named.append(one)
    return named
