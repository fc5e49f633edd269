"""A database, a fake Slack, and the delivery between them, with what tests look at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import aiohttp
from pydantic import SecretStr

from bot.declaration import Button
from bot.delivery.loop import Delivery
from bot.delivery.periods import Periods
from bot.delivery.storm import Tuning
from bot.metrics import Metrics
from bot.model import Channel, Incident, ScopeKind, Subscription
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.journal import Exchange
from bot.sandbox.slack.state import Message
from bot.slack.client import Slack
from bot.slack.workspaces import Workspaces
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.messages import Messages
from bot.store.pace import Pace, PaceLimits
from bot.store.people import People
from bot.store.subscriptions import Subscriptions
from bot.store.wake import Wake
from tests.store.seeding import CHECKOUT, TEAM, Seed
from tests.stories.waiting import until

PERIODS = Periods(
    call=1.0,
    lease=3.0,
    look_up_after=0.2,
    poll=0.05,
    figures=0.05,
    mentions=0.05,
    tokens=0.1,
    closed=0.1,
    hold=0.05,
)
FAST = PaceLimits(
    channel_per_second=1000,
    channel_burst=1000,
    posts_per_minute=100_000,
    updates_per_minute=100_000,
    others_per_minute=100_000,
)
BUTTONS = (("ack", Button("Acknowledge", when=lambda incident: incident.is_open)),)


class Office:
    """One replica. `second()` gives another on the same database."""

    def __init__(
        self,
        database: Database,
        fake: FakeSlack,
        session: aiohttp.ClientSession,
        *,
        holder: str = "first",
        limits: PaceLimits = FAST,
        periods: Periods = PERIODS,
        people: People | None = None,
        tuning: Tuning | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database, self.fake, self.session = database, fake, session
        self.seed = Seed(database)
        self.messages = Messages(database)
        self.people = people or People(database)
        self.metrics = Metrics()
        self.wake = Wake(database)
        self.subscriptions = Subscriptions(database, self.wake)
        self.pace = Pace(database, limits)
        self.slack = Slack(
            session, SecretStr(fake.bot_token), base_url=f"{fake.acting.origin}/api/", team_id=TEAM
        )
        self.delivery = Delivery(
            database=database,
            leases=Leases(database, holder),
            pace=self.pace,
            wake=self.wake,
            messages=self.messages,
            subscriptions=self.subscriptions,
            people=self.people,
            workspaces=Workspaces([self.slack]),
            buttons=BUTTONS,
            page_verb="ack-all",
            tuning=tuning,
            periods=periods,
            metrics=self.metrics,
            clock=clock,
        )

    def second(self, *, limits: PaceLimits = FAST) -> Office:
        """Another replica."""
        return Office(self.database, self.fake, self.session, holder="second", limits=limits)

    async def has(self, incident: Incident, channel: Channel = CHECKOUT, *, touched: bool = False) -> int:
        """An incident wanted in a channel; the row of its message."""
        await self.seed.incident(incident, touched=touched)
        row = await self.seed.message(incident.id, channel)
        self.wake.notify("delivery")
        return row

    async def becomes(self, incident: Incident, *, touched: bool = False) -> None:
        """The incident changes."""
        await self.seed.incident(incident, touched=touched)
        self.wake.notify("delivery")

    async def follows(self, channel: Channel = CHECKOUT, made_by: str = "U0ALICE") -> None:
        """The channel subscribes to everything."""
        await self.subscriptions.add(Subscription(channel, ScopeKind.ALL, None, made_by=made_by))

    # ------------------------------------------------------------------------------------ what Slack shows

    def standing(self, channel: Channel = CHECKOUT) -> list[Message]:
        """Messages of ours in the channel itself, oldest first."""
        found = self.fake.workspace.channels[channel.id].messages.values()
        return [message for message in found if message.by_bot and not message.is_reply]

    async def first(self, channel: Channel = CHECKOUT) -> Message:
        """The first message of ours in the channel, waited for."""
        return (await until(lambda: self.standing(channel) or None, "nothing was posted"))[0]

    def thread(self, parent: str, channel: Channel = CHECKOUT) -> list[Message]:
        """The lines below a message."""
        return self.fake.workspace.channels[channel.id].replies(parent)

    def direct(self, user: str) -> list[Message]:
        """What the bot wrote to one person."""
        return [
            message
            for channel in self.fake.workspace.channels.values()
            if channel.user == user
            for message in channel.messages.values()
        ]

    def calls(self, method: str) -> list[Exchange]:
        """Every request of this method so far."""
        return [entry for entry in self.fake.journal if entry.api_method == method]

    def carried_out_late(self, method: str) -> list[Exchange]:
        """Of those, the ones Slack was told to carry out long after their connection broke, and has."""
        return [call for call in self.calls(method) if call.fault == "late" and call.status == 200]

    def delivered(self, kind: str, outcome: str) -> float:
        """How often the metrics have counted this."""
        labels = {"kind": kind, "outcome": outcome}
        return self.metrics.registry.get_sample_value("pagerline_delivery_total", labels) or 0.0


def words(message: Message) -> str:
    """Everything a message shows."""
    return f"{message.text}\n{json.dumps(message.blocks, ensure_ascii=False)}"
