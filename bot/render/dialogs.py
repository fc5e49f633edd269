"""Modals that are no form: one moment, something went wrong, an answer, and every verb of an incident."""

from __future__ import annotations

from collections.abc import Sequence

from bot.declaration import Command, Reply
from bot.model import Incident
from bot.render.blocks import Block, button, context, section
from bot.render.controls import applying
from bot.render.forms import FormState, modal
from bot.render.incident import headline, state_line
from bot.render.text import cut_markup, escape


def loading_view(title: str, state: FormState) -> Block:
    """Opened at once, because Slack's trigger lives 3 seconds; the real form replaces it."""
    return modal(title, [section(":hourglass_flowing_sand:  One moment…")], state)


def error_view(title: str, problem: str, next_step: str = "") -> Block:
    """Takes the place of a form that cannot be shown or carried out; both sentences are plain text."""
    blocks = [section(f":warning:  {escape(problem)}")]
    if next_step:
        blocks.append(context(escape(next_step)))
    return modal(title, blocks, None)


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
