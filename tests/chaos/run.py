"""One run: an office, its bots, the storm of a seed, and afterwards the truth."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.command.catalog import Catalog
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.directory import Directory
from bot.pagerduty.http import PagerDutyHttp, open_session
from bot.pagerduty.levels import Levels
from bot.sandbox.pagerduty.limits import PER_MINUTE
from bot.store.database import Database
from commands import CATALOG
from tests.chaos.asked import accepted, pretended, twice, unanswered, what_became
from tests.chaos.forked import Nursery
from tests.chaos.plan import FOLLOWED, LATEST_WEBHOOK, REPLICAS, Pace, Plan, Point
from tests.chaos.proxy import Proxy
from tests.chaos.replicas import Replica, Replicas
from tests.chaos.truth import Differences, Truth, read_in_the_end
from tests.chaos.weather import Outage, Weather
from tests.stories.office import HOST, SPEED, Office
from tests.stories.waiting import until

GIVE_UP = 2.0  # times the time allowed: late is one thing, never another
MOST_STRETCHED = 2.0  # times the planned length of a storm, on a machine that is not calm
RECOVERED = 30.0  # seconds after recovery in which everything has to be true, on a machine that is calm
LOOK_EVERY, LOOK_SHARE = 0.5, 3  # seconds at least; and so many times what a look took, for it holds up Slack
TOLD = 12  # differences printed

# Short leases, so that a freeze outlives one soon.
SETTINGS: dict[str, Any] = {
    "slack_call_seconds": 1.0,
    "lease_seconds": 2.0,
    "look_up_seconds": 1.0,
    "poll_seconds": 0.3,
    "sweep_seconds": 4.0,
    "watch_seconds": 2.0,
    "shutdown_seconds": 5.0,
}
# At a wide pace no storm goes onto pages; at Slack's the fake refuses whatever is too much.
PACE_SETTINGS: dict[Pace, dict[str, Any]] = {
    "wide": {
        "pace_channel_per_second": 20.0,
        "pace_channel_burst": 60,
        "pace_posts_per_minute": 6000,
        "pace_updates_per_minute": 6000,
    },
    "slack": {"pace_channel_burst": 3},
}


@dataclass(slots=True)
class Result:
    """What a run came to. `recovered`: seconds until everything was true and answered; None: it never was."""

    plan: Plan
    kills: int = 0
    freezes: int = 0
    mishaps: int = 0
    outages: int = 0
    lasted: float = 0.0
    recovered: float | None = None
    allowed: float = RECOVERED
    incidents: int = 0
    messages: int = 0
    asked: int = 0
    answered: int = 0
    differences: Differences = field(default_factory=Differences)
    broken: list[str] = field(default_factory=list)  # done twice, pretended, not answered
    last: list[str] = field(default_factory=list)  # what was wrong when it was last looked at in vain
    left: list[str] = field(default_factory=list)  # how much was wrong at each look in vain
    logs: str = ""

    @property
    def is_true(self) -> bool:
        """Everything was right in the end, and stayed so."""
        return self.recovered is not None and not self.differences.all and not self.broken

    @property
    def passed(self) -> bool:
        """And within the time allowed."""
        return self.is_true and self.recovered is not None and self.recovered <= self.allowed

    def story(self) -> str:
        """What to look at, when it did not pass."""
        found = [*self.differences.all, *self.broken] or self.last
        more = [f"… and {len(found) - TOLD} more"] if len(found) > TOLD else []
        took = f"{self.recovered:.1f}" if self.recovered is not None else "never"
        head = f"seed {self.plan.seed} on {self.plan.database}: true after {took} s of {self.allowed:.0f} s"
        return "\n".join([head, self.went(), *found[:TOLD], *more, self.logs])

    def went(self) -> str:
        """How what was wrong became less."""
        return f"wrong: {', '.join(self.left)}"


async def run(plan: Plan, office: Office, folder: Path, outage: Outage) -> Result:
    """Live it. The office is started and its database migrated; its bots are this run's own."""
    result = Result(plan)
    replicas = Replicas(random.Random(f"{plan.seed} ways"))
    weather = Weather(office, plan, outage)
    async with Nursery() as nursery, Proxy(replicas.choose) as proxy:
        more = {"public_url": f"http://{HOST}:{proxy.port}", **PACE_SETTINGS[plan.pace]}
        replicas.build(nursery, office, folder, REPLICAS[plan.database], SETTINGS | more)
        # PagerDuty's time runs faster than ours, and so does the minute of its limit.
        office.pagerduty.limits.per_minute = PER_MINUTE * SPEED
        office.slack.rate_limits(enabled=plan.pace == "slack")
        try:
            await replicas.start()
            office.connect(proxy.port)
            await _subscribe(office)
            weather.stretch = min(MOST_STRETCHED, replicas.slowness)
            await _storm(plan, replicas, weather, result)
            await _judge(office, result)
        finally:
            result.logs = "\n".join(one.tail() for one in replicas.all)
            await replicas.end()
    result.kills = sum(one.kills for one in replicas.all)
    result.freezes = sum(one.freezes for one in replicas.all)
    result.mishaps, result.outages = weather.mishaps, weather.outages
    return result


