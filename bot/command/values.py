"""Words and texts as single values of the kinds that need no directory: what stands in a line, a control's
value or a form's field.

Pure, under bot/command/arguments.py (lines) and fields.py (forms); whatever is not a value is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bot.command.words import Word, clean, link_target, mentioned_user, plain, split
from bot.declaration import (
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

RESTS = (Line, Prose, Query)
MOST_DIGITS = 18  # what a 64-bit incident number can hold
ID_LETTERS = frozenset(
    "PQR"
)  # PagerDuty's incident ids begin with one of these; their length is not promised


def rest_of(kind: type, line: str, words: Sequence[Word]) -> Any:
    """These words of the line and whatever stands between them, as a value of one of RESTS."""
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


def take_level(words: Sequence[Word], at: int) -> tuple[LevelNumber | None, int]:
    """`2`, `L2`, `level 2`, `to level 2`."""
    start = at
    while at < len(words) - 1 and words[at].text.casefold() in ("to", "level"):
        at += 1
    text = words[at].text.casefold().strip(".,").removeprefix("level").removeprefix("l")
    if text.isascii() and text.isdigit() and 0 < int(text[:4]) < 1000 and len(text) < 4:
        return LevelNumber(int(text)), at + 1
    return None, start


def one_word(kind: type, text: str, *, sure: bool) -> Any:
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


HINTS: Mapping[type, str] = {
    ServiceRef: "This one is not there any more: please choose again.",
    ScopeRef: "This one is not there any more: please choose again.",
    IncidentRef: "A number such as 1234, or an incident's id or address.",
    LevelNumber: "A level is a number, such as 2.",
    PriorityName: "Priorities of your account such as P1, separated by commas.",
}


def from_field(parameter: Parameter, text: str) -> Any:
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
        level, after = take_level(words, 0) if words else (None, 0)
        return level if after == len(words) else None
    values = [one_word(kind, piece, sure=True) for word in words for piece in word.text.split(",") if piece]
    if not values or any(value is None for value in values):
        return None
    return list(dict.fromkeys(values)) if parameter.many else values[0]
