"""What a command is: one declaration from which parsing, help, buttons, forms, the manifest and the README
all follow.

Ground floor, next to the model: values and the decorator that builds them; no parsing
(bot/command/arguments.py), no dispatch (bot/command/run.py). `@command(...)` reads the handler's signature
and docstring and returns a `Command`; it registers nothing. `commands/__init__.py` lists them.

A handler's parameters after `ctx` are its arguments. Their annotations are the *kinds* below, bare, in a
`list[...]` (one or more) or `| None` with a default of None (may be left out). A parameter without default
that is missing opens the form the declaration yields.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal

from bot.model import Incident

# --------------------------------------------------------------------------------------------- argument kinds


@dataclass(frozen=True, slots=True)
class IncidentRef:
    """An incident as a person names it: PagerDuty id, number, `#number` or its URL. `id` may be an id or a
    number; both work in GET.
    """

    id: str


@dataclass(frozen=True, slots=True)
class ServiceRef:
    """A service the directory resolved from a name or id."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ScopeRef:
    """What a channel can follow: `kind` is service, team or all; `id` is empty for all."""

    kind: Literal["service", "team", "all"]
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class LevelNumber:
    """A 1-based level of an escalation policy."""

    number: int


class Line(str):
    """The rest of the line, on one line, spaces kept: a title."""

    __slots__ = ()


class Prose(str):
    """The rest of the words, possibly several lines: a note, details."""

    __slots__ = ()


class Query(str):
    """Free words the command itself makes sense of: "checkout", "for payments api?"."""

    __slots__ = ()


class Word(str):
    """One word, such as a command's name."""

    __slots__ = ()


class OneOf(str):
    """One of a few fixed words; a subclass lists them in `choices`, each with how a form says it."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {}


class UrgencyWord(OneOf):
    """`high` or `low`."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {"high": "High: page now", "low": "Low: no hurry"}


class Mentions(OneOf):
    """Whether a subscription's first posts notify the assignee of a high-urgency incident."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {"quiet": "Mention nobody", "loud": "Mention who has it"}


class OpenOnes(OneOf):
    """Which of the incidents that are open already a new subscription brings into the channel."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {
        "all-open": "All open incidents",
        "urgent-open": "Only P1 and high urgency",
        "none-open": "Only new incidents",
    }


class PriorityName(str):
    """A priority by its name in the account: `P1`."""

    __slots__ = ()


