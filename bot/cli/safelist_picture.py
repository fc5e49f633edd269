"""What must be let through, in both directions, at one moment; and what is different from the last time.

Looked at by bot/cli/safelist.py. What could not be asked keeps what it was the last time: a name server that
is away for a moment must not close a firewall.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import aiohttp

from bot.cli.hosts import Host, Resolve, hosts, in_order
from bot.errors import PagerDutyFailure, UserError
from bot.pagerduty.safelist import SNAPSHOT, SNAPSHOT_FROM, Kind, Region, fetch, networks, words
from bot.settings import Settings

WEBHOOKS: Kind = "webhooks"
REST: Kind = "rest-api"


class Origin(StrEnum):
    """Where a list of addresses comes from."""

    NOW = "asked now"
    LAST_RUN = "not to be had now: as of the last run"
    SNAPSHOT = f"not to be had now: {SNAPSHOT_FROM}"
    NOWHERE = "not to be had now"


@dataclass(frozen=True, slots=True)
class Addresses:
    """A list, and how much it is worth; `problem` says why it could not be asked now."""

    addresses: tuple[str, ...] = ()
    origin: Origin = Origin.NOW
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """`outbound` by host; `published` by kind: `webhooks` (inbound) and `rest-api` (outbound)."""

    region: Region
    hosts: tuple[Host, ...] = ()
    outbound: Mapping[str, Addresses] = field(default_factory=dict)
    published: Mapping[str, Addresses] = field(default_factory=dict)

    def lists(self) -> dict[str, tuple[str, ...]]:
        """Every list by name, as the next run compares it."""
        every = {**self.outbound, **self.published}
        return {name: one.addresses for name, one in every.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """One list that is different from the last run's."""

    name: str
    added: tuple[str, ...]
    gone: tuple[str, ...]


Last = Mapping[str, tuple[str, ...]]
"""The lists of the last run; empty before the first."""


async def look(
    settings: Settings, session: aiohttp.ClientSession, resolve: Resolve, *, region: Region, last: Last
) -> Picture:
    """Ask every name and both published lists."""
    names = hosts(settings, region)
    found = await asyncio.gather(*(_resolved(one.name, resolve, last) for one in names))
    kinds = (WEBHOOKS, REST)
    lists = await asyncio.gather(*(_published(settings, session, kind, region, last) for kind in kinds))
    return Picture(
        region,
        names,
        {host.name: one for host, one in zip(names, found, strict=True)},
        dict(zip(kinds, lists, strict=True)),
    )


async def _resolved(name: str, resolve: Resolve, last: Last) -> Addresses:
    try:
        found = in_order(await resolve(name))
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or type(error).__name__
    else:
        if found:
            return Addresses(found)
        problem = "no address"
    return _as_before(name, last, str(problem))


async def _published(
    settings: Settings, session: aiohttp.ClientSession, kind: Kind, region: Region, last: Last
) -> Addresses:
    try:
        return Addresses(words(await fetch(session, settings.safelist_url, kind, region)))
    except PagerDutyFailure as failure:
        if kind == WEBHOOKS and not last.get(kind):
            return Addresses(words(networks(SNAPSHOT[region])), Origin.SNAPSHOT, str(failure))
        return _as_before(kind, last, str(failure))


def _as_before(name: str, last: Last, problem: str) -> Addresses:
    before = last.get(name, ())
    return Addresses(before, Origin.LAST_RUN if before else Origin.NOWHERE, problem)


def changes(last: Last, now: Picture) -> tuple[Change, ...]:
    """Nothing before the first run: there is nothing to compare with. A list that was never had before is
    none either.
    """
    found = []
    for name, addresses in now.lists().items():
        before = last.get(name, ())
        if before and set(before) != set(addresses):
            added = tuple(one for one in addresses if one not in before)
            found.append(Change(name, added, tuple(one for one in before if one not in addresses)))
    return tuple(found)


# ----------------------------------------------------------------------------------------------- the last run


def read_last(file: Path) -> Last:
    """The lists of the last run. Raises UserError when the file holds something else."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): tuple(map(str, one)) for name, one in dict(told).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError):
        raise UserError(
            f"{file} is not what an earlier run has written. Name another with --state."
        ) from None


def keep(file: Path, now: Picture) -> None:
    """For the next run; whole or not at all. Raises UserError."""
    beside = file.with_name(file.name + ".new")
    try:
        beside.write_text(json.dumps(now.lists(), indent=1) + "\n", encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise UserError(f"Cannot write {file}: {error.strerror}. Name another with --state.") from None


# ----------------------------------------------------------------------------------------------- for machines


def as_json(now: Picture, found: Sequence[Change], *, compared: bool) -> dict[str, Any]:
    """Its names are a promise (docs/network.md)."""
    outbound = [
        {"host": one.name, "port": 443, "for": one.why, **_told(now.outbound[one.name])} for one in now.hosts
    ]
    return {
        "region": now.region,
        "outbound": outbound,
        "rest_api": _told(now.published[REST]),
        "webhooks": _told(now.published[WEBHOOKS]),
        "compared": compared,
        "changes": [{"list": one.name, "added": list(one.added), "gone": list(one.gone)} for one in found],
    }


def _told(one: Addresses) -> dict[str, Any]:
    return {"addresses": list(one.addresses), "fresh": one.origin is Origin.NOW, "problem": one.problem}
