"""A submitted form, turned into a command's arguments; a typed line is bot/command/arguments.py's.

Whatever is filled in, nothing but `FieldProblems` is raised (and whatever the directory raises).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.command.arguments import Given, Names, take_priorities
from bot.command.values import HINTS, from_field
from bot.command.words import clean, split
from bot.declaration import Command, Parameter, PriorityName, ScopeRef, ServiceRef
from bot.errors import UserError

LOOKED_UP = (ServiceRef, ScopeRef, PriorityName)  # in the directory


class FieldProblems(UserError):
    """A form's fields that cannot be read: parameter name → what to put there."""

    def __init__(self, by_field: Mapping[str, str]) -> None:
        super().__init__(" ".join(by_field.values()))
        self.by_field = dict(by_field)


def check_fields(command: Command, fields: Mapping[str, str]) -> None:
    """What can be said at once, while Slack waits for the form's answer; raises `FieldProblems`."""
    problems: dict[str, str] = {}
    for parameter in command.parameters:
        text = fields.get(parameter.name, "")
        if not text.strip():
            if parameter.required and parameter.name in fields:
                problems[parameter.name] = "Please fill this in."
        elif parameter.kind not in LOOKED_UP and from_field(parameter, text) is None:
            problems[parameter.name] = HINTS.get(parameter.kind, "This cannot be read.")
    if problems:
        raise FieldProblems(problems)


async def read_fields(command: Command, fields: Mapping[str, str], names: Names) -> Given:
    """A submitted form's values by parameter name. Raises `FieldProblems`."""
    check_fields(command, fields)
    values: dict[str, Any] = {}
    for parameter in command.parameters:
        text = fields.get(parameter.name, "")
        if not text.strip():
            continue
        if parameter.kind in LOOKED_UP:
            found = await _looked_up(parameter, text, names)
            if found is None:
                raise FieldProblems({parameter.name: HINTS[parameter.kind]})
            values[parameter.name] = found
        else:
            values[parameter.name] = from_field(parameter, text)
    return Given(values)


async def _looked_up(parameter: Parameter, text: str, names: Names) -> Any:
    if parameter.kind is ServiceRef:
        return await names.service(text)
    if parameter.kind is ScopeRef:
        return await names.scope(text)
    words = split(clean(text))
    found, after = await take_priorities(words, 0, names)
    if found is None or after < len(words):
        return None
    return found if parameter.many else found[0]