async def _subscribe(office: Office) -> None:
    """Channels follow; one incident shows that everything is there."""
    for channel, services in FOLLOWED.items():
        for name in services.values():
            await office.carol.asks(f"subscribe {name}", office.place(channel), name)
    await office.trigger("Before the storm")
    await office.checkout.expect_message("Before the storm")


async def _storm(plan: Plan, replicas: Replicas, weather: Weather, result: Result) -> None:
    """All of it; afterwards every replica is up, nothing goes wrong any more, and nothing new happens."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(plan.deadline * weather.stretch), asyncio.TaskGroup() as group:
            group.create_task(weather.happen())
            for replica, points in zip(replicas.all, plan.points, strict=True):
                group.create_task(_points(replica, points))
    except TimeoutError:
        result.broken.append(f"the storm hung: it did not end within {plan.deadline:.0f} s")
    weather.clear()
    await replicas.start()
    # Time stands still at PagerDuty, or an escalation would be on its way for ever.
    await weather.office.pagerduty.lifecycle.timers.stop()
    result.lasted = time.monotonic() - began
    result.allowed = RECOVERED * replicas.slowness


async def _points(replica: Replica, points: Sequence[Point]) -> None:
    for point in points:
        await replica.meet(point)


async def _judge(office: Office, result: Result) -> None:
    async with AsyncExitStack() as stack:
        database = await Database.open(office.database_url)
        stack.push_async_callback(database.close)
        session = await stack.enter_async_context(open_session())
        http = PagerDutyHttp(session, office.sandbox.pagerduty_url)
        reader = PagerDuty(http, AccountKey(SecretStr(office.pagerduty.api_key)))
        directory = Directory(reader)
        stack.push_async_callback(directory.close)
        truth = Truth(office, database, reader, Levels(directory, reader), Catalog(*CATALOG).buttons())
        result.recovered = await _recovery(office, truth, result)
        # What is still on its way tells nothing new, and must not take anything back.
        late = LATEST_WEBHOOK + result.allowed
        await until(lambda: not office.pagerduty.webhooks.waiting(), "webhooks wait", within=late)
        if result.recovered is not None and await _recovery(office, truth, result) is None:
            result.broken.append("what came late was not got over")
        asked = accepted(office)
        silent = unanswered(office, asked)
        for one in silent:
            result.broken += [f"never answered: {one}", *await what_became(office, database, one)]
    result.asked = len(asked)
    result.answered = len(asked) - len(silent)
    result.broken += twice(office, result.plan)
    result.broken += pretended(office, asked)
    result.incidents = len(office.pagerduty.state.incidents)
    result.messages = sum(len(office.place(channel).messages()) for channel in FOLLOWED)


async def _recovery(office: Office, truth: Truth, result: Result) -> float | None:
    """Seconds until everything is true and everybody answered; None when it is not in twice the time
    allowed.
    """
    began = time.monotonic()
    while True:
        passed_before = time.monotonic() - began
        result.differences = await read_in_the_end(truth)
        passed = time.monotonic() - began
        silent = [f"not answered: {one}" for one in unanswered(office, accepted(office))]
        if not result.differences.all and not silent:
            return passed
        wrong = [*result.differences.all, *silent]
        result.last = [f"after {passed:.1f} s: {one}" for one in wrong]
        result.left.append(f"{len(wrong)} after {passed:.0f} s")
        if passed > GIVE_UP * result.allowed:
            return None
        took = time.monotonic() - began - passed_before
        await asyncio.sleep(max(LOOK_EVERY, LOOK_SHARE * took))
