"""What is read from PagerDuty, as values of ours, by one identity; client.py adds what is written.

Raises PagerDutyFailure and nothing else (bot/pagerduty/refusals.py says which kind). How many calls each
takes stands in its docstring: PagerDuty limits them, and a test counts them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import SecretStr

from bot.errors import PagerDutyFailure, PagerDutyNotFound
from bot.model import (
    LogEntry,
    Note,
    OnCall,
    Person,
    Policy,
    Priority,
    Reading,
    Reference,
    RelatedChange,
    Service,
    Status,
    Urgency,
)
from bot.pagerduty import payloads
from bot.pagerduty.credentials import Credentials
from bot.pagerduty.fields import objects
from bot.pagerduty.http import PagerDutyHttp
from bot.pagerduty.journal import Journal
from bot.pagerduty.subscriptions import WebhookSubscription, webhook_subscription
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
EVENTS_V2 = "events_api_v2_inbound_integration"
OPEN = (Status.TRIGGERED, Status.ACKNOWLEDGED)


def no_ranks() -> Mapping[str, int]:
    """Before the account's priorities were read."""
    return {}


@dataclass(frozen=True, slots=True)
class Reads:
    """One identity's view. `sender` is the login e-mail that stands in `From` where an account key acts for a
    person.
    """

    http: PagerDutyHttp
    credentials: Credentials
    sender: str | None = None
    ranks: Callable[[], Mapping[str, int]] = field(default=no_ranks)
    journal: Journal | None = None  # keeps which calls this act made

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

    async def open_page(self, offset: int) -> tuple[list[Reading], bool]:
        """A hundred of the open ones, the oldest first, from `offset` on; whether more follow. One call."""
        params: Params = {
            "date_range": "all",
            "sort_by": "created_at:asc",
            "include": INCLUDES,
            "statuses": OPEN,
        }
        page = await self.http.one_page(
            "/incidents", self.credentials, "incidents", params=params, offset=offset
        )
        return [one for item in page.items if (one := self._read(item)) is not None], page.more

    async def incident_with_key(self, service_id: str | None, key: str) -> Reading | None:
        """The open incident of a service (None: any) with this key; None when there is none. One call."""
        params: Params = {
            "incident_key": key,
            "service_ids": [service_id] if service_id else (),
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

    async def related_changes(self, incident_id: str, most: int) -> list[RelatedChange]:
        """What was changed before it, as PagerDuty relates it, newest first; none where it does not tell:
        not every plan has them. One call.
        """
        path = f"/incidents/{quote(incident_id, safe='')}/related_change_events"
        try:
            data = await self._get(path, {"limit": most})
        except PagerDutyFailure:
            return []
        told = objects(data.get("change_events"))
        found = [one for body in told if (one := payloads.related_change(body)) is not None]
        return sorted(found, key=lambda one: one.at, reverse=True)[:most]

    async def log_entries(self, ref: str) -> list[LogEntry]:
        """The history that matters, oldest first. One call per 100."""
        path = f"/incidents/{quote(ref, safe='')}/log_entries"
        found = await self._all(path, "log_entries", payloads.log_entry, {"is_overview": True})
        found.reverse()  # they come newest first; equal seconds keep their order
        return sorted(found, key=lambda one: one.at)

    async def log_since(self, since: datetime) -> list[LogEntry]:
        """What happened in the account since then (aware, PagerDuty's clock), oldest first, without who was
        notified how. One call per 100.
        """
        params: Params = {"since": since, "is_overview": True}
        found = await self._all("/log_entries", "log_entries", payloads.log_entry, params)
        found.reverse()
        return sorted(found, key=lambda one: one.at)

    def pagerduty_now(self) -> datetime | None:
        """PagerDuty's clock, as its last answer told it; None when none has. No call."""
        return self.http.their_clock.now()

    async def services(self) -> list[Service]:
        """All, by name. One call per 100."""
        return await self._all(
            "/services", "services", payloads.service, {"sort_by": "name", "include": ["teams"]}
        )

    async def integration_key(self, service_id: str) -> SecretStr | None:
        """The key by which this service takes events (Events API v2); None when it has none. One call."""
        path = f"/services/{quote(service_id, safe='')}"
        service = (await self._get(path, {"include": ["integrations"]})).get("service")
        found = service.get("integrations") if isinstance(service, dict) else None
        for one in objects(found):
            key = one.get("integration_key")
            if one.get("type") == EVENTS_V2 and isinstance(key, str) and key:
                return SecretStr(key)
        return None

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

    async def webhook_subscriptions(self) -> list[WebhookSubscription]:
        """All V3 webhook subscriptions. One call per 100."""
        return await self._all("/webhook_subscriptions", "webhook_subscriptions", webhook_subscription)

    # ------------------------------------------------------------------------------------------- the wire

    async def _get(self, path: str, params: Params | None = None) -> Mapping[str, Any]:
        answer = await self.http.request("GET", path, self.credentials, params=params, journal=self.journal)
        return answer.data if isinstance(answer.data, dict) else {}

    async def _all(
        self, path: str, key: str, read: Callable[[Any], T | None], params: Params | None = None
    ) -> list[T]:
        """Every entry of a list; those that cannot be read are left out."""
        found = []
        async for page in self.http.pages(path, self.credentials, key, params=params, journal=self.journal):
            found += [one for item in page.items if (one := read(item)) is not None]
        return found

    def _read(self, data: Any) -> Reading | None:
        return payloads.reading(data, self.ranks())

    def _reading(self, data: Any) -> Reading:
        found = self._read(data)
        if found is None:
            raise PagerDutyNotFound("PagerDuty's answer holds no incident.")
        return found
