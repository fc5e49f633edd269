"""What a person may mean when they ask who is on call: services, teams, policies, schedules and people.

Used by commands/oncall.py; the matching itself is bot/command/matching.py's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.command.matching import best, fold
from bot.command.names import NamedThings
from bot.model import Person, Policy, Reference, Service
from bot.render.blocks import Choice

_OPENING = frozenset(
    {
        "who",
        "whos",
        "is",
        "s",
        "on",
        "call",
        "oncall",
        "for",
        "in",
        "at",
        "of",
        "the",
        "now",
        "right",
        "today",
    }
)
_CLOSING = frozenset({"now", "today", "currently", "please", "oncall"})
_KINDS = {
    "service": "service",
    "team": "team",
    "policy": "policy",
    "schedule": "schedule",
    "rota": "schedule",
    "person": "person",
    "user": "person",
}


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that can be asked about; `of` is the thing itself."""

    kind: str
    id: str
    name: str
    of: Service | Policy | Person | Reference

    @property
    def words(self) -> str:
        """What gives this very thing again."""
        return f"{self.kind} {self.id}"

    @property
    def reference(self) -> Reference:
        """Its id, name and page."""
        return Reference(self.id, self.name, self.of.url)

    def choice(self, verb: str) -> Choice:
        """As an option that runs `verb` with it."""
        return Choice(self.name, f"{verb} {self.words}", self.kind)


async def all_targets(directory: NamedThings) -> list[Target]:
    """Everything that can be asked about."""
    services, teams, policies, schedules, people = await asyncio.gather(
        directory.services(),
        directory.teams(),
        directory.policies(),
        directory.schedules(),
        directory.users(),
    )
    return [
        *(Target("service", one.id, one.name, one) for one in services),
        *(Target("team", one.id, one.name, one) for one in teams),
        *(Target("policy", one.id, one.name, one) for one in policies),
        *(Target("schedule", one.id, one.name, one) for one in schedules),
        *(Target("person", one.id, one.name, one) for one in people),
    ]


def without_question(asked: str) -> str:
    """The name in the question: `is on call for the payments team?` → `payments team`."""
    words = asked.strip().strip("?!.,\"'").split()
    while words and fold(words[0]).replace(" ", "") in _OPENING:
        words = words[1:]
    while words and fold(words[-1]) in _CLOSING:
        words = words[:-1]
    return " ".join(words)


def find(asked: str, targets: Sequence[Target]) -> list[Target]:
    """What fits best, all equally well: as asked, without the question around it, by kind and name (`team
    payments`, `payments team`).
    """
    words = without_question(asked)
    if exact := best(asked, targets, _name, _ident):
        return exact
    found = best(words, targets, _name, _ident)
    parts = words.split()
    for kind, name in ((parts[0], parts[1:]), (parts[-1], parts[:-1])) if len(parts) > 1 else ():
        if wanted := _KINDS.get(fold(kind)):
            of_kind = best(" ".join(name), [one for one in targets if one.kind == wanted], _name, _ident)
            if of_kind and (not found or len(of_kind) <= len(found)):
                return of_kind
    return found


def near(asked: str, targets: Sequence[Target]) -> list[Target]:
    """What shares a word with what was asked, when nothing fits."""
    words = without_question(asked).split()[:5]
    return [one for word in words for one in best(word, targets, _name, _ident)][:4]


def _name(one: Target) -> str:
    return one.name


def _ident(one: Target) -> str:
    return one.id
