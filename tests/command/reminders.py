"""Reminders between a fake Slack, rotas in memory and a real store: two replicas, the test's own clock."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.accounts.members import Members
from bot.command import reminding
from bot.command.day_before import DayBefore
from bot.command.reminding import Reminders
from bot.command.rotas import Rotas
from bot.errors import PagerDutyUnavailable
from bot.model import OnCall, Person, Reference, SlackProfile, SlackUser
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.world import acme
from bot.slack.client import Slack
from bot.slack.connection import open_session
from bot.slack.workspaces import Workspaces
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.notices import Notices
from bot.store.schema import migrate
from tests.stories.slack_eyes import Place, Seen

TEAM = "T0ACME"
BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
UMA, BOB, GUS = (
    Reference("PUMA007", "Uma Ueda"),
    Reference("PBOB002", "Bob Brown"),
    Reference("PGUEST5", "Gus Guest"),
)
ALICE, STRAY = Reference("PALICE1", "Alice Anderson"), Reference("PSTRAY9", "Nora Nowhere")
PRIMARY, ROTA = Reference("PEPCHK", "Checkout primary"), Reference("PSCHCHK", "Checkout rota")
MATCHED = {"PUMA007": "U0UMA", "PBOB002": "U0BOB", "PGUEST5": "U0GUEST", "PALICE1": "U0ALICE"}


def berlin(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(tzinfo=BERLIN).astimezone(UTC)


@dataclass(frozen=True)
class Offered:
    url: str
    ticket: str


@dataclass
class World:
    """PagerDuty's rotas and users, who is linked, and the time; one for all replicas."""

    now: datetime = field(default_factory=lambda: berlin("2026-10-25T10:05"))
    shifts: list[OnCall] = field(default_factory=list)
    linked: dict[str, str] = field(default_factory=lambda: {"PALICE1": "U0ALICE"})
    zones: dict[str, str] = field(default_factory=dict)
    offered: list[SlackUser] = field(default_factory=list)
    without_zone: set[str] = field(default_factory=set)
    is_away: bool = False
    asked: int = 0

    async def on_calls(self, *, since: datetime | None = None, until: datetime | None = None) -> list[OnCall]:
        self.asked += 1
        if self.is_away:
            raise PagerDutyUnavailable("PagerDuty did not answer.")
        assert since is not None
        assert until is not None
        return [
            one
            for one in self.shifts
            if (one.start is None or one.start < until) and (one.end is None or one.end > since)
        ]

    async def slack_ids(self, team_id: str, person_ids: Sequence[str]) -> Mapping[str, str]:
        return {one: MATCHED[one] for one in person_ids if one in MATCHED and team_id == TEAM}

    async def links(self, team_id: str) -> Mapping[str, str]:
        assert team_id == TEAM
        return self.linked

    async def users(self) -> Sequence[Person]:
        return [Person(one, one, time_zone=zone) for one, zone in self.zones.items()]

    async def offer(self, user: SlackUser, intent_id: int | None = None, *, seconds: float) -> Offered:
        assert intent_id is None
        assert seconds > 2 * 86_400
        self.offered.append(user)
        return Offered(f"https://pager.example.com/pagerduty/link?ticket={len(self.offered)}", "t")

    def shift(self, who: Reference, start: str, days: float = 7, **more: int) -> None:
        begins = berlin(start)
        level = more.get("level", 1)
        self.shifts.append(OnCall(who, PRIMARY, level, ROTA, begins, begins + days * DAY))


@dataclass
class Replica:
    """One process."""

    rotas: Rotas
    reminders: Reminders
    loop: DayBefore
    database: Database

    async def asked(self) -> reminding.Reminded:
        """What *Remind them* does."""
        return await self.reminders.remind_all(await self.rotas.look(TEAM))


@dataclass
class Rig:
    world: World
    slack: FakeSlack
    one: Replica
    other: Replica

    def messages(self, user: str) -> list[Seen]:
        """What stands in somebody's direct messages."""
        return Place(self.slack, self.slack.workspace.direct_messages(user).id).messages()


async def replica(stack: AsyncExitStack, world: World, slack: FakeSlack, url: str, **clock: float) -> Replica:
    database = await Database.open(url, **clock)
    stack.push_async_callback(database.close)
    session = open_session(2.0)
    stack.push_async_callback(session.close)
    client = Slack(session, SecretStr(slack.bot_token), base_url=f"{slack.acting.origin}/api/", team_id=TEAM)
    workspaces = Workspaces([client])
    rotas = Rotas(world, world, world.links, lambda: world.now)
    members = Members(workspaces)

    async def member(user: SlackUser) -> SlackProfile:
        profile = await members.member(user)
        return replace(profile, time_zone=None) if user.id in world.without_zone else profile

    reminders = Reminders(Notices(database), workspaces, world, world, member, clock=lambda: world.now)
    return Replica(
        rotas,
        reminders,
        DayBefore(rotas, reminders, workspaces, Leases(database, secrets.token_hex(4))),
        database,
    )


@asynccontextmanager
async def reminding_rig(database_url: str) -> AsyncIterator[Rig]:
    """Two replicas on one database."""
    async with AsyncExitStack() as stack:
        slack, world = FakeSlack(acme()), World()
        await slack.start()
        stack.push_async_callback(slack.stop)
        one = await replica(stack, world, slack, database_url)
        await migrate(one.database)
        yield Rig(world, slack, one, await replica(stack, world, slack, database_url))
