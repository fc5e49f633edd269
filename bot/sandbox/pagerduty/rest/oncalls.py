"""Schedules and who is on call: `/oncalls`, `/schedules`, `/schedules/{id}/users`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.sandbox.pagerduty.failures import invalid_input
from bot.sandbox.pagerduty.ids import Clock, stamp, stamp_or_none
from bot.sandbox.pagerduty.query import Query, page
from bot.sandbox.pagerduty.references import Writer
from bot.sandbox.pagerduty.rest.directory import by_id, matching
from bot.sandbox.pagerduty.rest.routes import Answer, Call, Route, ok
from bot.sandbox.pagerduty.rota import Rota
from bot.sandbox.pagerduty.state import Json, State

FARTHEST_AHEAD = timedelta(days=90)
RENDERED_BY_DEFAULT = timedelta(days=14)


@dataclass(frozen=True)
class OnCall:
    """One line of `/oncalls`; no schedule and no times mean always on call at that level."""

    policy: str
    level: int
    user: str
    schedule: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class OnCalls:
    def __init__(self, state: State, rota: Rota, writer: Writer, clock: Clock) -> None:
        self._state = state
        self._rota = rota
        self._write = writer
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/oncalls", self.oncalls, "oncalls"),
            Route("GET", "/schedules", self.schedules, "schedules"),
            Route("GET", "/schedules/{id}", self.schedule, "schedules"),
            Route("GET", "/schedules/{id}/users", self.users, "schedules"),
        ]

    def oncalls(self, call: Call) -> Answer:
        query = call.query
        since, until = self._range(query)
        found = [o for o in self._all(since, until) if _asked_for(o, query)]
        if query.flag("earliest"):
            first: dict[tuple[str, int, str], OnCall] = {}
            for oncall in found:
                first.setdefault((oncall.policy, oncall.level, oncall.user), oncall)
            found = list(first.values())
        include, zone = query.include(), _zone(query)
        return ok(page("oncalls", found, query, lambda o: self._oncall(o, include, zone)))

    def _range(self, query: Query) -> tuple[datetime, datetime]:
        """Both are the present when left out: a `since` that is to come needs its `until`."""
        now = self._clock()
        since, until = query.time("since") or now, query.time("until") or now
        if until < since:
            raise invalid_input("Until must be after since")
        if until > now + FARTHEST_AHEAD + timedelta(days=1):
            raise invalid_input("Until must be at most 90 days in the future")
        return since, until

    def _all(self, since: datetime, until: datetime) -> Iterator[OnCall]:
        for policy in self._state.policies.values():
            for level, rule in enumerate(policy.rules, start=1):
                for target in rule.targets:
                    if target.kind == "user":
                        yield OnCall(policy.id, level, target.id)
                        continue
                    for shift in self._rota.shifts(target.id, since, until):
                        yield OnCall(policy.id, level, shift.user, target.id, shift.start, shift.end)

    def _oncall(self, oncall: OnCall, include: frozenset[str], zone: ZoneInfo | None) -> Json:
        state, write = self._state, self._write
        schedule: Json | None = None
        if oncall.schedule:
            schedule = (
                write.schedule(state.schedules[oncall.schedule])
                if "schedules" in include
                else write.schedule_reference(oncall.schedule)
            )
        return {
            "user": write.user(state.people[oncall.user])
            if "users" in include
            else write.user_reference(oncall.user),
            "schedule": schedule,
            "escalation_policy": write.policy(state.policies[oncall.policy])
            if "escalation_policies" in include
            else write.policy_reference(oncall.policy),
            "escalation_level": oncall.level,
            "start": _written(oncall.start, zone),
            "end": _written(oncall.end, zone),
        }

    def schedules(self, call: Call) -> Answer:
        text, teams = call.query.get("query"), set(call.query.all("team_ids"))
        found = [
            s
            for s in self._state.schedules.values()
            if matching(text, s.name) and (not teams or teams & set(s.teams))
        ]
        return ok(page("schedules", found, call.query, self._write.schedule))

    def schedule(self, call: Call) -> Answer:
        schedule = by_id(self._state.schedules, call)
        since = call.query.time("since") or self._clock()
        until = call.query.time("until") or since + RENDERED_BY_DEFAULT
        entries = [
            {
                "start": stamp(max(shift.start, since)),
                "end": stamp(min(shift.end, until)),
                "user": self._write.user_reference(shift.user),
            }
            for shift in self._rota.shifts(schedule.id, since, until)
        ]
        anchor = stamp(self._rota.anchor(schedule.id))
        coverage = 100.0 if entries else 0.0
        layer = {
            "id": f"{schedule.id}L",
            "name": "Layer 1",
            "start": anchor,
            "end": None,
            "rotation_virtual_start": anchor,
            "rotation_turn_length_seconds": schedule.turn_days * 86_400,
            "users": [{"user": self._write.user_reference(u)} for u in schedule.people],
            "restrictions": [],
            "rendered_schedule_entries": entries,
            "rendered_coverage_percentage": coverage,
        }
        final = {
            "name": "Final Schedule",
            "rendered_schedule_entries": entries,
            "rendered_coverage_percentage": coverage,
        }
        overrides = {
            "name": "Overrides",
            "rendered_schedule_entries": [],
            "rendered_coverage_percentage": 0.0,
        }
        body = {
            **self._write.schedule(schedule),
            "schedule_layers": [layer],
            "final_schedule": final,
            "overrides_subschedule": overrides,
        }
        return ok({"schedule": body})

    def users(self, call: Call) -> Answer:
        schedule = by_id(self._state.schedules, call)
        since = call.query.time("since") or self._clock()
        until = call.query.time("until") or since
        users = dict.fromkeys(shift.user for shift in self._rota.shifts(schedule.id, since, until))
        return ok({"users": [self._write.user(self._state.people[user]) for user in users]})


def _zone(query: Query) -> ZoneInfo | None:
    """The zone times are to be written in; raises 400 for a name that is none."""
    name = query.get("time_zone")
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        raise invalid_input("Time zone is invalid") from None


def _written(at: datetime | None, zone: ZoneInfo | None) -> str | None:
    """With the zone's offset where one was asked for, else in UTC."""
    if at is None or zone is None:
        return stamp_or_none(at)
    return at.astimezone(zone).isoformat(timespec="seconds")


def _asked_for(oncall: OnCall, query: Query) -> bool:
    """`schedule_ids[]=null` asks for people who are named in a policy directly."""
    users = set(query.all("user_ids"))
    policies = set(query.all("escalation_policy_ids"))
    schedules = set(query.all("schedule_ids"))
    return (
        (not users or oncall.user in users)
        and (not policies or oncall.policy in policies)
        and (not schedules or (oncall.schedule or "null") in schedules)
    )
