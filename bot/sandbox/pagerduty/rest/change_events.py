"""Change events related to an incident: those of its service in the day before it, the newest first.

What PagerDuty itself relates, and why, is its secret; the sandbox keeps to the two reasons that can be told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.pagerduty.query import page
from bot.sandbox.pagerduty.references import Writer
from bot.sandbox.pagerduty.rest.incidents import incident_of
from bot.sandbox.pagerduty.rest.routes import Answer, Call, Route, ok
from bot.sandbox.pagerduty.state import Json, State

LOOK_BACK = timedelta(hours=24)


class ChangeEvents:
    def __init__(self, state: State, writer: Writer) -> None:
        self._state = state
        self._write = writer

    def routes(self) -> list[Route]:
        return [Route("GET", "/incidents/{id}/related_change_events", self.related, "incidents")]

    def related(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        earliest = incident.created_at - LOOK_BACK
        found = [
            (number, one)
            for number, one in enumerate(self._state.change_events, 1)
            if one["service"] == incident.service
            and earliest <= datetime.fromisoformat(one["received_at"]) <= incident.created_at
        ]
        found.reverse()
        newest = found[0][0] if found else 0
        return ok(page("change_events", found, call.query, lambda one: self._body(*one, newest=newest)))

    def _body(self, number: int, change: Json, *, newest: int) -> Json:
        body: dict[str, Any] = {
            "id": f"01SANDBOX{number:017}",
            "type": "change_event",
            "self": None,
            "html_url": None,
            "summary": change["summary"],
            "source": change.get("source"),
            "timestamp": change.get("timestamp") or change["received_at"],
            "services": [self._write.service_reference(change["service"])],
            "integration": {
                "id": f"{change['service']}I",
                "type": "inbound_integration_reference",
                "summary": "Events API v2",
                "self": None,
                "html_url": None,
            },
            "links": change["links"],
            "custom_details": change.get("custom_details"),
            "correlation_reason": {"reason": "most_recent" if number == newest else "related_service"},
        }
        return body