KINDS: frozenset[type] = frozenset(
    {IncidentRef, ServiceRef, ScopeRef, LevelNumber, Line, Prose, Query, Word, PriorityName}
    | {UrgencyWord, Mentions, OpenOnes}
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a command. `label` heads its form field; `hint` stands under it; `form_only` ones are
    never read from a typed line, `asked` False ones never asked for in the form (a control carries them);
    `named` ones are typed as `name=…`; `usage` is its word in the usage line (default: by kind).
    """

    name: str
    kind: type
    many: bool = False
    required: bool = True
    label: str = ""
    hint: str = ""
    form_only: bool = False
    asked: bool = True
    named: bool = False
    usage: str = ""


# ---------------------------------------------------------------------------------------------------- answers


class Visibility(StrEnum):
    """Who sees a reply."""

    PRIVATE = "private"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: Block Kit blocks and the plain text that says all that matters; private unless
    said otherwise.

    `replaces`: the reply takes the place of the private message whose control was pressed (a picker, a page
    of a list).
    """

    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()
    visibility: Visibility = Visibility.PRIVATE
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class FormRequest:
    """A handler may answer with a form instead: the command's own form, with what is known already filled in
    (argument name → text).
    """

    verb: str
    filled: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialog:
    """A handler may answer with a view of its own (a Slack modal without input): a choice that is nobody
    else's business.
    """

    view: Mapping[str, Any]


Answer = Reply | FormRequest | Dialog | None
Handler = Callable[..., Awaitable[Answer]]
WasDone = Callable[..., Awaitable[bool | None]]
"""Looks at PagerDuty after an interruption, with the handler's own arguments: done, not done, or not to be
told apart (None).
"""


# ----------------------------------------------------------------------------------------------- declarations


class Place(StrEnum):
    """Where a button may stand on an incident's message."""

    BUTTON = "button"  # among the (at most three) buttons; those that find no room go to the menu
    MENU = "menu"  # in the overflow menu only
    LAST = "last"  # the menu's fifth and last option: More…, which opens whatever found no room


@dataclass(frozen=True, slots=True)
class Button:
    """A command's button on an incident's message.

    `when` says for which incidents it applies. `words` are the argument words its value carries, without the
    verb (default: the incident's id); what is relative when typed is absolute here, so that an old message's
    button still means what it meant. Lower `rank` stands further left; a function of the incident where its
    place depends on the state. Several may ask for the "primary" style: the lowest rank drawn gets it, so
    that Acknowledge has it while triggered and Resolve afterwards.
    """

    label: str
    when: Callable[[Incident], bool]
    words: Callable[[Incident], str] = lambda incident: incident.id
    style: Literal["primary", "danger"] | None = None
    place: Place = Place.BUTTON
    rank: int | Callable[[Incident], int] = 50

    def rank_for(self, incident: Incident) -> int:
        """How far left it stands on this incident's message."""
        return self.rank(incident) if callable(self.rank) else self.rank

    def value(self, verb: str, incident: Incident) -> str:
        """The argument words a press stands for, e.g. `escalate Q1 2`."""
        return f"{verb} {self.words(incident)}".strip()


@dataclass(frozen=True, slots=True)
class Command:
    """Everything about one verb. `summary` is one line for lists, `help` the whole docstring; `example` shows
    arguments as typed.
    """

    verb: str
    handler: Handler
    summary: str
    help: str
    aliases: tuple[str, ...] = ()
    scope: str | None = None  # PagerDuty's OAuth scope; ends in ".write" for an act
    parameters: tuple[Parameter, ...] = ()
    button: Button | None = None
    examples: tuple[str, ...] = ()
    title: str = ""  # heads the form, at most 24 characters
    submit: str = ""  # the form's button, at most 24 characters
    hidden: bool = False  # not in help, README, manifest: a verb only controls use
    admins_only: bool = False  # refused to whoever is not one of ADMINS
    subscribers_only: bool = False  # refused to whoever SUBSCRIBERS does not name
    without_seat: bool = False  # people without a PagerDuty user may, where a setting lets them
    form_when_bare: bool = False  # without any of its options it opens the form
    was_done: WasDone | None = None  # for an act that was interrupted: it is looked up, never repeated

    @property
    def acts(self) -> bool:
        """Whether it changes something: then the intent is stored before Slack is answered, and the audit
        keeps it.
        """
        return self.scope is not None and self.scope.endswith(".write")

    @property
    def usage(self) -> str:
        """`ack [N…]`, `note N text`: the arguments as a person types them."""
        words = [self.verb, *(_usage_word(p) for p in self.parameters if p.asked and not p.form_only)]
        return " ".join(dict.fromkeys(words))  # several options may share one word

    @property
    def form_parameters(self) -> tuple[Parameter, ...]:
        """The fields of its form, in order."""
        return tuple(parameter for parameter in self.parameters if parameter.asked)


_USAGE_WORDS: Mapping[type, str] = {
    IncidentRef: "N",
    ServiceRef: "service",
    ScopeRef: "service|team|all",
    LevelNumber: "level",
    UrgencyWord: "high|low",
    PriorityName: "P1",
}


def _usage_word(parameter: Parameter) -> str:
    if parameter.usage:
        return parameter.usage
    if parameter.named:
        return f"[{parameter.name}=…]"
    word = _USAGE_WORDS.get(parameter.kind, parameter.name)
    if parameter.many:
        word += "…"
    return word if parameter.required else f"[{word}]"


@dataclass(frozen=True, slots=True)
class Argument:
    """What the signature cannot say of a parameter: its form label, hint, word in the usage line, that it is
    only asked for in the form, or never (`asked`), or typed by its name (`named`).
    """

    label: str = ""
    hint: str = ""
    form_only: bool = False
    asked: bool = True
    named: bool = False
    usage: str = ""


def command(
    verb: str,
    *,
    aliases: tuple[str, ...] = (),
    scope: str | None = None,
    button: Button | None = None,
    examples: tuple[str, ...] = (),
    title: str = "",
    submit: str = "",
    arguments: Mapping[str, Argument] | None = None,
    hidden: bool = False,
    admins_only: bool = False,
    subscribers_only: bool = False,
    without_seat: bool = False,
    form_when_bare: bool = False,
    was_done: WasDone | None = None,
) -> Callable[[Handler], Command]:
    """Turn a handler into its declaration; raises TypeError at import for a signature it cannot read (a
    programmer's mistake).
    """

    def declare(handler: Handler) -> Command:
        help_text = inspect.cleandoc(handler.__doc__ or "")
        if not help_text:
            raise TypeError(f"{verb}: a command needs a docstring, its first line is shown in help")
        return Command(
            verb=verb,
            handler=handler,
            summary=help_text.splitlines()[0].rstrip("."),
            help=help_text,
            aliases=aliases,
            scope=scope,
            parameters=_parameters(verb, handler, arguments or {}),
            button=button,
            examples=examples,
            title=title or verb.capitalize(),
            submit=submit or verb.capitalize(),
            hidden=hidden,
            admins_only=admins_only,
            subscribers_only=subscribers_only,
            without_seat=without_seat,
            form_when_bare=form_when_bare,
            was_done=was_done,
        )

    return declare


def _parameters(verb: str, handler: Handler, details: Mapping[str, Argument]) -> tuple[Parameter, ...]:
    hints = typing.get_type_hints(handler)
    found = []
    for name, parameter in list(inspect.signature(handler).parameters.items())[1:]:
        kind, many, optional = _kind(hints[name])
        if kind not in KINDS and not issubclass(kind, OneOf):
            raise TypeError(
                f"{verb}: argument {name} has no known kind ({hints[name]!r}); they are in bot/declaration.py"
            )
        detail = details.get(name, Argument())
        found.append(
            Parameter(
                name=name,
                kind=kind,
                many=many,
                required=not optional and parameter.default is inspect.Parameter.empty,
                label=detail.label or name.replace("_", " ").capitalize(),
                hint=detail.hint,
                form_only=detail.form_only,
                asked=detail.asked,
                named=detail.named,
                usage=detail.usage,
            )
        )
    return tuple(found)


def _kind(annotation: Any) -> tuple[type, bool, bool]:
    """The kind, whether many, whether it may be left out."""
    optional = False
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        optional, annotation = len(members) < len(typing.get_args(annotation)), members[0]
    if typing.get_origin(annotation) is list:
        return typing.get_args(annotation)[0], True, optional
    return annotation, False, optional
