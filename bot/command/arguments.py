"""A typed line or a control's value, turned into a command's arguments; a form is bot/command/fields.py's.

Each kind of bot/declaration.py knows the words it takes from the line; the parameters take their turns in
order, and what nobody takes is an error that says what was understood. Names of services and teams are looked
up through `Names` (the directory). Whatever is typed, nothing but `UserError` is raised (and whatever the
directory raises).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from bot.command.named import Option, stray_option, take_options
from bot.command.values import HINTS, RESTS, from_field, one_word, rest_of, take_level
from bot.command.words import Word, clean, nearest, plain, split, unescape
from bot.declaration import (
    Command,
    IncidentRef,
    LevelNumber,
    OneOf,
    Parameter,
    PriorityName,
    ScopeRef,
    ServiceRef,
)
from bot.errors import UserError
from bot.render.blocks import Choice

MOST_NAME_WORDS = 8  # of a service's or team's name


class Names(Protocol):
    """Who a typed name means; None when nobody, or when it could be two."""

    async def service(self, words: str) -> ServiceRef | None:
        """The one service so called, by name or id."""

    async def scope(self, words: str) -> ScopeRef | None:
        """The one service or team so called; `all` for everything."""

    async def priority(self, word: str) -> PriorityName | None:
        """The account's priority so called."""

    async def suggestions(self, words: str) -> Sequence[str]:
        """Names that come near, best first."""

    async def near(self, words: str, verb: str) -> Sequence[Choice]:
        """The same as choices that run `verb` with the one chosen."""

    async def choices(self, kind: type, typed: str) -> Sequence[Choice]:
        """What a form's picker offers for what was typed so far."""


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments understood, by parameter name; those left out are absent."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def missing(self, command: Command) -> tuple[Parameter, ...]:
        """The required ones that are absent."""
        return tuple(one for one in command.parameters if one.required and one.name not in self.values)

    def is_bare(self, command: Command) -> bool:
        """Whether nothing but what is required was said."""
        return not any(not one.required and one.name in self.values for one in command.parameters)

    def with_value(self, name: str, value: Any) -> Given:
        """The same and one more."""
        return Given({**self.values, name: value})


async def read_line(
    command: Command, rest: str, names: Names, *, prefix: str = "/pager", from_control: bool = False
) -> Given:
    """The arguments in the words after the verb.

    `from_control`: a button's or menu's value, whose first word is the incident whatever it looks like; a
    person's `note PROD is back` starts with a word that could be an id and is not. Raises `UserError`.
    """
    options, line = take_options(command.parameters, clean(rest))
    values = await _read_options(options, names)
    if stray := stray_option(command.parameters, line):
        raise UserError(_no_option(command, stray))
    words = split(line)
    at = 0
    for parameter in command.parameters:
        if parameter.form_only or parameter.named or at >= len(words):
            continue
        if parameter.kind in RESTS:
            values[parameter.name] = rest_of(parameter.kind, line, words[at:])
            at = len(words)
            continue
        sure = from_control or not _prose_follows(command, parameter)
        value, after = await _take(parameter, words, at, names, sure=sure)
        if after > at:
            values[parameter.name], at = value, after
    if at < len(words):
        raise await _not_understood(command, line, words[at], names, prefix)
    return Given(values)


def _no_option(command: Command, name: str) -> str:
    known = [one.name for one in command.parameters if one.named]
    meant = nearest(name, known)
    instead = f"Did you mean `{meant}=`?" if meant else f"There is {', '.join(f'`{one}=`' for one in known)}."
    return f"`{command.verb}` has no `{_short(plain(name))}=`. {instead}"


async def _read_options(options: Sequence[Option], names: Names) -> dict[str, Any]:
    """The values of what was typed by name. Raises `UserError`."""
    values: dict[str, Any] = {}
    for option in options:
        one = option.parameter
        if one.name in values and not one.many:
            raise UserError(f"`{one.name}=` is there twice. Say it once.")
        value = await _option_value(option, names)
        if value is None:
            hint = _hint(one)
            raise UserError(f"`{one.name}=` does not take “{_short(plain(option.text))}”. {hint}")
        values[one.name] = [*values.get(one.name, ()), value] if one.many else value
    return values


