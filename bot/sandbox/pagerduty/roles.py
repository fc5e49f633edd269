"""Who may respond to which incident by their own token: the base role, unless a team role says otherwise.

Admins and stakeholders have fixed roles. Everybody else's role on the teams of a service counts more than
their base role, in both directions: a responder may be a mere observer of Checkout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from bot.sandbox.pagerduty.access import ROLES_THAT_ONLY_READ, Actor
from bot.sandbox.pagerduty.failures import access_denied, invalid_input
from bot.sandbox.pagerduty.state import State
from bot.sandbox.world import TeamMember

TeamRole = Literal["manager", "responder", "observer"]
TEAM_ROLES: tuple[TeamRole, ...] = ("manager", "responder", "observer")
FIXED = frozenset({"admin", "owner", "read_only_user", "read_only_limited_user"})


class Roles:
    def __init__(self, state: State) -> None:
        self._state = state

    def may_respond(self, user: str, service: str) -> bool:
        """Whether this person may change incidents of this service."""
        base = self._state.people[user].role or ""
        own = {
            member.role
            for team in self._state.services[service].teams
            for member in self._state.teams[team].members
            if member.person == user
        }
        if own and base not in FIXED:
            return bool(own & {"manager", "responder"})
        return base not in ROLES_THAT_ONLY_READ

    def require(self, actor: Actor, path: dict[str, str], body: Any) -> None:
        """Raises ApiError 403 when the person behind a token may not change one of these incidents.

        Whoever asks with the account key is not looked at, `From` or not.
        """
        if actor.kind == "account_key" or actor.user is None:
            return
        for service in self._services(path, body):
            if not self.may_respond(actor.user, service):
                raise access_denied(f"You do not have permission to act on {self._name(service)}")

    def _name(self, service: str) -> str:
        return self._state.services[service].name

    def _services(self, path: dict[str, str], body: Any) -> Iterator[str]:
        """The services of the incidents a request is about; what does not exist, the handler refuses."""
        named = [path.get("id")]
        if isinstance(body, dict):
            listed = [*(body.get("incidents") or []), *(body.get("source_incidents") or [])]
            named += [one.get("id") for one in listed if isinstance(one, dict)]
            new = body.get("incident")
            wanted = new.get("service") if isinstance(new, dict) else None
            if isinstance(wanted, dict) and wanted.get("id") in self._state.services:
                yield wanted["id"]
        for id_ in named:
            incident = self._state.find(str(id_)) if id_ else None
            if incident is not None:
                yield incident.service

    # ── what an admin changes in PagerDuty's pages ──

    def set_base(self, user: str, role: str) -> None:
        """Raises ApiError for an unknown person."""
        self._known(user)
        changed = replace(self._state.people[user], role=role)
        self._state.people[user] = changed
        self._state.by_email[changed.email.lower()] = changed

    def set_on_team(self, user: str, team: str, role: TeamRole | None) -> None:
        """Give a person a role on a team, or take them out of it (None). Raises ApiError for unknown ids."""
        self._known(user)
        found = self._state.teams.get(team)
        if found is None or role not in (None, *TEAM_ROLES):
            raise invalid_input(f"There is no team {team}, or no role {role} on one")
        others = tuple(member for member in found.members if member.person != user)
        added = () if role is None else (TeamMember(user, role),)
        self._state.teams[team] = replace(found, members=others + added)

    def _known(self, user: str) -> None:
        if user not in self._state.people:
            raise invalid_input(f"There is no user {user}")
