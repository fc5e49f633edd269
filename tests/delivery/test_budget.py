"""PagerDuty's limit with the fake enforcing it: whatever is read in the background, nobody is kept waiting.

The tests move the time, for the database, PagerDuty and the bot's limiter alike.
"""

from __future__ import annotations

import asyncio
import time as clocks
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import aiohttp
import pytest
from pydantic import SecretStr

from bot.delivery.rereader import Rereader
from bot.delivery.sweep import Sweep
from bot.errors import PagerDutyUnavailable
from bot.model import Status
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey, UserToken
from bot.pagerduty.directory import Directory
from bot.pagerduty.http import FREE_FOR_PEOPLE, MAX_IN_FLIGHT, PagerDutyHttp, open_session
from bot.pagerduty.levels import Levels
from bot.pagerduty.limiter import RESERVE, Rank
from bot.sandbox.pagerduty import FakePagerDuty
from bot.store.batcher import Batcher
from bot.store.cursors import Cursors
from bot.store.database import Database
from bot.store.incidents import Incidents
from bot.store.leases import Leases
from bot.store.wake import Wake
from tests.delivery.reading_scene import Time
from tests.store.news import an_event, an_incident
from tests.store.seeding import opened
from tests.stories.waiting import until, until_async

A_MINUTE = 120  # requests
PEOPLES = Rank.BACKGROUND.leaves(A_MINUTE)
FLOOD = 150
BACKGROUND_IN_FLIGHT = MAX_IN_FLIGHT - FREE_FOR_PEOPLE
ALICE, LABEL = "alice@acme.example", "T0ACME:U0ALICE"


