"""Users, teams, services, escalation policies, priorities, abilities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from bot.sandbox.pagerduty.failures import ApiError, bad_request, not_found
from bot.sandbox.pagerduty.query import Query, page
from bot.sandbox.pagerduty.references import Writer
from bot.sandbox.pagerduty.rest.routes import Answer, Call, Route, ok
from bot.sandbox.pagerduty.state import Json, State
from bot.sandbox.world import Policy

Thing = TypeVar("Thing")

ABILITIES = ("teams", "urgencies", "coordinated_responding", "team_responders", "service_support_hours")
ABILITIES_OF_OTHER_PLANS = ("event_intelligence", "business_services_advanced")


def by_id(things: Mapping[str, Thing], call: Call) -> Thing:
    found = things.get(call.path["id"])
    if found is None:
        raise not_found()
    return found


def matching(text: str | None, *fields: str) -> bool:
    """PagerDuty's `query`: part of the name, whatever the case."""
    return not text or any(text.casefold() in field.casefold() for field in fields)


class Directory:
    def __init__(self, state: State, writer: Writer) -> None:
        self._state = state
        self._write = writer

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/users", self.users, "users"),
            Route("GET", "/users/me", self.me, None),
            Route("GET", "/users/{id}", self.user, "users"),
            Route("GET", "/users/{id}/contact_methods", self.contact_methods, "users:contact_methods"),
            Route("GET", "/teams", self.teams, "teams"),
            Route("GET", "/teams/{id}", self.team, "teams"),
            Route("GET", "/teams/{id}/members", self.members, "teams"),
            Route("GET", "/services", self.services, "services"),
            Route("GET", "/services/{id}", self.service, "services"),
            Route("GET", "/escalation_policies", self.policies, "escalation_policies"),
            Route("GET", "/escalation_policies/{id}", self.policy, "escalation_policies"),
            Route("GET", "/priorities", self.priorities, "priorities"),
            Route("GET", "/abilities", self.abilities, "abilities"),
            Route("GET", "/abilities/{id}", self.ability, "abilities"),
        ]

    def users(self, call: Call) -> Answer:
        text, teams = call.query.get("query"), set(call.query.all("team_ids"))
        found = [
            p
            for id_, p in self._state.people.items()
            if matching(text, p.name, p.email)
            and (not teams or teams & set(self._state.teams_of_person(id_)))
        ]
        include = call.query.include()
        return ok(page("users", _by_name(found), call.query, lambda p: self._write.user(p, include)))

    def me(self, call: Call) -> Answer:
        if call.actor.user is None:
            raise bad_request(2001, "There is no user behind this key; use a user's own token")
        return ok({"user": self._write.user(self._state.people[call.actor.user], call.query.include())})

    def user(self, call: Call) -> Answer:
        return ok({"user": self._write.user(by_id(self._state.people, call), call.query.include())})

    def contact_methods(self, call: Call) -> Answer:
        whole = self._write.user(by_id(self._state.people, call), {"contact_methods"})
        return ok({"contact_methods": whole["contact_methods"]})

    def teams(self, call: Call) -> Answer:
        text = call.query.get("query")
        found = [t for t in self._state.teams.values() if matching(text, t.name)]
        return ok(page("teams", _by_name(found), call.query, self._write.team))

    def team(self, call: Call) -> Answer:
        return ok({"team": self._write.team(by_id(self._state.teams, call))})

    def members(self, call: Call) -> Answer:
        team = by_id(self._state.teams, call)
        full = "users" in call.query.include()

        def write(index: int) -> Json:
            member = team.members[index]
            person = self._state.people[member.person]
            user = self._write.user(person) if full else self._write.user_reference(member.person)
            return {"user": user, "role": member.role}

        return ok(page("members", range(len(team.members)), call.query, write))

    def services(self, call: Call) -> Answer:
        query = call.query
        text, name, teams = query.get("query"), query.get("name"), set(query.all("team_ids"))
        found = [
            s
            for s in self._state.services.values()
            if matching(text, s.name)
            and (name is None or s.name.casefold() == name.casefold())
            and (not teams or teams & set(s.teams))
        ]
        include = query.include()
        return ok(page("services", _by_name(found), query, lambda s: self._write.service(s, include)))

    def service(self, call: Call) -> Answer:
        service = by_id(self._state.services, call)
        return ok({"service": self._write.service(service, call.query.include())})

    def policies(self, call: Call) -> Answer:
        query = call.query
        found = [p for p in self._state.policies.values() if self._asked_for(p, query)]
        include = query.include()
        return ok(
            page("escalation_policies", _by_name(found), query, lambda p: self._write.policy(p, include))
        )

    def _asked_for(self, policy: Policy, query: Query) -> bool:
        users, teams = set(query.all("user_ids")), set(query.all("team_ids"))
        targets = {t.id for rule in policy.rules for t in rule.targets}
        return (
            matching(query.get("query"), policy.name)
            and (not users or bool(users & targets))
            and (not teams or bool(teams & set(policy.teams)))
        )

    def policy(self, call: Call) -> Answer:
        policy = by_id(self._state.policies, call)
        return ok({"escalation_policy": self._write.policy(policy, call.query.include())})

    def priorities(self, call: Call) -> Answer:
        found = list(self._state.priorities.values())
        return ok(page("priorities", found, call.query, self._write.priority))

    def abilities(self, _call: Call) -> Answer:
        return ok({"abilities": list(ABILITIES)})

    def ability(self, call: Call) -> Answer:
        name = call.path["id"]
        if name in ABILITIES:
            return Answer(204)
        if name in ABILITIES_OF_OTHER_PLANS:
            raise ApiError(402, 2014, f"Your account does not have the ability {name}")
        raise not_found()


def _by_name(things: Iterable[Thing]) -> list[Thing]:
    return sorted(things, key=lambda thing: str(getattr(thing, "name", "")).casefold())
