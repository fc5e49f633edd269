"""What a person left out: the one incident this can be about, a picker for several, the form for the rest.

Between parsing and the handler (bot/command/steps.py). A trigger lives 3 s: PagerDuty is not waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.command.arguments import Given
from bot.command.context import Where
from bot.command.ports import IncidentStore
from bot.command.request import Request
from bot.declaration import Command, IncidentRef, LevelNumber, Line, Reply, ScopeRef, ServiceRef
from bot.render.forms import FormState, render_form
from bot.render.pickers import pick_incident


async def place_of(request: Request, known: IncidentStore) -> Where:
    """Where the request came from, and the incident that its thread or pressed message is about."""
    incident = None
    for ts in (request.thread_ts, request.message_ts):
        if ts and request.channel_id and incident is None:
            incident = await known.by_message(request.channel, ts)
    return Where(request.channel, request.surface, request.thread_ts, request.message_ts, incident)


async def fill_in(command: Command, given: Given, where: Where, known: IncidentStore) -> Given | Reply:
    """The arguments, made as complete as the place allows; or the question which incident is meant."""
    missing = given.missing(command)
    wanted = next((one for one in missing if one.kind is IncidentRef), None)
    if wanted is None:
        return given
    incident = where.incident
    if incident is None and where.channel.id:
        here = await known.open_in(where.channel)
        if len(here) == 1:
            incident = here[0]
        elif len(missing) == 1 and not given.values:
            return pick_incident(command.verb, here, asked=_label(command))
    if incident is None:
        return given
    ref = IncidentRef(incident.id)
    return given.with_value(wanted.name, [ref] if wanted.many else ref)


def _label(command: Command) -> str:
    return command.button.label.lower() if command.button else command.verb


async def form_for(
    command: Command,
    given: Given,
    where: Where,
    known: IncidentStore,
    *,
    filled: Mapping[str, str] | None = None,
    show_incident: bool = True,
) -> Mapping[str, Any]:
    """The command's form with what is known already; given incidents are not asked for again.

    `show_incident` False: not known yet whether this person may see it.
    """
    fixed: dict[str, str] = {}
    texts = dict(filled or {})
    labels: dict[str, str] = {}
    about = None
    for parameter in command.parameters:
        value = given.values.get(parameter.name)
        if value is None:
            continue
        if parameter.kind is IncidentRef or not parameter.asked:
            fixed[parameter.name] = text_of(value)
            if isinstance(value, IncidentRef) and show_incident:
                about = await known.find(value.id)
        else:
            texts[parameter.name] = text_of(value)
            if isinstance(value, (ServiceRef, ScopeRef)):
                labels[parameter.name] = value.name
    state = FormState(command.verb, fixed, where.channel.id, where.message_ts or "", where.thread_ts or "")
    return render_form(command, state, texts, about=about, labels=labels)


def text_of(value: object) -> str:
    """A value as the text that gives it back when read from a field; a control's word, if it is one."""
    if isinstance(value, list):
        lines = any(isinstance(one, Line) for one in value)
        return ("\n" if lines else " ").join(text_of(one) for one in value)
    if isinstance(value, ScopeRef):
        return "all" if value.kind == "all" else f"{value.kind} {value.id}"
    if isinstance(value, (IncidentRef, ServiceRef)):
        return value.id
    return str(value.number) if isinstance(value, LevelNumber) else str(value)


def incident_refs(values: Mapping[str, Any]) -> Sequence[IncidentRef]:
    """Every incident among the arguments."""
    found: list[IncidentRef] = []
    for value in values.values():
        found += [
            one for one in (value if isinstance(value, list) else [value]) if isinstance(one, IncidentRef)
        ]
    return found
