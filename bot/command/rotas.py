"""Who is on the rotas of the next two weeks, who of them is in Slack, and who is linked.

`/pager team-links` shows it (commands/team_links.py), reminders go by it (bot/command/reminding.py). Where
people are matched by e-mail address, being matched is all the link there is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.command.duties import Turn, turns
from bot.model import OnCall, Reference, SlackUser

AHEAD = timedelta(days=14)
BEHIND = timedelta(days=7)  # read too: whether a shift begins a turn is told by the one before it

Wanted = Callable[[OnCall], bool]


class Shifts(Protocol):
    """PagerDuty's on-calls, by the account key (bot/pagerduty/client.py)."""

    async def on_calls(self, *, since: datetime | None = None, until: datetime | None = None) -> list[OnCall]:
        """Every shift that touches the time between, one call per 100."""


class Matches(Protocol):
    """PagerDuty user → Slack user by e-mail address (bot/store/people.py)."""

    async def slack_ids(self, team_id: str, person_ids: Sequence[str]) -> Mapping[str, str]: ...


Linked = Callable[[str], Awaitable[Mapping[str, str] | None]]
"""Everybody linked in a workspace (its id): PagerDuty user id → Slack user id; None where nobody links
(bot/accounts/acting.py).
"""


@dataclass(frozen=True, slots=True)
class Rostered:
    """One person of the rotas, with what is left of their turns, the earliest first (never empty).

    `user` None: nobody in this workspace is known to be them.
    """

    person: Reference
    user: SlackUser | None
    linked: bool
    turns: tuple[Turn, ...]


def everybody(shift: OnCall) -> bool:
    """Every rota counts."""
    del shift
    return True


class Rotas:
    """Where nobody links, people are matched by e-mail address, and whoever is matched counts as linked."""

    def __init__(
        self, shifts: Shifts, matches: Matches, linked: Linked, clock: Callable[[], datetime]
    ) -> None:
        self._shifts = shifts
        self._matches = matches
        self._clock = clock
        self._linked = linked

    async def look(self, team_id: str, wanted: Wanted = everybody) -> list[Rostered]:
        """Everybody on call between now and in two weeks, whoever is first on call first.

        `wanted` narrows it to some rotas, never to some people of one: turns are told by the others' shifts.
        Raises PagerDutyFailure and StoreUnavailable.
        """
        return await self.joined(team_id, await self.ahead(wanted))

    async def ahead(self, wanted: Wanted = everybody) -> Mapping[str, Sequence[Turn]]:
        """PagerDuty user id → their turns that are not over, the earliest first; the same in every workspace.

        Raises PagerDutyFailure.
        """
        now = self._clock()
        told = await self._shifts.on_calls(since=now - BEHIND, until=now + AHEAD)
        by_person: dict[str, list[Turn]] = defaultdict(list)
        for turn in turns(shift for shift in told if wanted(shift)):
            if turn.end is None or turn.end > now:
                by_person[turn.person.id].append(turn)
        return by_person

    async def joined(self, team_id: str, people: Mapping[str, Sequence[Turn]]) -> list[Rostered]:
        """These people as one workspace knows them. Raises StoreUnavailable."""
        matched = await self._matches.slack_ids(team_id, sorted(people))
        told = await self._linked(team_id)
        linked = matched if told is None else told
        known = {**matched, **linked}
        found = []
        for person_id, own in people.items():
            user = SlackUser(team_id, known[person_id]) if person_id in known else None
            found.append(Rostered(own[0].person, user, person_id in linked, tuple(own)))
        return found
