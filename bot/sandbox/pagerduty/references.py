"""References, and the REST bodies of what rarely changes: users, teams, services, policies, schedules,
priorities.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from bot.sandbox.pagerduty.ids import stamp, stamp_or_none
from bot.sandbox.pagerduty.state import Agent, Json, State
from bot.sandbox.world import Person, Policy, Priority, Schedule, Service, Team

API = "https://api.pagerduty.com"
SINCE_EVER = datetime(2024, 1, 8, 9, 0, tzinfo=UTC)


class Writer:
    """Writes what a state holds; the incident bodies build on it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._pages = {
            "user": "users",
            "team": "teams",
            "service": "services",
            "escalation_policy": "escalation_policies",
            "schedule": "schedules",
            "incident": "incidents",
        }
        self._paths = {"service": "services"}

    def reference(self, kind: str, id_: str, summary: str | None) -> Json:
        return {"id": id_, **self._links(kind, id_), "type": f"{kind}_reference", "summary": summary}

    def _links(self, kind: str, id_: str) -> Json:
        page = self._pages[kind]
        path = self._paths.get(kind, page)
        return {"self": f"{API}/{path}/{id_}", "html_url": f"{self.state.origin}/{page}/{id_}"}

    def _head(self, kind: str, id_: str, summary: str) -> Json:
        return {**self.reference(kind, id_, summary), "type": kind}

    def user_reference(self, id_: str) -> Json:
        person = self.state.people.get(id_)
        return self.reference("user", id_, person.name if person else None)

    def team_reference(self, id_: str) -> Json:
        return self.reference("team", id_, self.state.teams[id_].name)

    def service_reference(self, id_: str) -> Json:
        return self.reference("service", id_, self.state.services[id_].name)

    def policy_reference(self, id_: str) -> Json:
        return self.reference("escalation_policy", id_, self.state.policies[id_].name)

    def schedule_reference(self, id_: str) -> Json:
        return self.reference("schedule", id_, self.state.schedules[id_].name)

    def agent_reference(self, agent: Agent) -> Json:
        return self.user_reference(agent.id) if agent.kind == "user" else self.service_reference(agent.id)

    def priority_reference(self, id_: str) -> Json:
        return {
            "id": id_,
            "type": "priority_reference",
            "summary": self.state.priorities[id_].name,
            "self": f"{API}/priorities/{id_}",
            "html_url": f"{self.state.origin}/account/incident_priorities",
        }

    def priority(self, priority: Priority) -> Json:
        order = 2 ** (10 - list(self.state.priorities).index(priority.id))
        return {
            **self.priority_reference(priority.id),
            "type": "priority",
            "html_url": None,
            "account_id": "PACME00",
            "name": priority.name,
            "description": priority.description,
            "color": priority.color,
            "order": order,
            "schema_version": 0,
            "created_at": stamp(SINCE_EVER),
            "updated_at": stamp(SINCE_EVER),
        }

    def user(self, person: Person, include: Iterable[str] = ()) -> Json:
        id_ = person.pagerduty_id or ""
        methods = [
            {
                "id": f"{id_}M1",
                "type": "email_contact_method",
                "summary": "Work",
                "self": f"{API}/users/{id_}/contact_methods/{id_}M1",
                "html_url": None,
                "label": "Work",
                "address": person.email,
                "send_short_email": False,
                "send_html_email": True,
            }
        ]
        if "contact_methods" not in include:
            methods = [self._bare(method) for method in methods]
        teams = self.state.teams_of_person(id_)
        with_teams = "teams" in include
        return {
            **self._head("user", id_, person.name),
            "name": person.name,
            "email": person.email,
            "time_zone": person.tz,
            "color": "purple",
            "avatar_url": f"{self.state.origin}/avatars/{id_}",
            "billed": True,
            "role": person.role,
            "description": None,
            "invitation_sent": False,
            "job_title": person.title,
            "created_via_sso": False,
            "teams": [
                self.team(self.state.teams[t]) if with_teams else self.team_reference(t) for t in teams
            ],
            "contact_methods": methods,
            "notification_rules": [],
            "coordinated_incidents": [],
        }

    @staticmethod
    def _bare(body: Json) -> Json:
        keep = {
            "id": body["id"],
            "summary": body["summary"],
            "self": body["self"],
            "html_url": body["html_url"],
        }
        return {**keep, "type": f"{body['type']}_reference"}

    def team(self, team: Team) -> Json:
        return {
            **self._head("team", team.id, team.name),
            "name": team.name,
            "description": None,
            "default_role": "manager",
            "parent": None,
        }

    def service(self, service: Service, include: Iterable[str] = ()) -> Json:
        policy = self.state.policies[service.policy]
        integration = {
            "id": f"{service.id}I",
            "type": "events_api_v2_inbound_integration",
            "summary": "Events API v2",
            "self": f"{API}/services/{service.id}/integrations/{service.id}I",
            "html_url": f"{self.state.origin}/services/{service.id}/integrations/{service.id}I",
        }
        with_key = {**integration, "name": "Events API v2", "integration_key": service.routing_key}
        return {
            **self._head("service", service.id, service.name),
            "name": service.name,
            "description": service.description,
            "created_at": stamp(SINCE_EVER),
            "updated_at": stamp(SINCE_EVER),
            "status": self.state.status_of_service(service.id),
            "auto_resolve_timeout": _seconds(service.auto_resolve_minutes),
            "acknowledgement_timeout": _seconds(service.ack_timeout_minutes),
            "last_incident_timestamp": stamp_or_none(self.state.last_incident_at.get(service.id)),
            "escalation_policy": self.policy(policy)
            if "escalation_policies" in include
            else self.policy_reference(policy.id),
            "teams": [
                self.team(self.state.teams[t]) if "teams" in include else self.team_reference(t)
                for t in service.teams
            ],
            "integrations": [with_key if "integrations" in include else self._bare(integration)],
            "incident_urgency_rule": {"type": "constant", "urgency": service.urgency},
            "support_hours": None,
            "scheduled_actions": [],
            "addons": [],
            "alert_creation": "create_alerts_and_incidents",
            "alert_grouping_parameters": None,
            "response_play": None,
        }

    def policy(self, policy: Policy, include: Iterable[str] = ()) -> Json:
        services = [s for s in self.state.services.values() if s.policy == policy.id]
        return {
            **self._head("escalation_policy", policy.id, policy.name),
            "name": policy.name,
            "description": None,
            "num_loops": policy.loops,
            "on_call_handoff_notifications": "if_has_services",
            "escalation_rules": [
                {
                    "id": rule.id,
                    "escalation_delay_in_minutes": rule.delay_minutes,
                    "targets": [self._target(t.kind, t.id, full="targets" in include) for t in rule.targets],
                    "escalation_rule_assignment_strategy": "assign_to_everyone",
                }
                for rule in policy.rules
            ],
            "services": [
                self.service(s) if "services" in include else self.service_reference(s.id) for s in services
            ],
            "teams": [
                self.team(self.state.teams[t]) if "teams" in include else self.team_reference(t)
                for t in policy.teams
            ],
        }

    def _target(self, kind: str, id_: str, *, full: bool) -> Json:
        if kind == "user":
            return self.user(self.state.people[id_]) if full else self.user_reference(id_)
        return self.schedule(self.state.schedules[id_]) if full else self.schedule_reference(id_)

    def schedule(self, schedule: Schedule) -> Json:
        policies = [
            p.id
            for p in self.state.policies.values()
            if any(t.id == schedule.id for rule in p.rules for t in rule.targets)
        ]
        return {
            **self._head("schedule", schedule.id, schedule.name),
            "name": schedule.name,
            "description": None,
            "time_zone": schedule.tz,
            "escalation_policies": [self.policy_reference(p) for p in policies],
            "users": [self.user_reference(u) for u in schedule.people],
            "teams": [self.team_reference(t) for t in schedule.teams],
        }


def _seconds(minutes: int | None) -> int | None:
    return None if minutes is None else minutes * 60
