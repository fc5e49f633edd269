"""`/control`: what the world outside the bot does. The same verbs are methods, so tests need no HTTP for
them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.sandbox.pagerduty.announcements import Announcer
from bot.sandbox.pagerduty.conversation import Conversation
from bot.sandbox.pagerduty.deliveries import Deliveries
from bot.sandbox.pagerduty.edits import Editor, read_edit
from bot.sandbox.pagerduty.failures import bad_request, invalid_input
from bot.sandbox.pagerduty.fields import priority_of
from bot.sandbox.pagerduty.lifecycle import Lifecycle, NewIncident, Urgency
from bot.sandbox.pagerduty.state import Agent, Alert, Incident, Json, State

TROUBLES = (
    "Disk almost full on {host}",
    "Error rate above 5 % on {host}",
    "Latency above 2 s at {host}",
    "{host} does not answer",
    "Queue of {host} keeps growing",
    "Certificate of {host} expires tomorrow",
)


# What some verbs put into a PUT; escalate and priority also need the incident and the account.
PUTS: dict[str, Callable[[Json], Json]] = {
    "acknowledge": lambda _o: {"status": "acknowledged"},
    "unacknowledge": lambda _o: {"status": "triggered"},
    "resolve": lambda o: (
        {"status": "resolved"} | ({"resolution": o["resolution"]} if "resolution" in o else {})
    ),
    "reopen": lambda o: {"status": o.get("status", "triggered")},
    "reassign": lambda o: (
        {"escalation_policy": {"id": o["policy"], "type": "escalation_policy_reference"}}
        if "policy" in o
        else {"assignments": [{"assignee": {"id": user, "type": "user_reference"}} for user in o["users"]]}
    ),
    "priority": lambda o: {"priority": o.get("value")},
    "urgency": lambda o: {"urgency": o["value"]},
    "title": lambda o: {"title": o["text"]},
    "bridge": lambda o: {
        "conference_bridge": {"conference_number": o.get("number"), "conference_url": o.get("url")}
    },
    "service": lambda o: {"service": {"id": o["id"], "type": "service_reference"}},
    "incident_type": lambda o: {"incident_type": {"name": o["name"]}},
}


class Control:
    """`by` and `assignee` are PagerDuty user ids; `incident` is an id or a number."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        conversation: Conversation,
        announcer: Announcer,
        deliveries: Deliveries,
    ) -> None:
        self._life = lifecycle
        self._state: State = lifecycle.state
        self._talk = conversation
        self._announcer = announcer
        self._deliveries = deliveries
        self._edit = Editor(lifecycle)
        self._random = random.Random(11)

    def trigger(
        self,
        service: str,
        title: str,
        *,
        urgency: Urgency | None = None,
        priority: str | None = None,
        details: Any = None,
        assignee: str | None = None,
        incident_key: str | None = None,
        by: str | None = None,
        client: str | None = None,
    ) -> Incident:
        """A monitor raises an alert, or with `by`, a person makes an incident by hand.

        `service` is an id or a name; `priority` an id or a name. Raises ApiError as REST would.
        """
        found = self._service(service)
        agent = Agent("user", by) if by else Agent("service", found)
        now = self._life.clock()
        alert = None
        if by is None:
            body = {"custom_details": details} if details else {}
            key = incident_key or self._state.new_alert_id()
            alert = Alert(self._state.new_alert_id(), key, title, "critical", now, body)
        known = priority in self._state.priorities
        new = NewIncident(
            found,
            title,
            urgency=urgency,
            priority=priority if known or priority is None else priority_of(priority, self._state),
            details=details if by and isinstance(details, str) else None,
            incident_key=incident_key or (alert.key if alert else None),
            assignees=(assignee,) if assignee else (),
            alert=alert,
            client={"name": client} if client else None,
            channel={"type": "web_trigger" if by else "api", "summary": title, "details": details},
        )
        if new.incident_key and (found, new.incident_key) in self._state.open_keys:
            raise bad_request(2002, "Open incident with matching dedup key already exists on this service")
        return self._life.create(new, agent)

    def _service(self, id_or_name: str) -> str:
        if id_or_name in self._state.services:
            return id_or_name
        for service in self._state.services.values():
            if service.name.casefold() == id_or_name.casefold():
                return service.id
        raise invalid_input(f"There is no service {id_or_name}")

    def find(self, incident: str | int) -> Incident:
        found = self._state.find(str(incident))
        if found is None:
            raise invalid_input(f"There is no incident {incident}")
        return found

    def act(self, incident: str | int, verb: str, by: str, **options: Any) -> Incident:
        """A person acts in PagerDuty itself.

        acknowledge · unacknowledge · resolve (resolution) · escalate (level) · reassign (users or policy) ·
        reopen (status) · snooze (seconds) · note (text) · merge (into) · priority (value or null) · urgency
        (value) · title (text) · bridge (number, url) · service (id) · incident_type (name) · status_update
        (text) · responders (users, text) · join, decline. Raises ApiError when PagerDuty would refuse.
        """
        found = self.find(incident)
        agent = Agent("user", by)
        special: dict[str, Callable[[], object]] = {
            "note": lambda: self._talk.note(found, str(options["text"]), agent),
            "status_update": lambda: self._talk.publish(found, str(options["text"]), agent),
            "responders": lambda: self._talk.request_responders(
                found,
                by,
                str(options.get("text", "Please help")),
                [self._announcer.write.user(u) for u in options["users"]],
                list(options["users"]),
            ),
            "join": lambda: self._talk.answer_request(found, by, "joined"),
            "decline": lambda: self._talk.answer_request(found, by, "declined"),
            "merge": lambda: self._merge(found, self.find(options["into"]), agent),
            "snooze": lambda: self._snooze(found, agent, float(options["seconds"])),
        }
        if verb in special:
            special[verb]()
            return found
        edit = read_edit(
            {"type": "incident_reference", **self._fields(found, verb, options)},
            self._state,
            with_service=True,
        )
        self._edit.check(found, edit)
        self._edit.apply(found, edit, agent)
        return found

    def _merge(self, source: Incident, target: Incident, agent: Agent) -> None:
        if source is target or not (source.is_open and target.is_open):
            raise bad_request(1001)
        self._life.merge(target, [source], agent)

    def _snooze(self, incident: Incident, agent: Agent, seconds: float) -> None:
        if incident.status == "triggered":
            self._life.acknowledge(incident, agent)
        if incident.status != "acknowledged":
            raise bad_request(1001)
        self._life.snooze(incident, timedelta(seconds=seconds), agent)

    def _fields(self, incident: Incident, verb: str, options: Json) -> Json:
        """The fields of the PUT that the verb stands for."""
        match verb:
            case "escalate":
                return {"escalation_level": options.get("level", incident.level + 1)}
            case "priority" if options.get("value") in self._state.priorities:
                return {"priority": {"id": options["value"], "type": "priority_reference"}}
            case _ if verb in PUTS:
                return PUTS[verb](options)
            case _:
                raise invalid_input(f"There is no verb {verb}")

    def storm(self, count: int, services: list[str] | None = None) -> list[Incident]:
        """Many alerts at once, spread over the services."""
        among = services or list(self._state.services)
        made = []
        for number in range(count):
            service = among[number % len(among)]
            title = self._random.choice(TROUBLES).format(host=f"node-{number + 1:04}")
            made.append(self.trigger(service, title))
        return made

    def send(
        self, event_type: str, data: Json, *, agent: Json | None = None, incident: str | None = None
    ) -> None:
        """Send any event as it is, without a change of state."""
        about = self._state.find(incident) if incident else None
        self._announcer.announce_raw(event_type, agent, data, about)

    def rotate(
        self, schedule: str, people: list[str] | None = None, hand_over_in: float | None = None
    ) -> None:
        """Change a rotation (no people: nobody is on call), or end the present turn in so many seconds."""
        if schedule not in self._state.schedules:
            raise invalid_input(f"There is no schedule {schedule}")
        gap = None if hand_over_in is None else timedelta(seconds=hand_over_in)
        self._life.rota.rearrange(schedule, None if people is None else tuple(people), gap)

    def set_service_status(self, service: str, status: str) -> None:
        """`disabled`, `maintenance`, or `active` for what its incidents say."""
        found = self._service(service)
        if status == "active":
            self._state.service_status.pop(found, None)
        else:
            self._state.service_status[found] = status
        data = self._announcer.write.service(self._state.services[found])
        self._announcer.announce_raw("service.updated", None, data, None)
