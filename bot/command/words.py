"""What Slack makes of a typed line, undone: escapes unwrapped, smart quotes and odd spaces made plain, words
told apart. No grammar here: which word means what is decided in bot/command/arguments.py.

Slack sends `<@U1|alice>`, `<#C1|general>`, `<https://a.example|a.example>` and
`<mailto:a@b.example|a@b.example>` for what a person typed (`should_escape` in slash commands, always in
messages), and `&amp; &lt; &gt;` for & < >.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "＂": '"'})
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # & last, or `&amp;lt;` would be unescaped twice
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff")  # pasted along with text, seen by nobody


@dataclass(frozen=True, slots=True)
class Word:
    """One word and where it stands in the cleaned line; `quoted` ones may hold spaces."""

    text: str
    start: int
    end: int
    quoted: bool = False


def clean(text: str) -> str:
    """The line with plain quotes and plain spaces; line breaks stay."""
    return "".join(_plain(text)).translate(_QUOTES).strip()


def _plain(text: str) -> Iterator[str]:
    for character in text:
        if character in _INVISIBLE:
            continue
        yield " " if character.isspace() and character != "\n" else character


def split(line: str) -> list[Word]:
    """The words of a cleaned line. `"…"` and Slack's `<…>` are one word each; a quote without its partner is
    a character like any other.
    """
    words: list[Word] = []
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        closing = {'"': '"', "<": ">"}.get(line[at])
        end = line.find(closing, at + 1) if closing else -1
        if line[at] == '"' and end > at + 1:
            words.append(Word(line[at + 1 : end].strip() or '"', at, end + 1, quoted=True))
            at = end + 1
            continue
        start, at = at, end + 1 if end > 0 else at
        while at < len(line) and not line[at].isspace():
            at += 1
        words.append(Word(line[start:at], start, at))
    return words


def unescape(text: str) -> str:
    """`&lt;` → `<`, as Slack escapes what people type."""
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def plain(text: str) -> str:
    """Text as the person meant it: every `<…>` of Slack's replaced by what its reader saw."""
    parts: list[str] = []
    at = 0
    while (opening := text.find("<", at)) >= 0:
        closing = text.find(">", opening)
        if closing < 0:
            break
        parts += text[at:opening], _seen(text[opening + 1 : closing])
        at = closing + 1
    parts.append(text[at:])
    return unescape("".join(parts))


def _seen(inside: str) -> str:
    target, _, label = inside.partition("|")
    if target.startswith(("@", "#")):
        return f"{target[0]}{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    address = target.removeprefix("mailto:")
    if not label or label == address:
        return address
    # Slack makes a link of a bare `a.example`; a label of its own was pasted and hides where it leads.
    return label if label in address else f"{label} ({address})"


def mentioned_user(word: str) -> str | None:
    """The Slack user id in `<@U1|alice>`, else None."""
    if not word.startswith("<@") or not word.endswith(">"):
        return None
    return word[2:-1].partition("|")[0] or None


def link_target(word: str) -> str:
    """The address in `<https://…|label>`; any other word as it is."""
    if word.startswith("<") and word.endswith(">"):
        return unescape(word[1:-1].partition("|")[0])
    return word


def distance(one: str, other: str) -> int:
    """How many typing slips lie between two words: letters added, left out, changed, or two swapped."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word somebody most likely meant, or None when all are far off."""
    wanted = word.casefold()[:40]
    allowed = 1 if len(wanted) <= 4 else 2
    starts = [one for one in known if len(wanted) >= 2 and one.startswith(wanted)]
    if starts:
        return min(starts, key=len)
    ranked = sorted((distance(wanted, one), one) for one in known)
    return ranked[0][1] if ranked and ranked[0][0] <= allowed else None
