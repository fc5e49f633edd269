"""A directory of a few names, in memory: what commands need of bot/pagerduty/directory.py to understand
words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.command.names import DirectoryNames
from bot.model import Incident, Person, Policy, Priority, Reference, Rule, Service

POLICY = Policy(
    "PEPCHK",
    "Checkout primary",
    (
        Rule((), (Reference("PSCHCHK", "Checkout rota"),), 10),
        Rule((Reference("PBOB002", "Bob Brown"),), (), 10),
        Rule((Reference("PCAROL3", "Carol Chen"),), (), 10),
    ),
    teams=(Reference("PTEAMPY", "Payments"),),
)
SERVICES = tuple(
    Service(ident, name, Reference("PEPCHK", "Checkout primary"))
    for ident, name in (
        ("PSVCCHK", "Checkout"),
        ("PSVCPAY", "Payments API"),
        ("PSVCSEA", "Search"),
        ("PSVCLOG", "Login"),
        ("PSVCMET", "Métriques"),
    )
)


@dataclass
class SmallDirectory:
    """Names as in the sandbox's sample company."""

    services_known: Sequence[Service] = SERVICES
    incidents: dict[str, Incident] = field(default_factory=dict)

    async def services(self) -> Sequence[Service]:
        return self.services_known

    async def teams(self) -> Sequence[Reference]:
        return (Reference("PTEAMPY", "Payments"), Reference("PTEAMPL", "Platform"))

    async def policies(self) -> Sequence[Policy]:
        return (POLICY,)

    async def schedules(self) -> Sequence[Reference]:
        return (Reference("PSCHCHK", "Checkout rota"), Reference("PSCHPLT", "Platform rota"))

    async def users(self) -> Sequence[Person]:
        return (Person("PALICE1", "Alice Anderson"), Person("PBOB002", "Bob Brown"))

    async def priorities(self) -> Sequence[Priority]:
        return tuple(Priority(f"PPRIO0{n}", f"P{n}", n - 1) for n in range(1, 6))

    async def open_ids(self) -> set[str]:
        return set(self.incidents)

    async def many(self, ids: Sequence[str]) -> dict[str, Incident]:
        return {one: self.incidents[one] for one in ids}


def names() -> DirectoryNames:
    directory = SmallDirectory()
    return DirectoryNames(directory, directory)
