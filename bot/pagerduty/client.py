"""PagerDuty's endpoints as calls that take and give our values, made as one identity.

bot/accounts binds a client to a person; the account's own client is for reads. Raises PagerDutyFailure and
nothing else (bot/pagerduty/refusals.py says which kind). A write that may have happened is looked at before
it is repeated; when it cannot be looked at, the failure says `maybe_done`. How many calls each takes stands
in its docstring: PagerDuty limits them, and a test counts them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from bot.errors import (
    NotLinked,
    PagerDutyFailure,
    PagerDutyNotFound,
    PagerDutyRefused,
    PagerDutyUnavailable,
)
from bot.model import (
    LogEntry,
    Note,
    OnCall,
    Person,
    Policy,
    Priority,
    Reading,
    Reference,
    Service,
    Status,
    Urgency,
)
from bot.pagerduty import payloads
from bot.pagerduty.credentials import Credentials
from bot.pagerduty.fields import mapping, objects
from bot.pagerduty.http import PagerDutyHttp
from bot.pagerduty.journal import Journal
from bot.pagerduty.refusals import ARGUMENTS_CAUSED_ERROR
from bot.pagerduty.wire import Params

T = TypeVar("T")
INCLUDES = (
    "acknowledgers",
    "assignees",
    "conference_bridge",
    "first_trigger_log_entries",
    "priorities",
    "services",
)
SAME_NOTE = timedelta(minutes=1)  # how far PagerDuty's clock may be from ours when a note is looked for
OPEN = (Status.TRIGGERED, Status.ACKNOWLEDGED)
DUPLICATE_KEY = "matching dedup key"


@contextmanager
def _or_else(problem: PagerDutyUnavailable, kind: type[PagerDutyFailure]) -> Iterator[None]:
    """Around what is tried after a write without an answer: when that fails too, or the person's link turns
    out to be over, the write stays unknown.
    """
    try:
        yield
    except (kind, NotLinked):
        raise problem from None


def no_ranks() -> Mapping[str, int]:
    """Before the account's priorities were read."""
    return {}


