"""A typed line, a control's value or a submitted form, turned into a command's arguments.

Each kind of bot/declaration.py knows the words it takes from the line; the parameters take their turns in
order, and what nobody takes is an error that says what was understood. Names of services and teams are looked
up through `Names` (the directory). Whatever is typed, nothing but `UserError` is raised (and whatever the
directory raises).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from bot.command.named import Option, take_options
from bot.command.words import Word, clean, link_target, mentioned_user, nearest, plain, split, unescape
from bot.declaration import (
    Command,
    IncidentRef,
    LevelNumber,
    Line,
    OneOf,
    Parameter,
    PriorityName,
    Prose,
    Query,
    ScopeRef,
    ServiceRef,
)
from bot.declaration import Word as OneWord
from bot.errors import UserError
from bot.render.blocks import Choice

MOST_NAME_WORDS = 8  # of a service's or team's name
MOST_DIGITS = 18  # what a 64-bit incident number can hold
ID_LETTERS = frozenset(
    "PQR"
)  # PagerDuty's incident ids begin with one of these; their length is not promised
RESTS = (Line, Prose, Query)
LOOKED_UP = (ServiceRef, ScopeRef, PriorityName)  # in the directory


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


class FieldProblems(UserError):
    """A form's fields that cannot be read: parameter name → what to put there."""

    def __init__(self, by_field: Mapping[str, str]) -> None:
        super().__init__(" ".join(by_field.values()))
        self.by_field = dict(by_field)


# ------------------------------------------------------------------------------------------------ from a line


async def read_line(
    command: Command, rest: str, names: Names, *, prefix: str = "/pager", from_control: bool = False
) -> Given:
    """The arguments in the words after the verb.

    `from_control`: a button's or menu's value, whose first word is the incident whatever it looks like; a
    person's `note PROD is back` starts with a word that could be an id and is not. Raises `UserError`.
    """
    options, line = take_options(command.parameters, clean(rest))
    values = await _read_options(options, names)
    words = split(line)
    at = 0
    for parameter in command.parameters:
        if parameter.form_only or parameter.named or at >= len(words):
            continue
        if parameter.kind in RESTS:
            values[parameter.name] = _rest(parameter.kind, line, words[at:])
            at = len(words)
            continue
        sure = from_control or not _prose_follows(command, parameter)
        value, after = await _take(parameter, words, at, names, sure=sure)
        if after > at:
            values[parameter.name], at = value, after
    if at < len(words):
        raise await _not_understood(command, line, words[at], names, prefix)
    return Given(values)


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
            return _rest(one.kind, text, [Word(text, 0, len(text), quoted=True)])
        return _rest(one.kind, text, split(text))
    return _from_field(replace(one, many=False), text)


def _hint(one: Parameter) -> str:
    if issubclass(one.kind, OneOf):
        return f"It takes {' or '.join(one.kind.choices)}."
    if one.kind is PriorityName:
        return "It takes a priority of your account, such as P1."
    return _HINTS.get(one.kind, "Write something behind it.")


def _prose_follows(command: Command, parameter: Parameter) -> bool:
    following = command.parameters[command.parameters.index(parameter) + 1 :]
    return any(one.kind in RESTS and not one.form_only for one in following)


def _rest(kind: type, line: str, words: Sequence[Word]) -> Any:
    whole = line[words[0].start :].rstrip()
    text = words[0].text if len(words) == 1 and words[0].quoted else whole
    if kind is Query and not words[0].quoted:
        return Query(" ".join(_named(line[word.start : word.end]) for word in words))
    text = plain(text)
    return kind(" ".join(text.split()) if kind in (Line, Query) else text)


def _named(word: str) -> str:
    """A word as it was meant; somebody mentioned by their Slack id, `@U0ALICE`: names change, and repeat."""
    user = mentioned_user(word.rstrip("?!.,"))
    return f"@{user}" if user else " ".join(plain(word).split())


async def _take(
    parameter: Parameter, words: Sequence[Word], at: int, names: Names, *, sure: bool
) -> tuple[Any, int]:
    """The parameter's value from the words at `at`, and where the next parameter goes on; `at` itself when
    the words are not for it.
    """
    if parameter.kind in (ServiceRef, ScopeRef):
        return await _take_name(parameter, words, at, names)
    if parameter.kind is LevelNumber:
        return _take_level(words, at)
    if parameter.kind is PriorityName:
        return await _take_priorities(words, at, names)
    if not parameter.many:
        value = _one(parameter.kind, words[at].text, sure=sure)
        return (value, at + 1) if value is not None else (None, at)
    found: list[Any] = []
    while at < len(words):
        pieces = [piece for piece in words[at].text.split(",") if piece]
        values = [_one(parameter.kind, piece, sure=sure) for piece in pieces]
        if found and words[at].text.casefold() in ("and", "&", "&amp;"):
            values = []
        elif not values and words[at].text.strip(","):
            break
        if any(value is None for value in values):
            break
        found += [value for value in values if value not in found]
        at += 1
    return (found or None), at


