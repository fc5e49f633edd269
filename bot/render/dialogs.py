"""Modals that are no form: one moment, something went wrong, an answer, and every verb of an incident."""

from __future__ import annotations

from collections.abc import Sequence

from bot.declaration import Command, Reply
from bot.model import Incident
from bot.render.blocks import Block, button, section
from bot.render.controls import applying
from bot.render.forms import FormState, modal
from bot.render.incident import headline, state_line
from bot.render.text import cut_markup, escape


def more_form(incident: Incident, commands: Sequence[Command], state: FormState) -> Block:
    """Every verb that applies to an incident, each a button with its argument words."""
    summaries = {command.verb: command.summary for command in commands}
    buttons = [(command.verb, command.button) for command in commands if command.button]
    blocks = [section(f"{headline(incident)}\n{state_line(incident)}")]
    for verb, one in applying(incident, buttons):
        press = button(one.label, one.value(verb, incident))
        blocks.append(section(escape(summaries[verb]), press))
    if len(blocks) == 1:
        blocks.append(section("Nothing applies to this incident any more."))
    return modal("Incident", blocks, state)


def answer_view(reply: Reply, title: str = "Pagerline") -> Block:
    """An answer in the modal somebody acted in."""
    blocks = [dict(block) for block in reply.blocks] or [section(cut_markup(reply.text, 2900))]
    return modal(title, blocks, None)
