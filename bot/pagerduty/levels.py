"""Where an incident stands on its escalation policy: PagerDuty does not say, so it is worked out.

From the assignees, the policy's rules and who is on call at each level; where the same people stand on
several levels, from the escalations in the incident's own history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.errors import PagerDutyFailure
from bot.model import Incident, Level, LogEntry, OnCall, Policy, Reference, Status
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.directory import Directory

STARTS_OVER = frozenset({"trigger", "assign", "delegate", "unresolve", "reopen"})


def people_by_level(policy: Policy, on_calls: Iterable[OnCall]) -> list[tuple[Reference, ...]]:
    """Whom each level pages: the users it names, and whoever is on call for its schedules."""
    levels: list[dict[str, Reference]] = [{user.id: user for user in rule.users} for rule in policy.rules]
    for shift in on_calls:
        if shift.policy.id == policy.id and 1 <= shift.level <= len(levels):
            levels[shift.level - 1].setdefault(shift.person.id, shift.person)
    return [tuple(level.values()) for level in levels]


def candidates(assignees: Sequence[Reference], levels: Sequence[Sequence[Reference]]) -> list[int]:
    """The 1-based levels the assignees may stand on; those that page just them, if there are any."""
    wanted = {one.id for one in assignees}
    if not wanted:
        return []
    able = [n for n, people in enumerate(levels, 1) if wanted <= {one.id for one in people}]
    exact = [n for n in able if {one.id for one in levels[n - 1]} == wanted]
    return exact or able


def level_in_history(entries: Sequence[LogEntry], of: int) -> int:
    """1 + the escalations since the policy was last begun, going round after the last level."""
    climbed = 0
    for entry in entries:
        if entry.kind in STARTS_OVER:
            climbed = 0
        elif entry.kind == "escalate":
            climbed += 1
    return climbed % of + 1


def make_level(number: int, levels: Sequence[Sequence[Reference]]) -> Level:
    """The level, and whom the one after it pages."""
    following = tuple(levels[number]) if number < len(levels) else ()
    return Level(number, len(levels), following)


@dataclass(frozen=True, slots=True)
class Levels:
    """Works levels out with the directory's help; `client` reads histories."""

    directory: Directory
    client: PagerDuty

    async def with_level(self, incident: Incident, *, ask: bool = False) -> Incident:
        """The incident with its level, when that can be told. Without `ask`, only from what is known already:
        no call is made. Never raises: a level that cannot be worked out is not known.
        """
        try:
            return await self.worked_out(incident, ask=ask)
        except PagerDutyFailure:
            return incident

    async def worked_out(self, incident: Incident, *, ask: bool = True) -> Incident:
        """The same, for who comes back when PagerDuty could not be asked. Raises PagerDutyFailure."""
        if not incident.is_open or incident.policy is None or not incident.assignees:
            return incident
        if incident.follows_policy is False:  # given to people by name: it stands at no level
            return incident
        found = await self._level(incident, incident.policy, ask=ask)
        return replace(incident, level=found) if found else incident

    async def of_policy(self, incident: Incident) -> list[tuple[int, Sequence[Reference]]]:
        """The levels of its policy and whom each pages now. Raises PagerDutyFailure."""
        if incident.policy is None:
            return []
        policy = await self.directory.policy(incident.policy.id)
        if policy is None:
            return []
        shifts = await self.directory.on_calls(policies=[policy.id])
        return list(enumerate(people_by_level(policy, shifts), 1))

    async def _level(self, incident: Incident, followed: Reference, *, ask: bool) -> Level | None:
        if ask:
            policy = await self.directory.policy(followed.id)
            shifts: Sequence[OnCall] | None = await self.directory.on_calls(policies=[followed.id])
        else:
            policy, shifts = (
                self.directory.policy_if_warm(followed.id),
                self.directory.on_calls_if_warm(followed.id),
            )
        if policy is None or shifts is None:
            return None
        levels = people_by_level(policy, shifts)
        possible = candidates(incident.assignees, levels)
        taken = incident.status is Status.ACKNOWLEDGED
        if len(possible) == 1 and not taken:
            return make_level(possible[0], levels)
        if not ask or not levels:
            return None
        # Whoever acknowledges becomes the assignee without moving the incident: then only its history tells.
        told = level_in_history(await self.client.log_entries(incident.id), len(levels))
        if taken or not possible:
            return make_level(told, levels) if taken else None
        return make_level(min(possible, key=lambda number: abs(number - told)), levels)
