"""Which of many names somebody means. Pure: names in, the best matches out.

Forgiving about case, accents, word order, word beginnings and one slip of the fingers; never a guess between
two: whatever fits equally well is returned together, and the caller asks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from bot.command.words import distance

T = TypeVar("T")

SHORTEST_WITH_A_SLIP = 4  # letters; in a shorter word one slip makes another word
STRICT, FORGIVING = 2, 5  # how well a name must fit: the same words, or beginnings and a slip too


def fold(text: str) -> str:
    """Lower case, no accents, words apart by one space: `Métriques/API` → `metriques api`."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in bare.casefold()).split())


def best(
    query: str,
    things: Iterable[T],
    name: Callable[[T], str],
    ident: Callable[[T], str],
    *,
    worst: int = FORGIVING,
) -> list[T]:
    """The things that fit best, all equally well; empty when none does."""
    fits = _fitting(query, things, name, ident, worst)
    return fits[min(fits)] if fits else []


def ranked(query: str, things: Iterable[T], name: Callable[[T], str], ident: Callable[[T], str]) -> list[T]:
    """Everything that fits at all, the best first."""
    fits = _fitting(query, things, name, ident, FORGIVING)
    return [thing for fit in sorted(fits) for thing in fits[fit]]


def _fitting(
    query: str, things: Iterable[T], name: Callable[[T], str], ident: Callable[[T], str], worst: int
) -> dict[int, list[T]]:
    wanted, folded = query.strip().casefold(), fold(query)
    found: dict[int, list[T]] = {}
    for thing in things if wanted else ():
        fit = 0 if ident(thing).casefold() == wanted else _fit(folded, fold(name(thing)))
        if fit is not None and fit <= worst:
            found.setdefault(fit, []).append(thing)
    return found


def _fit(wanted: str, name: str) -> int | None:
    """How well a folded name fits: smaller is better, None not at all."""
    if not wanted or not name:
        return None
    asked, words = wanted.split(), name.split()
    run, whole = wanted.replace(" ", ""), name.replace(" ", "")
    tests: tuple[Callable[[], bool], ...] = (
        lambda: wanted == name,
        lambda: sorted(asked) == sorted(words) or run == whole,
        lambda: _placed(asked, words, lambda one, word: word == one),
        lambda: _placed(asked, words, lambda one, word: word.startswith(one)) or whole.startswith(run),
        lambda: _one_slip(asked, words) or _slipped(run, whole),
    )
    return next((fit for fit, test in enumerate(tests, 1) if test()), None)


def _placed(asked: Sequence[str], words: Sequence[str], fits: Callable[[str, str], bool]) -> bool:
    """Whether each asked word finds a word of its own (a matching; words make room for one another)."""
    if len(asked) > len(words):
        return False
    taken: dict[int, int] = {}

    def place(who: int, seen: set[int]) -> bool:
        for at, word in enumerate(words):
            if at in seen or not fits(asked[who], word):
                continue
            seen.add(at)
            if at not in taken or place(taken[at], seen):
                taken[at] = who
                return True
        return False

    return all(place(who, set()) for who in range(len(asked)))


def _one_slip(asked: Sequence[str], words: Sequence[str]) -> bool:
    """One of the asked words is a slip away from a word (or its beginning), the others are beginnings."""
    for slipped, one in enumerate(asked):
        rest = [*asked[:slipped], *asked[slipped + 1 :]]
        for at, word in enumerate(words):
            left = [*words[:at], *words[at + 1 :]]
            if (_slipped(one, word) or _slipped_beginning(one, word)) and _placed(
                rest, left, lambda short, whole: whole.startswith(short)
            ):
                return True
    return False


def _slipped(one: str, word: str) -> bool:
    return (
        min(len(one), len(word)) >= SHORTEST_WITH_A_SLIP
        and abs(len(one) - len(word)) <= 1
        and distance(one, word) == 1
    )


def _slipped_beginning(one: str, word: str) -> bool:
    """`chekc` for `checkout`: a slip within what was typed of a longer word."""
    if len(one) < SHORTEST_WITH_A_SLIP + 1 or len(word) <= len(one):
        return False
    return any(distance(one, word[:length]) == 1 for length in (len(one) - 1, len(one), len(one) + 1))
