"""Typed names and picker choices, answered from the directory's cache (bot/pagerduty/directory.py).

Strict where a wrong guess pages somebody (the service of a new incident), forgiving where it only shows
something or can be taken back. Slack gives a picker 3 s, so nothing here waits for PagerDuty once the
directory is warm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.command.matching import STRICT, best, fold, ranked
from bot.declaration import IncidentRef, PriorityName, ScopeRef, ServiceRef
from bot.model import Incident, Person, Policy, Priority, Reference, Service
from bot.render.blocks import Choice
from bot.render.lists import arrange

MOST_CHOICES = 100  # Slack's limit


class NamedThings(Protocol):
    """The directory: everything of a kind, from its cache."""

    async def services(self) -> Sequence[Service]: ...
    async def teams(self) -> Sequence[Reference]: ...
    async def policies(self) -> Sequence[Policy]: ...
    async def schedules(self) -> Sequence[Reference]: ...
    async def users(self) -> Sequence[Person]: ...
    async def priorities(self) -> Sequence[Priority]: ...


class OpenIncidents(Protocol):
    """The store's open incidents."""

    async def open_ids(self) -> set[str]: ...
    async def many(self, ids: Sequence[str]) -> dict[str, Incident]: ...


class DirectoryNames:
    """`bot.command.arguments.Names`, and the choices of pickers."""

    def __init__(self, directory: NamedThings, incidents: OpenIncidents) -> None:
        self._directory = directory
        self._incidents = incidents

    async def service(self, words: str) -> ServiceRef | None:
        """The one service of exactly this name (whatever case, accents, word order) or id."""
        found = best(words, await self._directory.services(), _name, _ident, worst=STRICT)
        return ServiceRef(found[0].id, found[0].name) if len(found) == 1 else None

    async def scope(self, words: str) -> ScopeRef | None:
        """The one service or team that answers to these words; `all` and `everything` for all."""
        found = await self._scopes(words)
        return found[0] if len(found) == 1 else None

    async def _scopes(self, words: str) -> list[ScopeRef]:
        if fold(words) in ("all", "everything", "every service"):
            return [ScopeRef("all", "", "every service")]
        kind, _, name = words.strip().partition(" ")
        everything = await self._all_scopes()
        if name and kind.casefold() in ("service", "team"):
            of_kind = [one for one in everything if one.kind == kind.casefold()]
            if found := best(name, of_kind, _name, _ident):
                return found
        return best(words, everything, _name, _ident)

    async def _all_scopes(self) -> list[ScopeRef]:
        services = [ScopeRef("service", one.id, one.name) for one in await self._directory.services()]
        return services + [ScopeRef("team", one.id, one.name) for one in await self._directory.teams()]

    async def priority(self, word: str) -> PriorityName | None:
        """The account's priority of exactly this name, whatever its case."""
        wanted = word.strip().casefold()
        known = (one.name for one in await self._directory.priorities())
        return next((PriorityName(name) for name in known if name.casefold() == wanted), None)

    async def suggestions(self, words: str) -> Sequence[str]:
        """Names of services and teams that come near, best first."""
        near = ranked(words, await self._all_scopes(), _name, _ident)
        if not near:
            first = words.split()[:1]
            near = ranked(first[0], await self._all_scopes(), _name, _ident) if first else []
        return [one.name for one in near]

    async def near(self, words: str, verb: str) -> Sequence[Choice]:
        """The same as choices that run `verb` with the one chosen."""
        found = ranked(words, await self._all_scopes(), _name, _ident)
        return [Choice(one.name, f"{verb} {one.kind} {one.id}", one.kind) for one in found[:4]]

    async def choices(self, kind: type, typed: str) -> list[Choice]:
        """What a form's picker offers for what was typed so far."""
        if kind is ServiceRef:
            services = [Choice(one.name, one.id) for one in await self._directory.services()]
            return _narrowed(typed, services)
        if kind is ScopeRef:
            scopes = [Choice(one.name, f"{one.kind} {one.id}", one.kind) for one in await self._all_scopes()]
            return _narrowed(typed, [Choice("Everything", "all", "every service"), *scopes])
        if kind is PriorityName:
            return _narrowed(
                typed, [Choice(one.name, one.name) for one in await self._directory.priorities()]
            )
        if kind is IncidentRef:
            return await self._incident_choices(typed)
        return []

    async def _incident_choices(self, typed: str) -> list[Choice]:
        known = await self._incidents.many(list(await self._incidents.open_ids()))
        wanted = fold(typed)
        fitting = [
            one
            for one in arrange(list(known.values()))
            if wanted in fold(f"{one.label} {one.title} {one.id}")
        ]
        return [
            Choice(f"{one.label} {one.title}", one.id, f"{one.status} · {one.service.name}")
            for one in fitting[:MOST_CHOICES]
        ]


def _narrowed(typed: str, choices: list[Choice]) -> list[Choice]:
    """Those that fit, best first; all by name while nothing is typed."""
    if not typed.strip():
        return sorted(choices, key=lambda choice: fold(choice.label))[:MOST_CHOICES]
    fitting = ranked(typed, choices, lambda choice: choice.label, lambda choice: choice.value)
    inside = [one for one in choices if fold(typed) in fold(one.label) and one not in fitting]
    return [*fitting, *inside][:MOST_CHOICES]


def _name(thing: Service | ScopeRef) -> str:
    return thing.name


def _ident(thing: Service | ScopeRef) -> str:
    return thing.id
