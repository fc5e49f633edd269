"""What a handler sees of the world: who asks, where, and narrow ports to everything it may do.

bot/command/run.py builds one Context per request. The ports are protocols, so that a command can be read, and
tested, without the machinery behind it: bot/command/desk.py and looking.py (incidents), bot/store
(subscriptions, people), bot/pagerduty (directory). All datetimes are aware, in UTC.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.accounts.acting import Accounts
from bot.accounts.permissions import Permissions
from bot.command.arguments import Names
from bot.command.catalog import Catalog
from bot.command.names import NamedThings
from bot.command.ports import AuditPort, LinkDecisions, Offers
from bot.command.reminding import Reminded
from bot.command.request import Request, Surface
from bot.command.rotas import Rostered
from bot.declaration import IncidentRef, Reply
from bot.model import (
    Channel,
    Incident,
    LogEntry,
    Note,
    OnCall,
    Person,
    Reference,
    RelatedChange,
    SlackUser,
    Status,
    Subscription,
    Urgency,
)
from bot.pagerduty.calls import ApiCall
from bot.pagerduty.edits import Edit
from bot.pagerduty.event_fields import Alert, Change
from bot.pagerduty.http import Answer
from bot.render.outcomes import Outcome
from bot.slack.failures import ChannelClosed, ScopeMissing
from bot.slack.workspaces import Workspaces

BY_EVENTS = "events"  # without a PagerDuty user: through the Events API, which knows no person


@dataclass(frozen=True, slots=True)
class Who:
    """The person who asks; `person` is their PagerDuty user where the command acts (Context.me asks
    otherwise).
    """

    user: SlackUser
    person: Person | None = None
    identity: str = "account"  # how they act: email, oauth, events; account for plain reads


@dataclass(frozen=True, slots=True)
class Where:
    """The place of the request: `incident` is the one its thread or pressed message is about."""

    channel: Channel
    surface: Surface
    thread_ts: str | None = None
    message_ts: str | None = None
    incident: Incident | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An incident looked up: `incident` None when PagerDuty has none of that name."""

    ref: IncidentRef
    incident: Incident | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which open incidents: every field narrows; empty means any. `people` are assignees."""

    statuses: tuple[Status, ...] = (Status.TRIGGERED, Status.ACKNOWLEDGED)
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    urgencies: tuple[Urgency, ...] = ()


@dataclass(frozen=True, slots=True)
class NewIncident:
    """What `trigger` makes; `key` makes a double submit the same incident."""

    service: Reference
    title: str
    key: str
    details: str = ""
    urgency: Urgency | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for an event, in words: PagerDuty does not know them."""

    name: str
    user: SlackUser


@dataclass(frozen=True, slots=True)
class Triggered:
    """The incident made; `existed` when this very act had made it before."""

    incident: Incident
    existed: bool = False


