"""The form a declaration yields: one field per argument, of the kind the argument is.

A field's `block_id` is the argument's name (an error is put beside it) and its `action_id` is
`field:<name>`; what the form must remember besides (verb, arguments already known, where it was opened)
travels in `private_metadata`. `read_values` is the way back: from what Slack submits to argument name →
text, nothing parsed yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.declaration import (
    Command,
    IncidentRef,
    LevelNumber,
    Line,
    OneOf,
    Parameter,
    Prose,
    ScopeRef,
    ServiceRef,
)
from bot.model import Incident
from bot.render.blocks import Block, Choice, field_input, plain, section
from bot.render.incident import headline, state_line
from bot.render.limits import METADATA, VIEW_BLOCKS, fit
from bot.render.text import escape, prose

FORM_TEXT = 60_000  # a view may have 250 kB of JSON in all
LEVELS = tuple(Choice(f"Level {number}", str(number)) for number in range(1, 10))


@dataclass(frozen=True, slots=True)
class FormState:
    """What a form remembers: its verb, the arguments not asked for, and where it was opened (Slack ids, ""
    if none).
    """

    verb: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""
    message_ts: str = ""
    thread_ts: str = ""

    def pack(self) -> str:
        """JSON for `private_metadata`; Slack takes 3,000 characters."""
        packed = json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False)
        if len(packed) > METADATA:
            raise ValueError(
                f"the form of {self.verb} remembers {len(packed)} characters, Slack keeps {METADATA}"
            )
        return packed


def read_state(packed: str) -> FormState:
    """The way back from `private_metadata`; raises ValueError for anything `pack` did not write."""
    try:
        told = json.loads(packed)
        return FormState(
            verb=str(told["verb"]),
            fixed={str(name): str(value) for name, value in told.get("fixed", {}).items()},
            channel=str(told.get("channel", "")),
            message_ts=str(told.get("message_ts", "")),
            thread_ts=str(told.get("thread_ts", "")),
        )
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        raise ValueError("not a form of ours") from error


def read_values(view: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, argument name → text (several picked: joined by spaces); empty fields are left
    out, blank ones are not: somebody typed them, and is told beside the field.
    """
    values: dict[str, str] = {}
    state = view.get("state") or {}
    for name, controls in (state.get("values") or {}).items():
        told = (controls or {}).get(f"field:{name}") or {}
        if told.get("selected_options"):
            value = " ".join(str(option.get("value", "")) for option in told["selected_options"])
        elif told.get("selected_option"):
            value = str(told["selected_option"].get("value", ""))
        else:
            value = str(told.get("value") or "")
        if value:
            values[str(name)] = value
    return values


def render_form(
    command: Command,
    state: FormState,
    filled: Mapping[str, str] | None = None,
    *,
    about: Incident | None = None,
    labels: Mapping[str, str] | None = None,
    choices: Mapping[str, Sequence[Choice]] | None = None,
    problem: str = "",
) -> Block:
    """The modal of a command.

    Arguments in `state.fixed` are not asked for; `filled` stands in the fields already, with `labels`
    saying what a picked id is called. `choices` replaces what a picker would offer. `about` heads the form
    with an incident; `problem` is a plain sentence above the fields (errors beside a field go back as
    Slack's `errors` instead).
    """
    filled, labels, choices = filled or {}, labels or {}, choices or {}
    blocks: list[Block] = []
    if about is not None:
        blocks.append(section(f"{headline(about)}\n{state_line(about)}"))
    if problem:
        blocks.append(section(f":warning:  {escape(problem)}"))
    asked = [one for one in command.form_parameters if one.name not in state.fixed]
    levels = LEVELS[: about.level.of] if about is not None and about.level is not None else LEVELS
    offered = {one.name: levels for one in asked if one.kind is LevelNumber} | dict(choices)
    blocks += [
        field_input(
            one.name,
            one.label,
            _element(one, filled.get(one.name, ""), labels.get(one.name, ""), offered.get(one.name)),
            hint=one.hint,
            optional=not one.required,
        )
        for one in asked
    ]
    if not asked:
        blocks.append(section(prose(command.summary)))
    return modal(command.title, blocks, state, submit=command.submit)


def modal(title: str, blocks: Sequence[Block], state: FormState | None, submit: str = "") -> Block:
    """A modal within Slack's limits; without `state` it remembers nothing."""
    view: Block = {
        "type": "modal",
        "callback_id": f"form:{state.verb}" if state else "form:error",
        "title": plain(title, 24),
        "close": plain("Cancel" if submit else "Close", 24),
        "blocks": list(fit(blocks, most=VIEW_BLOCKS, total=FORM_TEXT)),
    }
    if state is not None:
        view["private_metadata"] = state.pack()
    if submit:
        view["submit"] = plain(submit, 24)
    return view


# -------------------------------------------------------------------------------------------- fields by kind


def _element(one: Parameter, value: str, label: str, choices: Sequence[Choice] | None) -> Block:
    if choices is not None:
        return _static(one, value, choices)
    if issubclass(one.kind, OneOf):
        return _radio(one.kind, value)
    if one.kind in {ServiceRef, ScopeRef, IncidentRef}:
        return _external(one, value, label)
    return _typed(one, value)


def _typed(one: Parameter, value: str) -> Block:
    lines = one.kind is Prose or one.many
    element: Block = {"type": "plain_text_input", "multiline": lines}
    if one.kind is Line and not one.many:
        element["max_length"] = 1024  # as long as an event's summary may be (Events API v2)
    if lines:
        element["max_length"] = 3000
    return element | {"initial_value": value[: element.get("max_length", 3000)]} if value else element


def _radio(kind: type[OneOf], value: str) -> Block:
    options = [Choice(label, word).option() for word, label in kind.choices.items()]
    element: Block = {"type": "radio_buttons", "options": options}
    chosen = next((option for option in options if option["value"] == value.casefold()), None)
    return element | {"initial_option": chosen} if chosen else element


def _static(one: Parameter, value: str, choices: Sequence[Choice]) -> Block:
    element: Block = {
        "type": "static_select",
        "placeholder": plain(f"Choose {one.label.lower()}", 150),
        "options": [choice.option() for choice in choices],
    }
    chosen = next((choice for choice in choices if choice.value == value), None)
    return element | {"initial_option": chosen.option()} if chosen else element


def _external(one: Parameter, value: str, label: str) -> Block:
    """Options come from the directory while the person types; with nothing typed yet, the first ones."""
    element: Block = {
        "type": "multi_external_select" if one.many else "external_select",
        "placeholder": plain("Type to search", 150),
        "min_query_length": 0,
    }
    if not value:
        return element
    if one.many:
        return element | {"initial_options": [Choice(word, word).option() for word in value.split()]}
    return element | {"initial_option": Choice(label or value, value).option()}


def options_answer(choices: Sequence[Choice]) -> Block:
    """The answer to Slack asking for a picker's options; at most 100 fit."""
    return {"options": [choice.option() for choice in choices[:100]]}