@dataclass
class Scene:
    """The bot's reading side and its people, on one account key."""

    database: Database
    batcher: Batcher
    session: aiohttp.ClientSession
    fake: FakePagerDuty
    time: Time

    def __post_init__(self) -> None:
        self.http = self.replica()
        self.account = PagerDuty(self.http, AccountKey(SecretStr(self.fake.api_key)))
        self.alice = self.account.acting_as(ALICE, LABEL)
        self.background = self.account.in_background()
        self.wake = Wake(self.database)
        self.incidents = Incidents(self.database, self.batcher, self.wake)
        self.directory = Directory(self.background)
        self.rereader = Rereader(
            self.incidents,
            self.background,
            Levels(self.directory, self.background),
            self.wake,
            poll_seconds=0.1,
        )
        self.sweep = Sweep(
            self.incidents, self.background, Leases(self.database, "one"), Cursors(self.database), seconds=300
        )

    def replica(self) -> PagerDutyHttp:
        """With a limiter of its own; what it waits before a request costs no time."""

        async def at_once(seconds: float) -> None:
            await asyncio.sleep(0)

        return PagerDutyHttp(
            self.session,
            self.fake.origin,
            timer=lambda: clocks.monotonic() + self.time.passed.total_seconds(),
            sleep=at_once,
        )

    def pass_time(self, seconds: float) -> None:
        self.time.passed += timedelta(seconds=seconds)
        self.database.clock_offset += seconds

    def statuses(self) -> list[int | None]:
        """What PagerDuty answered so far, to anybody."""
        return [one.status for one in self.fake.journal if one.direction == "in"]

    async def flood(self) -> list[str]:
        """Webhooks about many new incidents: each has to be read again."""
        made = self.fake.storm(FLOOD, ["PSVCCHK"])
        seen = [replace(an_incident(one.id), number=one.number, title=one.title) for one in made]
        await asyncio.gather(*(self.incidents.accept(an_event(incident=one)) for one in seen))
        return [one.id for one in made]

    async def read_again(self, ids: list[str]) -> int:
        """How many of them were: only a reading tells the level."""
        return sum(one.level is not None for one in (await self.incidents.many(ids)).values())

    @asynccontextmanager
    async def rereading(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(self.rereader.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, 30)


@pytest.fixture
async def scene(migrated_sqlite_url: str, pagerduty: FakePagerDuty, time: Time) -> AsyncIterator[Scene]:
    pagerduty.limits.per_minute = A_MINUTE
    pagerduty.limits.enforced = True
    async with opened(migrated_sqlite_url) as database, open_session() as session:
        batcher = Batcher(database)
        scene = Scene(database, batcher, session, pagerduty, time)
        yield scene
        await scene.directory.close()
        await batcher.close()
        await scene.wake.close()


async def test_a_flood_of_rereads_leaves_people_their_share_and_is_over_minutes_later(scene: Scene) -> None:
    ids = await scene.flood()
    async with scene.rereading():
        await until(lambda: len(scene.statuses()) >= A_MINUTE - PEOPLES, "the flood never used its share")

        # It is at its limit, and so would a sweep be: neither takes what is left.
        with pytest.raises(PagerDutyUnavailable) as swept:
            await scene.sweep.once(at_start=True)
        assert swept.value.retry_after is not None
        assert 0 < swept.value.retry_after <= 60
        assert len(scene.statuses()) == A_MINUTE - PEOPLES

        # A person reads and acts at once.
        for _ in range(PEOPLES - RESERVE):
            await scene.account.incident(ids[0])
        for one in ids[:RESERVE]:
            assert (await scene.alice.set_status([one], Status.ACKNOWLEDGED))[0].incident.id == one
        assert scene.statuses() == [200] * A_MINUTE

    # What was put off is read in the minutes that follow. Time passes while nothing is under way: an answer
    # that tells what is left of one minute must not be heard in the next.
    for _ in range(4):
        scene.pass_time(61)
        with_room = len(scene.statuses()) + A_MINUTE - PEOPLES

        async def done(with_room: int = with_room) -> bool:
            return await scene.read_again(ids[RESERVE:]) == FLOOD - RESERVE or (
                len(scene.statuses()) >= with_room
            )

        async with scene.rereading():
            await until_async(done, "the flood stands still")
    assert await scene.read_again(ids[RESERVE:]) == FLOOD - RESERVE
    assert set(scene.statuses()) == {200}


async def test_replicas_learn_of_each_other_from_pagerduty(scene: Scene) -> None:
    """Nobody tells them: every answer says what is left, whoever has used the rest."""
    another = replace(scene.background, http=scene.replica())
    (one,) = scene.fake.storm(1, ["PSVCCHK"])

    async def ask(client: PagerDuty) -> None:
        await client.incident(one.id)

    asked = [ask(client) for _ in range(A_MINUTE) for client in (scene.background, another)]
    ends = await asyncio.gather(*asked, return_exceptions=True)
    put_off = [end for end in ends if isinstance(end, PagerDutyUnavailable)]
    assert put_off
    assert len(put_off) + sum(end is None for end in ends) == 2 * A_MINUTE
    # What both have in flight may pass the line, no more.
    assert len(scene.statuses()) <= A_MINUTE - PEOPLES + 2 * BACKGROUND_IN_FLIGHT
    await scene.alice.set_status([one.id], Status.ACKNOWLEDGED)
    await replace(scene.alice, http=another.http).set_status([one.id], Status.RESOLVED)
    assert set(scene.statuses()) == {200}


async def test_a_429_stops_that_key_until_quiet_and_nobody_elses(scene: Scene) -> None:
    """Another program has used up the account's key."""
    (one,) = scene.fake.storm(1, ["PSVCCHK"])
    for _ in range(A_MINUTE):
        await PagerDuty(scene.replica(), scene.account.credentials).incident(one.id)
    used = len(scene.statuses())

    with pytest.raises(PagerDutyUnavailable):  # the first one learns it
        await scene.background.incident(one.id)
    assert scene.statuses()[used:] == [429]
    for client in (scene.background, scene.account, scene.alice):
        with pytest.raises(PagerDutyUnavailable):
            await client.incident(one.id)
    with pytest.raises(PagerDutyUnavailable) as refused:
        await scene.alice.set_status([one.id], Status.ACKNOWLEDGED)
    assert not refused.value.maybe_done
    assert scene.statuses()[used:] == [429]  # nobody has asked in vain a second time

    bobs = UserToken(SecretStr(scene.fake.bearer("PBOB002")), label="T0ACME:U0BOB")
    await PagerDuty(scene.http, bobs).set_status([one.id], Status.ACKNOWLEDGED)

    scene.pass_time(61)
    await scene.background.incident(one.id)
    await scene.alice.set_status([one.id], Status.RESOLVED)
    assert scene.statuses()[used:] == [429, 200, 200, 200]


async def test_while_pagerduty_is_slow_people_have_places_of_their_own(scene: Scene) -> None:
    slow, quick = scene.fake.storm(2, ["PSVCCHK"])
    scene.fake.outage("slow", paths=[f"/incidents/{slow.id}"], seconds=30)
    flood = [asyncio.ensure_future(scene.background.incident(slow.id)) for _ in range(3 * MAX_IN_FLIGHT)]
    try:
        await asyncio.sleep(0)
        await asyncio.wait_for(scene.account.incident(quick.id), 20)
        await asyncio.wait_for(scene.alice.set_status([quick.id], Status.ACKNOWLEDGED), 20)
    finally:
        for one in flood:
            one.cancel()
        await asyncio.gather(*flood, return_exceptions=True)