@dataclass(frozen=True, slots=True)
class Escalated:
    """What came of asking for a level: `moved` False when the incident stood there or higher already."""

    incident: Incident
    moved: bool
    level: int  # where it stands now
    refusal: str = ""  # why it cannot be: a plain sentence with what to do instead


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of changing fields: those that are new with their values, none where it was so already."""

    incident: Incident
    changed: tuple[tuple[str, str], ...] = ()
    refusal: str = ""  # as above


@dataclass(frozen=True, slots=True)
class Escalation:
    """An escalation through this bot: by which Slack user, how long ago (seconds)."""

    by: str
    seconds_ago: float


class IncidentPort(Protocol):
    """Reads go by the account key, acts as the person; whatever PagerDuty answers is saved."""

    async def read(self, refs: Sequence[IncidentRef]) -> list[Found]:
        """Each from PagerDuty, in parallel, in the order asked."""

    async def one(self, ref: IncidentRef) -> Incident:
        """One from PagerDuty, its level worked out. Raises UserError when there is none."""

    async def open_ones(self, wanted: Filter) -> list[Incident]:
        """Every open incident that fits, one call per 100."""

    async def now(self) -> datetime:
        """The database's clock, which what is read is ordered by."""

    async def keep(self, incidents: Sequence[Incident]) -> None:
        """Save what `open_ones` read of these."""

    async def acknowledge(self, refs: Sequence[IncidentRef]) -> list[Outcome]:
        """Each read, in parallel; one write for those that are triggered."""

    async def reopened_later(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Those that turn out, some seconds later, to have been reopened by this acknowledgement."""

    async def resolve(self, refs: Sequence[IncidentRef]) -> list[Outcome]:
        """One write for all; a number we do not know the id of is read first."""

    async def escalate(self, ref: IncidentRef, level: int) -> Escalated:
        """To this level of its policy; never down, and once however many ask at once."""

    async def edit(self, ref: IncidentRef, edit: Edit) -> Edited:
        """Change its fields in one write, without what is so already."""

    async def call(self, call: ApiCall) -> Answer:
        """Any call to PagerDuty's REST API, as this person. Raises PagerDutyFailure."""

    async def last_escalation(self, incident: Incident, seconds: float) -> Escalation | None:
        """Somebody's escalation within the last `seconds` through this bot."""

    async def note(self, ref: IncidentRef, text: str) -> tuple[Incident, Note]:
        """Write a note."""

    async def notes(self, ref: IncidentRef) -> tuple[Incident, list[Note]]:
        """The incident and its notes."""

    async def log(self, ref: IncidentRef) -> list[LogEntry]:
        """Its history in PagerDuty, overview only."""

    async def changes(self, ref: IncidentRef) -> list[RelatedChange]:
        """What was changed before it, as PagerDuty relates it, newest first; none where it does not tell."""

    async def trigger(self, new: NewIncident) -> Triggered:
        """Open one; the same key again gives the same incident while it is open."""

    async def send_event(self, new: NewIncident, asker: Asker) -> None:
        """Ask for one through the Events API, for somebody without a PagerDuty user: taken in, not made yet.

        Raises UserError when the service takes no events.
        """

    async def may_send_without_seat(self, user: SlackUser) -> None:
        """Raises NotAllowed where people without a PagerDuty user may not, or have done it too often."""

    async def send_alert(self, integration: str, alert: Alert) -> str:
        """By an integration that admins have named: taken in, not carried out yet; its dedup key.

        Raises UserError when nobody has named it.
        """

    async def send_change(self, integration: str, change: Change) -> None:
        """The same for a deploy or another change."""

    async def made_of_event(self, key: str, service_id: str | None = None) -> Incident | None:
        """The incident that came of an alert, some seconds later; None when none did."""

    async def with_key(self, service_id: str | None, key: str) -> Incident | None:
        """The open incident with this key; `service_id` None: of any service."""

    async def seen(self, ids: Sequence[str]) -> Mapping[str, Incident]:
        """Those of them that we have seen, as last known, by id; PagerDuty is not asked."""

    async def known(self, ref: IncidentRef) -> Incident:
        """As last known, without asking PagerDuty unless we never heard of it. Raises UserError."""

    async def levels(self, incident: Incident) -> list[tuple[int, Sequence[Reference]]]:
        """The levels of its policy and whom each pages."""


class SubscriptionPort(Protocol):
    """Which channel follows what (bot/store/subscriptions.py)."""

    async def add(
        self,
        sub: Subscription,
        *,
        incidents: Sequence[Incident] = (),
        since: datetime | None = None,
        listed: Collection[str] = (),
    ) -> Subscription: ...
    async def remove(self, channel: Channel, kind: str, target_id: str) -> bool: ...
    async def of_channel(self, channel: Channel) -> list[Subscription]: ...


class PeoplePort(Protocol):
    """PagerDuty user ↔ Slack user (bot/store/people.py)."""

    async def slack_ids(self, team_id: str, person_ids: Sequence[str]) -> Mapping[str, str]: ...
    async def person_id(self, user: SlackUser) -> str | None: ...


class DirectoryPort(NamedThings, Protocol):
    """Names → things, from a cache that is warmed at start (bot/pagerduty/directory.py)."""

    async def on_calls(
        self,
        *,
        policies: Sequence[str] = (),
        schedules: Sequence[str] = (),
        users: Sequence[str] = (),
        until: datetime | None = None,
    ) -> Sequence[OnCall]:
        """Shifts from now until then (default: those running now), no older than 60 s."""


class ReminderPort(Protocol):
    """Messages to people who go on call unlinked (bot/command/reminding.py)."""

    @property
    def by_itself(self) -> bool:
        """Whether they are reminded the day before without being asked for it."""

    async def remind_all(self, people: Sequence[Rostered]) -> Reminded:
        """Write to those who are not linked, to each once a day at most."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a handler may use."""

    who: Who
    where: Where
    request: Request
    catalog: Catalog
    incidents: IncidentPort
    subscriptions: SubscriptionPort
    people: PeoplePort
    directory: DirectoryPort
    names: Names
    accounts: Accounts
    permissions: Permissions
    workspaces: Workspaces
    audit: AuditPort
    clock: Callable[[], datetime]
    slash: str = "/pager"
    offers: Offers | None = None  # where people link their own accounts
    link_decisions: LinkDecisions | None = None  # and where admins decide about links
    reminders: ReminderPort | None = None  # and are reminded of it
    follow_ups: list[Coroutine[Any, Any, Reply | None]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def later(self, work: Coroutine[Any, Any, Reply | None]) -> None:
        """Something to say after the answer, if anything: it runs once the answer was sent."""
        self.follow_ups.append(work)

    def changed(self, what: str) -> None:
        """Something was changed that is not PagerDuty's, said in a line: it is on record like an act."""
        self.changes.append(what)

    async def must_see_channel(self) -> None:
        """Raises ChannelClosed unless the bot can post here: for what will be posted later, and by itself."""
        slack = self.workspaces.for_team(self.where.channel.team_id)
        if slack is None or not self.where.channel.id:
            raise ChannelClosed("channel_not_found")
        with contextlib.suppress(ScopeMissing):  # then the first post finds out
            channel = await slack.channel(self.where.channel.id)
            if channel.is_archived:
                raise ChannelClosed("is_archived")
            if not channel.is_member:
                raise ChannelClosed("not_in_channel")

    async def me(self) -> Person:
        """The PagerDuty user of whoever asks. Raises NotLinked, with what to do about it."""
        if self.who.person is not None:
            return self.who.person
        return await self.accounts.person(await self.accounts.member(self.who.user))
