"""What commands need of the store, of PagerDuty's policies and of linking: the narrow end of bot/store,
bot/pagerduty and bot/accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pydantic import SecretStr

from bot.events import StoryLine
from bot.model import Channel, Incident, Reading, Reference, SlackUser
from bot.store.audit_reading import Act, Wanted


class IncidentStore(Protocol):
    """bot/store/incidents.py."""

    async def now(self) -> datetime: ...
    async def find(self, ref: str) -> Incident | None: ...
    async def many(self, ids: Iterable[str]) -> Mapping[str, Incident]: ...
    async def open_in(self, channel: Channel) -> list[Incident]: ...
    async def by_message(self, channel: Channel, ts: str) -> Incident | None: ...
    async def save_reading(self, reading: Reading, *, began_at: datetime, seen: int | None) -> bool: ...
    async def save_written(self, reading: Reading, *, began_at: datetime) -> bool: ...
    async def story(self, incident_id: str, limit: int = 20) -> list[StoryLine]: ...


class AuditPort(Protocol):
    """bot/store/audit_reading.py."""

    async def now(self) -> datetime: ...
    async def newest(self, wanted: Wanted, limit: int) -> list[Act]: ...
    async def count(self, wanted: Wanted) -> int: ...


class EventKeyPort(Protocol):
    """bot/store/event_keys.py: routing keys by the names that admins gave them."""

    async def key(self, name: str) -> SecretStr | None: ...
    async def names(self) -> Mapping[str, datetime]: ...


class LeasePort(Protocol):
    """bot/store/leases.py."""

    async def take(self, name: str, seconds: float) -> Any: ...
    async def release(self, lease: Any) -> Any: ...


class Levels(Protocol):
    """Where an incident stands on its policy, worked out from assignees and rules."""

    async def with_level(self, incident: Incident, *, ask: bool = False) -> Incident: ...
    async def of_policy(self, incident: Incident) -> list[tuple[int, Sequence[Reference]]]: ...


class Offer(Protocol):
    """What a Link button carries."""

    @property
    def url(self) -> str: ...
    @property
    def ticket(self) -> str: ...


class LinkDecisions(Protocol):
    """bot/accounts/approval.py: an admin's word on a link. They give what was decided, for the record, and
    nothing when it was decided before. Raise NotAllowed, UserError.
    """

    async def approve(self, link_id: str, admin: SlackUser) -> str: ...
    async def refuse(self, link_id: str, admin: SlackUser) -> str: ...


class Offers(Protocol):
    """bot/accounts/linking.py."""

    async def offer(self, user: SlackUser, intent_id: int | None) -> Offer:
        """A way to link for this person alone. Raises StoreUnavailable."""