async def _take_priorities(
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


def _take_level(words: Sequence[Word], at: int) -> tuple[LevelNumber | None, int]:
    """`2`, `L2`, `level 2`, `to level 2`."""
    start = at
    while at < len(words) - 1 and words[at].text.casefold() in ("to", "level"):
        at += 1
    text = words[at].text.casefold().strip(".,").removeprefix("level").removeprefix("l")
    if text.isascii() and text.isdigit() and 0 < int(text[:4]) < 1000 and len(text) < 4:
        return LevelNumber(int(text)), at + 1
    return None, start


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


def _one(kind: type, text: str, *, sure: bool) -> Any:
    """One word as a value of this kind; None when it is not one."""
    if kind is IncidentRef:
        return incident_ref(text, sure=sure)
    if issubclass(kind, OneOf):
        word = text.casefold().strip(".,")
        return kind(word) if word in kind.choices else None
    if kind is OneWord:
        return OneWord(plain(text))
    return None


def incident_ref(text: str, *, sure: bool = True) -> IncidentRef | None:
    """`1234`, `#1234`, `Q1ABC` or an incident's address, as PagerDuty's id or number; None when it is none of
    them.

    Unless `sure`, a word of letters only is a word and not an id.
    """
    word = link_target(text).strip(" .,;:!?#()")
    if "/" in word:
        word = _id_in_address(word)
        sure = True
    if not word.isascii() or not word.isalnum():
        return None
    if word.isdigit():
        number = word.lstrip("0")
        return IncidentRef(number) if 0 < len(number) <= MOST_DIGITS else None
    if word[0].upper() not in ID_LETTERS:
        return None
    if not sure and (word != word.upper() or not (any(c.isdigit() for c in word) or len(word) >= 12)):
        return None
    return IncidentRef(word.upper())


def _id_in_address(address: str) -> str:
    try:
        path = urlsplit(address if "//" in address else f"//{address}").path
    except ValueError:  # such as an unclosed [ in the host
        return ""
    _, found, after = path.partition("/incidents/")
    return after.split("/")[0] if found else ""


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


# ------------------------------------------------------------------------------------------------ from a form


def check_fields(command: Command, fields: Mapping[str, str]) -> None:
    """What can be said at once, while Slack waits for the form's answer; raises `FieldProblems`."""
    problems: dict[str, str] = {}
    for parameter in command.parameters:
        text = fields.get(parameter.name, "")
        if not text.strip():
            if parameter.required and parameter.name in fields:
                problems[parameter.name] = "Please fill this in."
        elif parameter.kind not in LOOKED_UP and _from_field(parameter, text) is None:
            problems[parameter.name] = _HINTS.get(parameter.kind, "This cannot be read.")
    if problems:
        raise FieldProblems(problems)


_HINTS: Mapping[type, str] = {
    ServiceRef: "This one is not there any more: please choose again.",
    ScopeRef: "This one is not there any more: please choose again.",
    IncidentRef: "A number such as 1234, or an incident's id or address.",
    LevelNumber: "A level is a number, such as 2.",
    PriorityName: "Priorities of your account such as P1, separated by commas.",
}


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
                raise FieldProblems({parameter.name: _HINTS[parameter.kind]})
            values[parameter.name] = found
        else:
            values[parameter.name] = _from_field(parameter, text)
    return Given(values)


async def _looked_up(parameter: Parameter, text: str, names: Names) -> Any:
    if parameter.kind is ServiceRef:
        return await names.service(text)
    if parameter.kind is ScopeRef:
        return await names.scope(text)
    words = split(clean(text))
    found, after = await _take_priorities(words, 0, names)
    if found is None or after < len(words):
        return None
    return found if parameter.many else found[0]


def _from_field(parameter: Parameter, text: str) -> Any:
    """A field's text (several picked: joined by spaces) as the parameter's value; None when it cannot be
    read. What is typed into a form comes as it is: Slack escapes nothing there.
    """
    kind = parameter.kind
    if kind is Line and parameter.many:
        return [Line(" ".join(one.split())) for one in text.splitlines() if one.strip()]
    if kind in RESTS:
        return kind(" ".join(text.split()) if kind in (Line, Query) else text.strip())
    words = split(clean(text))
    if kind is LevelNumber:
        level, after = _take_level(words, 0) if words else (None, 0)
        return level if after == len(words) else None
    values = [_one(kind, piece, sure=True) for word in words for piece in word.text.split(",") if piece]
    if not values or any(value is None for value in values):
        return None
    return list(dict.fromkeys(values)) if parameter.many else values[0]