async def _option_value(option: Option, names: Names) -> Any:
    """None when it cannot be read."""
    one, text = option.parameter, option.text
    if not text:
        return None
    if one.kind is PriorityName:
        return await names.priority(plain(text))
    if one.kind in RESTS:
        if option.quoted:
            return rest_of(one.kind, text, [Word(text, 0, len(text), quoted=True)])
        return rest_of(one.kind, text, split(text))
    return from_field(replace(one, many=False), text)


def _hint(one: Parameter) -> str:
    if issubclass(one.kind, OneOf):
        return f"It takes {' or '.join(one.kind.choices)}."
    if one.kind is PriorityName:
        return "It takes a priority of your account, such as P1."
    return HINTS.get(one.kind, "Write something behind it.")


def _prose_follows(command: Command, parameter: Parameter) -> bool:
    following = command.parameters[command.parameters.index(parameter) + 1 :]
    return any(one.kind in RESTS and not one.form_only for one in following)


async def _take(
    parameter: Parameter, words: Sequence[Word], at: int, names: Names, *, sure: bool
) -> tuple[Any, int]:
    """The parameter's value from the words at `at`, and where the next parameter goes on; `at` itself when
    the words are not for it.
    """
    if parameter.kind in (ServiceRef, ScopeRef):
        return await _take_name(parameter, words, at, names)
    if parameter.kind is LevelNumber:
        return take_level(words, at)
    if parameter.kind is PriorityName:
        return await take_priorities(words, at, names)
    if not parameter.many:
        value = one_word(parameter.kind, words[at].text, sure=sure)
        return (value, at + 1) if value is not None else (None, at)
    found: list[Any] = []
    while at < len(words):
        pieces = [piece for piece in words[at].text.split(",") if piece]
        values = [one_word(parameter.kind, piece, sure=sure) for piece in pieces]
        if found and words[at].text.casefold() in ("and", "&", "&amp;"):
            values = []
        elif not values and words[at].text.strip(","):
            break
        if any(value is None for value in values):
            break
        found += [value for value in values if value not in found]
        at += 1
    return (found or None), at


async def take_priorities(
    words: Sequence[Word], at: int, names: Names
) -> tuple[list[PriorityName] | None, int]:
    """`P1,P2` or `P1 P2`; a word that is no priority of the account is not taken."""
    found: list[PriorityName] = []
    while at < len(words):
        known = [await names.priority(piece) for piece in words[at].text.split(",") if piece]
        if not all(known) or not (known or found):
            break
        found += [one for one in known if one and one not in found]
        at += 1
    return (found or None), at


async def _take_name(
    parameter: Parameter, words: Sequence[Word], at: int, names: Names
) -> tuple[ServiceRef | ScopeRef | None, int]:
    """The most words that together are one name; a quoted name stands alone."""
    most = 1 if words[at].quoted else min(MOST_NAME_WORDS, len(words) - at)
    look_up = names.service if parameter.kind is ServiceRef else names.scope
    for count in range(most, 0, -1):
        name = " ".join(plain(word.text) for word in words[at : at + count]).rstrip(",:")
        if name and (found := await look_up(name)):
            return found, at + count
    return None, at


async def _not_understood(command: Command, line: str, odd: Word, names: Names, prefix: str) -> UserError:
    understood = line[: odd.start].strip()
    said = _short(unescape(plain(line[odd.start :])))
    usage = f"Type `{prefix} {command.usage}`"
    start = f"I understood “{_short(plain(understood))}”, but not “{said}”. " if understood else ""
    if any(one.kind in (ServiceRef, ScopeRef) for one in command.parameters) and not understood:
        near = [f"“{_short(name)}”" for name in list(await names.suggestions(plain(line)))[:3]]
        if near:
            return UserError(
                f"“{said}” is not the name of one service or team. Did you mean {' or '.join(near)}? {usage}."
            )
        return UserError(f"I know no service or team called “{said}”. {usage}.")
    word = odd.text.casefold()
    choices = [
        choice for one in command.parameters if issubclass(one.kind, OneOf) for choice in one.kind.choices
    ]
    if meant := nearest(word, choices):
        return UserError(f"{start or f'“{said}” is not a word I know. '}Did you mean “{meant}”? {usage}.")
    if not start:
        start = f"I do not understand “{said}” after `{command.verb}`. "
    if any(one.kind is IncidentRef for one in command.parameters):
        return UserError(f"{start}{usage}; an incident is a number such as 1234, or its id or address.")
    return UserError(f"{start}{usage}.")


def _short(text: str, most: int = 60) -> str:
    text = " ".join(text.split()).replace("`", "'")
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
