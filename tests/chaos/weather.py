"""The storm as it is lived: what breaks, what people do in PagerDuty and in Slack, and what goes wrong."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.pagerduty.failures import ApiError
from bot.sandbox.pagerduty.state import Incident
from bot.sandbox.slack.acting import CannotAct
from bot.slack.marks import read_mark
from tests.chaos.plan import FOLLOWED, Deed, Mishap, Plan, Story
from tests.chaos.proxy import NOBODY
from tests.databases import PostgresCluster
from tests.stories.office import Office
from tests.stories.reading import controls_of

LABELS = {"ack": "Acknowledge", "resolve": "Resolve", "escalate": "Escalate"}
EVERYONE = 3.0  # seconds until somebody who triggered in Slack looks what came of it

TRIES, TRY_AGAIN = 6, 1.0  # seconds after which somebody types it again

Outage = Callable[[float], Awaitable[None]]


@dataclass
class Weather:
    """Lives a plan in an office. `outage` takes the database away for so many seconds; `stretch`: how many
    times as long everything takes, on a machine that is not calm.
    """

    office: Office
    plan: Plan
    outage: Outage
    stretch: float = 1.0
    made: list[Incident] = field(default_factory=list)
    mishaps: int = 0
    outages: int = 0

    async def happen(self) -> None:
        """The whole of it; the end of every mishap included."""
        async with asyncio.TaskGroup() as group:
            for story in self.plan.stories:
                group.create_task(self._live(story))
            group.create_task(self._go_wrong())
            for at, seconds in self.plan.outages:
                group.create_task(self._lose_the_database(at, seconds))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.office.slack.faults.clear()
        self.office.pagerduty.outage("off")
        self.office.pagerduty.webhooks.set_mode("deliver")

    # -------------------------------------------------------------------------------------------- incidents

    async def _live(self, story: Story) -> None:
        await asyncio.sleep(story.at * self.stretch)
        incident = await self._begin(story)
        if incident is None:
            return
        self.made.append(incident)
        lived = 0.0
        for deed in story.deeds:
            await asyncio.sleep((deed.after - lived) * self.stretch)
            lived = deed.after
            if deed.way == "pagerduty":
                self._in_pagerduty(incident, deed)
            else:
                await self._in_slack(incident, deed)

    async def _begin(self, story: Story) -> Incident | None:
        pagerduty = self.office.pagerduty
        if story.asked_by is None:
            urgency = "high" if story.urgency == "high" else "low" if story.urgency == "low" else None
            return pagerduty.trigger(story.service, story.title, urgency=urgency, priority=story.priority)
        line = f'trigger "{story.service_name}" {story.title}'
        await self._type(story.asked_by, line)
        await asyncio.sleep(EVERYONE * self.stretch)
        found = [one for one in pagerduty.state.incidents.values() if one.title == story.title]
        return found[0] if found else None

    def _in_pagerduty(self, incident: Incident, deed: Deed) -> None:
        options = dict(deed.options)
        if deed.verb == "merge":
            others = [one for one in self.made if one is not incident and one.is_open]
            if not others:
                return
            options["into"] = others[0].id
        try:
            self.office.pagerduty.act(incident.id, deed.verb, deed.who, **options)
        except ApiError:
            return  # somebody was quicker: PagerDuty refuses it as it refuses anybody

    async def _in_slack(self, incident: Incident, deed: Deed) -> None:
        """What a person who is not answered sees is Slack's to say; only accepted ones are counted."""
        if deed.way == "button" and await self._press(incident, LABELS[deed.verb], deed.who):
            return
        text = f" {deed.options['text']}" if "text" in deed.options else ""
        await self._type(deed.who, f"{deed.verb} {incident.number}{text}")

    async def _type(self, who: str, line: str) -> None:
        """Typed again while Slack says that nobody is there."""
        for _ in range(TRIES):
            answer = await self.office.slack.command(who, next(iter(FOLLOWED)), line)
            if answer.status != NOBODY:
                return
            await asyncio.sleep(TRY_AGAIN * self.stretch)

    async def _press(self, incident: Incident, label: str, who: str) -> bool:
        """False when there is no such button to press yet, or any more."""
        for channel in FOLLOWED:
            for message in list(self.office.slack.workspace.channel(channel).messages.values()):
                mark = read_mark(message.metadata)
                if mark is None or mark.kind != "incident" or mark.incident != incident.id:
                    continue
                for control in controls_of(message.blocks):
                    if control.label == label and control.option is None:
                        where = {"channel": channel, "message": message.ts, "value": control.value}
                        try:
                            await self.office.slack.action(who, control.action_id, **where)
                        except CannotAct:
                            continue  # edited or deleted in this very moment
                        return True
        return False

    # ------------------------------------------------------------------------------------- what goes wrong

    async def _go_wrong(self) -> None:
        now = 0.0
        for mishap in self.plan.mishaps:
            await asyncio.sleep(max(0.0, mishap.at * self.stretch - now))
            now = max(now, mishap.at * self.stretch)
            await self._befall(mishap)
            now += mishap.lasts
        self.clear()

    async def _befall(self, mishap: Mishap) -> None:
        pagerduty, slack = self.office.pagerduty, self.office.slack
        self.mishaps += 1
        match mishap.where:
            case "slack":
                options = dict(mishap.options)
                slack.fault(options.pop("method"), mishap.what, **options)
            case "pagerduty":
                pagerduty.outage(mishap.what, **mishap.options)  # type: ignore[arg-type]
                if mishap.lasts:
                    await asyncio.sleep(mishap.lasts)
                    pagerduty.outage("off")
            case "webhooks":
                pagerduty.webhooks.set_mode(mishap.what, **mishap.options)  # type: ignore[arg-type]
                await asyncio.sleep(mishap.lasts)
                pagerduty.webhooks.set_mode("deliver")
            case "subscription":
                pagerduty.webhooks.disable(pagerduty.subscription(self.office.webhook_subscription))

    async def _lose_the_database(self, at: float, seconds: float) -> None:
        await asyncio.sleep(at * self.stretch)
        self.outages += 1
        await self.outage(seconds)


def restarts(cluster: PostgresCluster) -> Outage:
    """PostgreSQL is stopped as a crash stops it, every other time politely, and started again."""
    politely = iter([False, True] * 50)
    one_at_a_time = asyncio.Lock()  # in a short storm the next may come while it still starts

    async def outage(seconds: float) -> None:
        async with one_at_a_time:
            await asyncio.to_thread(cluster.halt, politely=next(politely))
            await asyncio.sleep(seconds)
            await asyncio.to_thread(cluster.resume)

    return outage


def locks(file: Path) -> Outage:
    """Somebody holds SQLite's file for writing."""

    async def outage(seconds: float) -> None:
        with sqlite3.connect(file, isolation_level=None, timeout=30, check_same_thread=False) as other:
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            other.execute("ROLLBACK")
        other.close()

    return outage
