"""Reading again what is stale, and the sweep that heals what no webhook told; against the fake PagerDuty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.delivery.rereader import LONGEST_AFTER_OUTAGE, LONGEST_PAUSE, Rereader
from bot.delivery.sweep import SWEEPING, SWEEPING_SECONDS, Swept
from bot.model import Status
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.directory import Directory
from bot.pagerduty.http import PagerDutyHttp, open_session
from bot.pagerduty.levels import Levels
from bot.sandbox.pagerduty import Incident
from bot.store.incidents import Stale
from bot.store.leases import Leases
from bot.store.outcomes import pause_after
from bot.store.wake import Wake
from tests.delivery.reading_scene import SERVICE, Reading
from tests.store.news import an_event, an_incident
from tests.stories.waiting import until_async


@pytest.fixture
async def running(reading: Reading) -> AsyncIterator[Reading]:
    stop = asyncio.Event()
    task = asyncio.create_task(reading.rereader.run(stop))
    yield reading
    stop.set()
    await asyncio.wait_for(task, 30)


class TestRereader:
    async def test_a_burst_is_read_once_and_tells_what_events_do_not(self, running: Reading) -> None:
        incident = running.fake.trigger(SERVICE, "Disk full", urgency="high")
        for seconds in range(5):
            await running.hears_of(incident, "triggered" if not seconds else "annotated", float(seconds))

        async def level() -> int | None:
            known = await running.incidents.find(incident.id)
            return known.level.number if known and known.level else None

        assert await until_async(level, "the level never came") == 1
        assert len(running.reads()) == 1

    async def test_a_level_that_cannot_be_asked_for_now_comes_later(self, running: Reading) -> None:
        incident = running.fake.trigger(SERVICE, "Disk full", urgency="high")
        running.fake.act(incident.id, "acknowledge", by="PBOB002")
        running.fake.outage("down", paths=("/oncalls",))
        await running.hears_of(incident)
        await until_async(lambda: _is(running, incident, Status.ACKNOWLEDGED), "it was not read")
        running.fake.outage("off")

        async def level() -> bool:
            known = await running.incidents.find(incident.id)
            return known is not None and known.level is not None

        await until_async(level, "the level never came")

    async def test_news_during_the_read_are_read_again(self, running: Reading) -> None:
        incident = running.fake.trigger(SERVICE, "Disk full")
        running.fake.outage("slow", paths=("/incidents",), seconds=0.4, count=1)
        await running.hears_of(incident)

        async def asked() -> bool:
            return bool(running.reads())

        await until_async(asked, "it was not read")
        running.fake.act(incident.id, "resolve", by="PBOB002")
        await running.hears_of(incident, "annotated", 1.0)
        await until_async(lambda: _is(running, incident, Status.RESOLVED), "the second read never came")

    async def test_what_cannot_be_read_is_read_later(self, running: Reading) -> None:
        incident = running.fake.trigger(SERVICE, "Disk full")
        running.fake.act(incident.id, "acknowledge", by="PBOB002")
        running.fake.outage("down", paths=("/incidents",))
        await running.hears_of(incident)

        async def tried() -> bool:
            return running.rereader._away

        await until_async(tried, "it was not tried", within=30)
        running.fake.outage("off")
        await until_async(lambda: _is(running, incident, Status.ACKNOWLEDGED), "it was never read", within=30)

    async def test_what_pagerduty_does_not_know_is_not_asked_again(self, running: Reading) -> None:
        await running.incidents.accept(an_event(incident=an_incident("QNOBODY")))

        async def settled() -> bool:
            return bool(running.reads()) and await running.incidents.take_stale(10) == []

        await until_async(settled, "it was not given up")
        assert len(running.reads()) == 1


async def _is(reading: Reading, incident: Incident, status: Status) -> bool:
    return await reading.status(incident) is status


def test_pauses_grow_to_a_minute_and_in_an_outage_to_seconds() -> None:
    assert [pause_after(tries, LONGEST_PAUSE) for tries in (0, 1, 5, 100)] == [1.0, 2.0, 32.0, 60.0]
    assert [pause_after(tries, LONGEST_AFTER_OUTAGE) for tries in (0, 1, 5, 100)] == [1.0, 2.0, 10.0, 10.0]


class TestPuttingOff:
    """What was tried in vain many times, and how soon it is tried again."""

    async def test_however_long_pagerduty_was_away_it_is_read_soon_after(self, reading: Reading) -> None:
        incident = reading.fake.trigger(SERVICE, "Disk full")
        await reading.hears_of(incident)
        reading.fake.outage("down", paths=("/incidents",))
        await _tried_in_vain(reading, times=6)
        reading.fake.outage("off")
        reading.pass_time(LONGEST_AFTER_OUTAGE)
        assert len(await reading.incidents.take_stale(10)) == 1

    async def test_one_that_pagerduty_keeps_from_us_is_asked_for_rarely(self, reading: Reading) -> None:
        incident = reading.fake.trigger(SERVICE, "Disk full")
        await reading.hears_of(incident)
        reading.fake.outage("error", paths=("/incidents",), status=403)
        await _tried_in_vain(reading, times=6)
        reading.pass_time(LONGEST_AFTER_OUTAGE)
        assert await reading.incidents.take_stale(10) == []
        reading.pass_time(LONGEST_PAUSE)
        assert len(await reading.incidents.take_stale(10)) == 1


async def _tried_in_vain(reading: Reading, *, times: int) -> None:
    async def at_once(seconds: float) -> None:
        """No wait between the tries of one request."""

    async with open_session() as session:
        http = PagerDutyHttp(session, reading.fake.origin, sleep=at_once)
        client = PagerDuty(http, AccountKey(SecretStr(reading.fake.api_key)))
        rereader = Rereader(
            reading.incidents, client, Levels(Directory(client), client), Wake(reading.database)
        )
        for _ in range(times):
            reading.pass_time(LONGEST_PAUSE)
            (stale,) = await reading.incidents.take_stale(10)
            assert not await rereader.read(stale)


class TestSweep:
    async def test_it_tells_what_no_webhook_told(self, reading: Reading) -> None:
        first = reading.fake.trigger(SERVICE, "Disk full")
        second = reading.fake.trigger(SERVICE, "Disk fuller")
        assert await reading.sweep.once(at_start=True) == Swept(open=2, gone=0, saved=2)
        assert await reading.status(first) is Status.TRIGGERED
        reading.fake.act(first.id, "resolve", by="PBOB002")
        reading.fake.act(second.id, "acknowledge", by="PBOB002")
        assert await reading.sweep.once(at_start=True) == Swept(open=1, gone=1, saved=2)
        assert await reading.status(first) is Status.RESOLVED
        assert await reading.status(second) is Status.ACKNOWLEDGED

    async def test_it_asks_for_all_open_ones_however_old(self, reading: Reading) -> None:
        await reading.sweep.once()
        (listed,) = [one for one in reading.fake.journal if one.path == "/incidents"]
        assert "date_range=all" in str(listed.query) or "'all'" in str(listed.query)

    async def test_what_pagerduty_lost_is_left_as_we_know_it(self, reading: Reading) -> None:
        await reading.incidents.accept(an_event(incident=an_incident("QNOBODY")))
        assert await reading.sweep.once(at_start=True) == Swept(open=0, gone=1, saved=0)
        known = await reading.incidents.find("QNOBODY")
        assert known is not None
        assert known.is_open

    async def test_one_replica_does_it_each_period(self, reading: Reading) -> None:
        other = reading.another()
        both = await asyncio.gather(reading.sweep.once(), other.once())
        assert sorted(swept is None for swept in both) == [False, True]
        assert await other.once() is None
        assert await other.once(at_start=True) is not None
        reading.database.clock_offset += 300
        assert await other.once() is not None

    async def test_one_that_failed_is_tried_again_by_anybody(self, reading: Reading) -> None:
        reading.fake.outage("down", paths=("/incidents",))
        assert not await reading.sweep._try(at_start=True)
        reading.fake.outage("off")
        assert await reading.another().once() is not None

    async def test_one_that_died_in_the_middle_keeps_a_start_waiting_for_seconds(
        self, reading: Reading
    ) -> None:
        first = reading.fake.trigger(SERVICE, "Disk full")
        await Leases(reading.database, "dead").take(SWEEPING, SWEEPING_SECONDS)
        assert not await reading.sweep._try(at_start=True)  # so it is tried again soon
        reading.pass_time(SWEEPING_SECONDS + 1)
        assert await reading.another().once() is not None  # nor has this period been used up
        assert await reading.sweep._try(at_start=True)
        assert await reading.status(first) is Status.TRIGGERED

    async def test_it_runs_at_start_and_stops_when_told(self, reading: Reading) -> None:
        incident = reading.fake.trigger(SERVICE, "Disk full")
        stop = asyncio.Event()
        task = asyncio.create_task(reading.sweep.run(stop))
        await until_async(lambda: _is(reading, incident, Status.TRIGGERED), "the start was not swept")
        stop.set()
        await asyncio.wait_for(task, 30)


class TestASweepInPieces:
    """One page each time, however many are open; the fake's pages are a hundred long, as PagerDuty's."""

    async def test_where_one_page_is_all_it_is_two_calls_and_finds_everything(self, reading: Reading) -> None:
        first, second = reading.fake.trigger(SERVICE, "Disk full"), reading.fake.trigger(SERVICE, "No disk")
        await reading.sweep.once(at_start=True)
        reading.pass_time(300)
        reading.fake.act(first.id, "resolve", by="PBOB002")
        asked = len(reading.fake.journal)
        assert await reading.sweep.once() == Swept(open=1, gone=1, saved=2)
        calls = [one.path for one in reading.fake.journal[asked:]]
        assert calls == ["/incidents", f"/incidents/{first.id}", "/log_entries"]
        assert await reading.status(first) is Status.RESOLVED
        reading.pass_time(300)
        asked = len(reading.fake.journal)
        assert await reading.sweep.once() == Swept(open=1, gone=0, saved=1)
        assert [one.path for one in reading.fake.journal[asked:]] == ["/incidents", "/log_entries"]
        assert await reading.status(second) is Status.TRIGGERED

    async def test_what_changes_though_it_is_resolved_is_found_by_the_log(self, reading: Reading) -> None:
        """Its message still stands, and no webhook tells of another title or urgency."""
        incident = reading.fake.trigger(SERVICE, "Disk full")
        reading.fake.act(incident.id, "resolve", by="PBOB002")
        await reading.hears_of(incident)
        (stale,) = await _due(reading)
        await reading.rereader.read(stale)
        reading.pass_time(300)
        reading.fake.act(incident.id, "title", by="PBOB002", text="Disk full, now with a reason")
        for _ in range(3):  # starts of replicas that do not live until the next piece
            reading.pass_time(100)
            await reading.another().once(at_start=True)
        reading.pass_time(300)
        swept = await reading.sweep.once()
        assert swept is not None
        assert swept.doubted == 1
        (stale,) = await _due(reading)
        await reading.rereader.read(stale)
        known = await reading.incidents.find(incident.id)
        assert known is not None
        assert known.title == "Disk full, now with a reason"

    @pytest.mark.parametrize("ahead", [600.0, -600.0, 0.0], ids=["ahead", "behind", "alike"])
    async def test_whatever_the_databases_clock_shows_no_change_is_passed_over(
        self, reading: Reading, ahead: float
    ) -> None:
        reading.database.clock_offset += ahead
        incident = reading.fake.trigger(SERVICE, "Disk full")
        await reading.sweep.once(at_start=True)
        reading.fake.act(incident.id, "resolve", by="PBOB002")
        for title in ("a", "b", "c"):
            reading.pass_time(20)
            reading.fake.act(incident.id, "title", by="PBOB002", text=title)
            reading.pass_time(280)
            await reading.sweep.once()
            for stale in await reading.incidents.take_stale(10):
                await reading.rereader.read(stale)
            known = await reading.incidents.find(incident.id)
            assert known is not None
            assert (known.status, known.title) == (Status.RESOLVED, title)
        for _ in range(3):
            reading.pass_time(300)
            asked = len(reading.fake.journal)
            assert await reading.sweep.once() == Swept(open=0, gone=0, saved=0)
            paths = [one.path for one in reading.fake.journal[asked:]]
            assert paths == ["/incidents", "/log_entries"]
        assert reading.fake.journal[-1].answer["log_entries"] == []

    async def test_more_take_turns_and_the_log_tells_what_changed(self, reading: Reading) -> None:
        many = [reading.fake.trigger(SERVICE, f"Disk {number} full", urgency="low") for number in range(230)]
        reading.pass_time(300)
        await reading.sweep.once(at_start=True)
        last = many[-1]
        reading.pass_time(5)
        reading.fake.act(last.id, "acknowledge", by="PBOB002")
        listed: list[int] = []
        for _ in range(3):
            reading.pass_time(300)
            asked = len(reading.fake.journal)
            swept = await reading.sweep.once()
            assert swept is not None
            listed.append(swept.open)
            assert [one.path for one in reading.fake.journal[asked:]] == ["/incidents", "/log_entries"]
            for stale in await reading.incidents.take_stale(10):
                await reading.rereader.read(stale)
        assert listed == [100, 100, 50]
        assert await reading.status(last) is Status.ACKNOWLEDGED

    async def test_what_left_the_list_during_a_round_is_read_at_its_end(self, reading: Reading) -> None:
        many = [reading.fake.trigger(SERVICE, f"Disk {number} full") for number in range(130)]
        await reading.sweep.once(at_start=True)
        reading.pass_time(300)
        await reading.sweep.once()
        reading.fake.act(many[3].id, "resolve", by="PBOB002")
        reading.fake.state.log.clear()
        reading.pass_time(300)
        await reading.sweep.once()
        for _ in range(2):
            reading.pass_time(300)
            await reading.sweep.once()
        assert await reading.status(many[3]) is Status.RESOLVED

    async def test_an_incident_nobody_told_of_is_found_by_the_log(self, reading: Reading) -> None:
        for number in range(130):
            reading.fake.trigger(SERVICE, f"Disk {number} full")
        await reading.sweep.once(at_start=True)
        new = reading.fake.trigger(SERVICE, "Brand new")
        reading.pass_time(300)
        await reading.sweep.once()
        assert await reading.status(new) is Status.TRIGGERED

    async def test_in_a_hurry_the_whole_list_is_read(self, reading: Reading) -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(reading.sweep.run(stop))
        first = reading.fake.trigger(SERVICE, "Disk full")
        await until_async(lambda: _is(reading, first, Status.TRIGGERED), "the start was not swept")
        second = reading.fake.trigger(SERVICE, "Disk fuller")
        reading.sweep.hurry()
        await until_async(lambda: _is(reading, second, Status.TRIGGERED), "nobody hurried")
        stop.set()
        await asyncio.wait_for(task, 30)


async def _due(reading: Reading) -> list[Stale]:
    """What is to be read now; a burst is gathered first."""
    reading.pass_time(1)
    return await reading.incidents.take_stale(10)
