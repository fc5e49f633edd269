"""The Events API: alerts (v2), change events (v2) and the old v1 form. No credentials but the routing key
in the body.

An accepted event is answered at once and carried out right after, so a 202 does not yet mean that an
incident exists.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from bot.sandbox.pagerduty.failures import ApiError
from bot.sandbox.pagerduty.ids import stamp
from bot.sandbox.pagerduty.lifecycle import Lifecycle, NewIncident
from bot.sandbox.pagerduty.state import Agent, Alert, Incident, Json, State
from bot.sandbox.world import Service

SEVERITIES = ("critical", "error", "warning", "info")
ACTIONS = ("trigger", "acknowledge", "resolve")
KEY_LENGTH = 32
LONGEST_KEY = 255
LONGEST_SUMMARY = 1024
LARGEST_BODY = 512 * 1024  # bytes

Result = tuple[int, Json]


class EventsApi:
    def __init__(self, lifecycle: Lifecycle) -> None:
        self._life = lifecycle
        self._state: State = lifecycle.state
        self._by_key = {s.routing_key: s for s in self._state.services.values()}

    # ── v2 ──

    def enqueue(self, event: Any) -> Result:
        errors = _errors_of_alert(event)
        if errors:
            return _invalid(errors)
        key = event.get("dedup_key") or secrets.token_hex(16)
        service = self._by_key.get(event["routing_key"])
        if service is not None:
            asyncio.get_running_loop().call_soon(self._carry_out, service, event, key)
        return 202, {"status": "success", "message": "Event processed", "dedup_key": key}

    def enqueue_change(self, event: Any) -> Result:
        errors = _errors_of_key(event) or _errors_of_payload(event, needed=("summary",))
        if errors:
            return _invalid(errors)
        service = self._by_key.get(event["routing_key"])
        if service is not None:
            change = {**event["payload"], "links": event.get("links", []), "service": service.id}
            self._state.change_events.append({**change, "received_at": stamp(self._life.clock())})
        return 202, {"status": "success", "message": "Change event processed"}

    # ── v1 ──

    def create_event(self, event: Any) -> Result:
        """The legacy form: 200, `service_key`, `event_type`, `description`."""
        body = event if isinstance(event, dict) else {}
        needed = ["service_key", "event_type"]
        if body.get("event_type") == "trigger":
            needed.append("description")
        errors = [
            f"{name.replace('_', ' ').capitalize()} is missing or blank"
            for name in needed
            if not body.get(name)
        ]
        if not errors and body["event_type"] not in ACTIONS:
            errors = ["Event type is invalid"]
        if errors:
            return _invalid(errors)
        key = body.get("incident_key") or secrets.token_hex(16)
        payload = {
            "summary": body.get("description"),
            "source": body.get("client") or "Events API v1",
            "severity": "critical",
            "custom_details": body.get("details"),
        }
        service = self._by_key.get(body["service_key"])
        if service is not None:
            modern = {**body, "event_action": body["event_type"], "payload": payload}
            asyncio.get_running_loop().call_soon(self._carry_out, service, modern, key)
        return 200, {"status": "success", "message": "Event processed", "incident_key": key}

    # ── what an event does ──

    def _carry_out(self, service: Service, event: Json, key: str) -> None:
        incident = self._find(service, key)
        agent = Agent("service", service.id)
        match event["event_action"]:
            case "trigger":
                self._trigger(service, event, key, incident)
            case "acknowledge" if incident and incident.status == "triggered":
                self._life.acknowledge(incident, agent)
            case "resolve" if incident:
                self._resolve_alert(incident, key, agent)

    def _find(self, service: Service, key: str) -> Incident | None:
        """The open incident that has the key, or an alert with it (merged incidents bring theirs along)."""
        found = self._state.open_keys.get((service.id, key))
        if found is not None:
            return found
        return next(
            (
                i
                for i in self._state.open.values()
                if i.service == service.id and any(a.key == key and a.status == "triggered" for a in i.alerts)
            ),
            None,
        )

    def _trigger(self, service: Service, event: Json, key: str, incident: Incident | None) -> None:
        payload = event["payload"]
        agent = Agent("service", service.id)
        channel = {
            "type": "api",
            "summary": payload["summary"],
            "details": payload.get("custom_details"),
            "cef_details": {"dedup_key": key, **payload},
        }
        if incident is not None:
            self._life.log(incident, "trigger", agent, channel)
            return
        if self._state.service_status.get(service.id) in ("disabled", "maintenance"):
            return
        alert = Alert(
            self._state.new_alert_id(),
            key,
            payload["summary"],
            payload["severity"],
            self._life.clock(),
            {"custom_details": payload.get("custom_details")} if payload.get("custom_details") else {},
            _contexts(event),
        )
        client = {"name": event["client"], "url": event.get("client_url")} if event.get("client") else None
        new = NewIncident(
            service.id, payload["summary"], incident_key=key, alert=alert, client=client, channel=channel
        )
        try:
            self._life.create(new, agent)
        except ApiError:
            return  # nobody on call: an event has no one to tell

    def _resolve_alert(self, incident: Incident, key: str, agent: Agent) -> None:
        """The last open alert takes its incident with it."""
        for alert in incident.alerts:
            if alert.key == key and alert.status == "triggered":
                alert.status, alert.resolved_at = "resolved", self._life.clock()
        if all(alert.status == "resolved" for alert in incident.alerts):
            self._life.resolve(incident, agent)


def _invalid(errors: list[str]) -> Result:
    return 400, {"status": "invalid event", "message": "Event object is invalid", "errors": errors}


def _errors_of_key(event: Any) -> list[str]:
    if not isinstance(event, dict):
        return ["Event must be a JSON object"]
    key = event.get("routing_key")
    if not key:
        return ["'routing_key' is missing or blank"]
    if not isinstance(key, str) or len(key) != KEY_LENGTH:
        return [f"Length of 'routing_key' is incorrect (should be {KEY_LENGTH} characters)"]
    return []


def _errors_of_alert(event: Any) -> list[str]:
    errors = _errors_of_key(event)
    if not isinstance(event, dict):
        return errors
    action = event.get("event_action")
    dedup = event.get("dedup_key")
    if action not in ACTIONS:
        errors.append(f"'event_action' must be one of: {', '.join(ACTIONS)}")
    if action in ("acknowledge", "resolve") and not dedup:
        errors.append("'dedup_key' is missing or blank")
    if dedup is not None and (not isinstance(dedup, str) or len(dedup) > LONGEST_KEY):
        errors.append(f"'dedup_key' must be a string of at most {LONGEST_KEY} characters")
    if action == "trigger":
        errors += _errors_of_payload(event, needed=("summary", "source", "severity"))
    return errors


def _errors_of_payload(event: Json, *, needed: tuple[str, ...]) -> list[str]:
    payload = event.get("payload")
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    errors = [f"'payload.{name}' is missing or blank" for name in needed if not payload.get(name)]
    if len(str(payload.get("summary", ""))) > LONGEST_SUMMARY:
        errors.append(f"'payload.summary' is too long (maximum is {LONGEST_SUMMARY} characters)")
    severity = payload.get("severity")
    if "severity" in needed and severity and severity not in SEVERITIES:
        errors.append(f"'payload.severity' must be one of: {', '.join(SEVERITIES)}")
    return errors


def _contexts(event: Json) -> list[Json]:
    links = [{"type": "link", **link} for link in event.get("links") or [] if isinstance(link, dict)]
    images = [{"type": "image", **image} for image in event.get("images") or [] if isinstance(image, dict)]
    return links + images