@dataclass(frozen=True, slots=True)
class Created:
    """An incident we asked for; `existed` when one with its key was open already."""

    reading: Reading
    existed: bool


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """One identity's view. `sender` is the login e-mail that stands in `From` where an account key acts for a
    person.
    """

    http: PagerDutyHttp
    credentials: Credentials
    sender: str | None = None
    ranks: Callable[[], Mapping[str, int]] = field(default=no_ranks)
    journal: Journal | None = None  # keeps how this act's writes were answered

    def acting_as(self, sender: str) -> PagerDuty:
        """The same credentials, acting for the PagerDuty user with this login e-mail."""
        return PagerDuty(self.http, self.credentials, sender, self.ranks)

    def noting_in(self, journal: Journal) -> PagerDuty:
        """The same, with every write's answer kept in the journal."""
        return replace(self, journal=journal)

    # --------------------------------------------------------------------------------------------- reading

    async def incident(self, ref: str) -> Reading:
        """By id or number: one call. Raises PagerDutyNotFound."""
        data = await self._get(f"/incidents/{quote(ref, safe='')}", {"include": INCLUDES})
        return self._reading(data.get("incident"))

    async def incidents(
        self,
        *,
        statuses: Sequence[Status] = OPEN,
        service_ids: Sequence[str] = (),
        team_ids: Sequence[str] = (),
        user_ids: Sequence[str] = (),
        urgencies: Sequence[Urgency] = (),
    ) -> list[Reading]:
        """All that fit, newest first, however old: one call per 100."""
        params: Params = {
            "date_range": "all",
            "sort_by": "created_at:desc",
            "include": INCLUDES,
            "statuses": statuses,
            "service_ids": service_ids,
            "team_ids": team_ids,
            "user_ids": user_ids,
            "urgencies": urgencies,
        }
        return await self._all("/incidents", "incidents", self._read, params)

    async def incident_with_key(self, service_id: str, key: str) -> Reading | None:
        """The open incident of a service that has this incident key; None when there is none. One call."""
        params: Params = {
            "incident_key": key,
            "service_ids": [service_id],
            "statuses": OPEN,
            "date_range": "all",
        }
        data = await self._get("/incidents", params)
        return next((self._reading(one) for one in objects(data.get("incidents"))), None)

    async def notes(self, incident_id: str) -> list[Note]:
        """Oldest first. One call."""
        data = await self._get(f"/incidents/{incident_id}/notes")
        found = [note for one in objects(data.get("notes")) if (note := payloads.note(one))]
        return sorted(found, key=lambda one: one.at)

    async def log_entries(self, ref: str) -> list[LogEntry]:
        """The history that matters, oldest first. One call per 100."""
        path = f"/incidents/{quote(ref, safe='')}/log_entries"
        found = await self._all(path, "log_entries", payloads.log_entry, {"is_overview": True})
        found.reverse()  # they come newest first; equal seconds keep their order
        return sorted(found, key=lambda one: one.at)

    async def services(self) -> list[Service]:
        """All, by name. One call per 100."""
        return await self._all(
            "/services", "services", payloads.service, {"sort_by": "name", "include": ["teams"]}
        )

    async def policies(self) -> list[Policy]:
        """All escalation policies. One call per 100."""
        return await self._all(
            "/escalation_policies", "escalation_policies", payloads.policy, {"sort_by": "name"}
        )

    async def schedules(self) -> list[Reference]:
        """All schedules. One call per 100."""
        return await self._all("/schedules", "schedules", payloads.named)

    async def teams(self) -> list[Reference]:
        """All teams; none where the plan has no teams. One call per 100."""
        return await self._if_in_plan(self._all("/teams", "teams", payloads.named))

    async def users(self) -> list[Person]:
        """All users. One call per 100."""
        return await self._all("/users", "users", payloads.person)

    async def me(self) -> Person:
        """Whose token this is. PagerDutyUnauthorized also where the account lives in the other service
        region. One call.
        """
        found = payloads.person((await self._get("/users/me")).get("user"))
        if found is None:
            raise PagerDutyNotFound("PagerDuty's answer holds no user.")
        return found

    async def users_matching(self, query: str) -> list[Person]:
        """Users PagerDuty finds for a name or an e-mail. One call per 100."""
        return await self._all("/users", "users", payloads.person, {"query": query})

    async def priorities(self) -> list[Priority]:
        """Most severe first, ranked so; none where the plan has none. One call per 100."""
        found = await self._if_in_plan(self._all("/priorities", "priorities", payloads.named))
        return [Priority(one.id, one.name, rank) for rank, one in enumerate(found)]

    @staticmethod
    async def _if_in_plan(asked: Awaitable[list[T]]) -> list[T]:
        """402: this account's plan has none of it."""
        try:
            return await asked
        except PagerDutyFailure as failure:
            if failure.status == 402:
                return []
            raise

    async def on_calls(
        self,
        *,
        policies: Sequence[str] = (),
        schedules: Sequence[str] = (),
        users: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[OnCall]:
        """Shifts now, or between `since` and `until` (aware). One call per 100."""
        params: Params = {
            "escalation_policy_ids": policies,
            "schedule_ids": schedules,
            "user_ids": users,
            "since": since,
            "until": until,
        }
        return list(dict.fromkeys(await self._all("/oncalls", "oncalls", payloads.oncall, params)))

    async def abilities(self) -> list[str]:
        """What the account's plan can do; also the cheapest proof that the key works. One call."""
        found = (await self._get("/abilities")).get("abilities")
        return [str(one) for one in found] if isinstance(found, list) else []

    async def webhook_subscriptions(self) -> list[Mapping[str, Any]]:
        """All V3 webhook subscriptions, as PagerDuty shows them. One call per 100."""
        return await self._all("/webhook_subscriptions", "webhook_subscriptions", mapping)

    # --------------------------------------------------------------------------------------------- writing

    async def set_status(self, ids: Sequence[str], status: Status) -> list[Reading]:
        """Acknowledge or resolve up to 250 in one write: all or none.

        When no answer came they are read, and the write is repeated once for those that have not changed and
        are open: acknowledging a resolved incident would reopen it. So of those given back some may be
        resolved though acknowledging was asked for.
        """
        try:
            return await self._set_status(ids, status)
        except PagerDutyUnavailable as problem:
            if not problem.maybe_done:
                raise
            with _or_else(problem, PagerDutyFailure):
                found = await asyncio.gather(*(self.incident(one) for one in ids))
            left = [
                one.incident.id for one in found if one.incident.is_open and one.incident.status is not status
            ]
            if len(left) == len(ids):
                return await self._set_status(ids, status)
            with _or_else(problem, PagerDutyUnavailable):  # some of it was done
                again = await self._set_status(left, status) if left else []
            return [*(one for one in found if one.incident.id not in left), *again]

    async def _set_status(self, ids: Sequence[str], status: Status) -> list[Reading]:
        entries = [{"id": one, "type": "incident_reference", "status": str(status)} for one in ids]
        data = await self._write("PUT", "/incidents", {"incidents": entries})
        return [self._reading(one) for one in objects(data.get("incidents"))]

    async def escalate(self, incident_id: str, level: int) -> Reading:
        """To a 1-based level of its policy. Not repeated when the outcome is unknown: it would page again."""
        body = {"incident": {"type": "incident_reference", "escalation_level": level}}
        data = await self._write("PUT", f"/incidents/{incident_id}", body)
        return self._reading(data.get("incident"))

    async def add_note(self, incident_id: str, text: str) -> Note:
        """Write a note; when no answer came, it is looked for among the notes, then written once more."""
        since = self.http.clock() - SAME_NOTE
        try:
            return await self._add_note(incident_id, text)
        except PagerDutyUnavailable as problem:
            if not problem.maybe_done:
                raise
            with _or_else(problem, PagerDutyFailure):
                found = await self.notes(incident_id)
            # Somebody may have written the same words long ago.
            written = [one for one in found if one.content == text and one.at >= since]
            return written[-1] if written else await self._add_note(incident_id, text)

    async def _add_note(self, incident_id: str, text: str) -> Note:
        data = await self._write("POST", f"/incidents/{incident_id}/notes", {"note": {"content": text}})
        note = payloads.note(data.get("note"))
        if note is None:
            raise PagerDutyUnavailable("PagerDuty's answer holds no note", maybe_done=True)
        return note

    async def create_incident(
        self,
        *,
        service_id: str,
        title: str,
        incident_key: str,
        details: str | None = None,
        urgency: Urgency | None = None,
    ) -> Created:
        """Open one; the same key while it is open gives the same incident, so that an unknown outcome is safe
        to repeat.
        """
        incident: dict[str, Any] = {
            "type": "incident",
            "title": title,
            "incident_key": incident_key,
            "service": {"id": service_id, "type": "service_reference"},
        }
        if details:
            incident["body"] = {"type": "incident_body", "details": details}
        if urgency:
            incident["urgency"] = str(urgency)
        asked_before = False
        for _ in range(2):
            try:
                data = await self._write("POST", "/incidents", {"incident": incident})
                return Created(self._reading(data.get("incident")), existed=False)
            except PagerDutyRefused as refused:
                open_one = await self._duplicate(refused, service_id, incident_key)
                return Created(open_one, existed=not asked_before)
            except PagerDutyUnavailable as problem:
                if not problem.maybe_done:
                    raise
                with _or_else(problem, PagerDutyFailure):
                    open_one_now = await self.incident_with_key(service_id, incident_key)
                if open_one_now:
                    return Created(open_one_now, existed=False)
                asked_before = True
        raise PagerDutyUnavailable("PagerDuty did not answer.", maybe_done=True)

    async def _duplicate(self, refused: PagerDutyRefused, service_id: str, key: str) -> Reading:
        told = any(DUPLICATE_KEY in reason for reason in refused.reasons)
        if not told and refused.code != ARGUMENTS_CAUSED_ERROR:
            raise refused
        found = await self.incident_with_key(service_id, key)
        if found is None:
            raise refused
        return found

    # ------------------------------------------------------------------------------------------- the wire

    async def _get(self, path: str, params: Params | None = None) -> Mapping[str, Any]:
        answer = await self.http.request("GET", path, self.credentials, params=params)
        return answer.data if isinstance(answer.data, dict) else {}

    async def _write(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Never repeated here once it may have happened: each caller looks first, in its own way."""
        answer = await self.http.request(
            method,
            path,
            self.credentials,
            body=body,
            sender=self.sender,
            retry_safe=False,
            journal=self.journal,
        )
        return answer.data if isinstance(answer.data, dict) else {}

    async def _all(
        self, path: str, key: str, read: Callable[[Any], T | None], params: Params | None = None
    ) -> list[T]:
        """Every entry of a list; those that cannot be read are left out."""
        found = []
        async for page in self.http.pages(path, self.credentials, key, params=params):
            found += [one for item in page.items if (one := read(item)) is not None]
        return found

    def _read(self, data: Any) -> Reading | None:
        return payloads.reading(data, self.ranks())

    def _reading(self, data: Any) -> Reading:
        found = self._read(data)
        if found is None:
            raise PagerDutyNotFound("PagerDuty's answer holds no incident.")
        return found
