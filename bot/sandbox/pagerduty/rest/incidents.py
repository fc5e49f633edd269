"""Reading incidents: list, one by id or number, notes, alerts, log entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.pagerduty.failures import invalid_input, not_found
from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.incident_body import IncidentWriter
from bot.sandbox.pagerduty.query import Query, page
from bot.sandbox.pagerduty.rest.routes import Answer, Call, Route, ok
from bot.sandbox.pagerduty.state import Incident, LogEntry, State

DEFAULT_RANGE = timedelta(days=30)
WIDEST_RANGE = timedelta(days=184)  # six months
STATUSES = {"triggered", "acknowledged", "resolved"}
FAR_FUTURE = datetime.max.replace(tzinfo=UTC)

SORT_KEYS: dict[str, Callable[[Incident], Any]] = {
    "incident_number": lambda i: i.number,
    "created_at": lambda i: (i.created_at, i.number),
    "resolved_at": lambda i: i.resolved_at or FAR_FUTURE,
    "urgency": lambda i: i.urgency == "high",
}


def incident_of(call: Call, state: State) -> Incident:
    """The incident a path names, by id or number; raises 404."""
    incident = state.find(call.path["id"])
    if incident is None:
        raise not_found()
    return incident


class IncidentReads:
    def __init__(self, state: State, writer: IncidentWriter, clock: Clock) -> None:
        self._state = state
        self._write = writer
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/incidents", self.list, "incidents"),
            Route("GET", "/incidents/{id}", self.get, "incidents"),
            Route("GET", "/incidents/{id}/notes", self.notes, "incidents"),
            Route("GET", "/incidents/{id}/alerts", self.alerts, "incidents"),
            Route("GET", "/incidents/{id}/alerts/{alert}", self.alert, "incidents"),
            Route("GET", "/incidents/{id}/log_entries", self.log_of_incident, "incidents"),
            Route("GET", "/log_entries", self.log, "incidents"),
            Route("GET", "/log_entries/{id}", self.log_entry, "incidents"),
        ]

    def list(self, call: Call) -> Answer:
        query = call.query
        found = [i for i in self._candidates(query) if self._matches(i, query)]
        for name, descending in reversed(_sorting(query)):
            found.sort(key=SORT_KEYS[name], reverse=descending)
        include = query.include()
        return ok(page("incidents", found, query, lambda i: self._write.incident(i, include)))

    def _candidates(self, query: Query) -> Iterable[Incident]:
        """The incidents in the asked statuses and time range; open ones come from their index."""
        statuses = set(query.all("statuses"))
        if not statuses <= STATUSES:
            raise invalid_input("Statuses must be among: triggered, acknowledged, resolved")
        wanted = statuses or STATUSES
        among = self._state.incidents if "resolved" in wanted else self._state.open
        found = (i for i in among.values() if i.status in wanted)
        if query.get("date_range") == "all":
            return found
        since, until = self._range(query)
        return (i for i in found if since <= i.created_at <= until)

    def _range(self, query: Query) -> tuple[datetime, datetime]:
        until = query.time("until") or self._clock()
        since = query.time("since") or until - DEFAULT_RANGE
        if until < since:
            raise invalid_input("Until must be after since")
        if until - since > WIDEST_RANGE:
            raise invalid_input("The time range must not be longer than 6 months")
        return since, until

    def _matches(self, incident: Incident, query: Query) -> bool:
        key = query.get("incident_key")
        if key is not None and key != incident.incident_key and all(a.key != key for a in incident.alerts):
            return False
        return all(
            not asked or asked & set(having)
            for asked, having in (
                (set(query.all("service_ids")), (incident.service,)),
                (set(query.all("urgencies")), (incident.urgency,)),
                (set(query.all("priority_ids")), (incident.priority or "",)),
                (set(query.all("team_ids")), self._state.teams_of(incident)),
                (set(query.all("user_ids")), [a.user for a in incident.assignments]),
            )
        )

    def get(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        return ok({"incident": self._write.incident(incident, call.query.include())})

    def notes(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        return ok({"notes": [self._write.note(note) for note in incident.notes]})

    def alerts(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        statuses, key = set(call.query.all("statuses")), call.query.get("alert_key")
        found = [
            a
            for a in incident.alerts
            if (not statuses or a.status in statuses) and (key is None or a.key == key)
        ]
        return ok(page("alerts", found, call.query, lambda a: self._write.alert(incident, a)))

    def alert(self, call: Call) -> Answer:
        incident = incident_of(call, self._state)
        found = next((a for a in incident.alerts if a.id == call.path["alert"]), None)
        if found is None:
            raise not_found()
        return ok({"alert": self._write.alert(incident, found)})

    def log_of_incident(self, call: Call) -> Answer:
        return self._log_page(incident_of(call, self._state).log, call.query)

    def log(self, call: Call) -> Answer:
        teams = set(call.query.all("team_ids"))
        entries = self._state.log
        if teams:
            incidents = self._state.incidents
            entries = [e for e in entries if teams & set(self._state.teams_of(incidents[e.incident]))]
        return self._log_page(entries, call.query)

    def _log_page(self, entries: Iterable[LogEntry], query: Query) -> Answer:
        since, until = query.time("since"), query.time("until")
        found = [e for e in entries if (not since or e.at >= since) and (not until or e.at <= until)]
        found.reverse()  # newest first, as PagerDuty lists them
        if query.flag("is_overview"):
            found = [e for e in found if e.type not in ("assign", "notify")]
        include = query.include()
        return ok(page("log_entries", found, query, lambda e: self._write.log_entry(e, include)))

    def log_entry(self, call: Call) -> Answer:
        found = next((e for e in self._state.log if e.id == call.path["id"]), None)
        if found is None:
            raise not_found()
        return ok({"log_entry": self._write.log_entry(found, call.query.include())})


def _sorting(query: Query) -> list[tuple[str, bool]]:
    """`sort_by=created_at:desc,urgency` as names and directions; at most two, as PagerDuty allows."""
    asked = [part for part in (query.get("sort_by") or "incident_number").split(",") if part]
    sorting = []
    for part in asked:
        name, _, direction = part.partition(":")
        if name not in SORT_KEYS or direction not in ("", "asc", "desc"):
            raise invalid_input("Sort by must be among: incident_number, created_at, resolved_at, urgency")
        sorting.append((name, direction == "desc"))
    if len(sorting) > 2:
        raise invalid_input("At most two fields may be sorted by")
    return sorting
