"""A token that somebody else uses is noticed: by its rate, or by what it is refused; small numbers never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import insert

from bot.delivery.usage import Kind, UsageWatch, unusual
from bot.errors import StoreUnavailable
from bot.pagerduty.tally import Counted, Tally
from bot.store.people_tables import usage
from bot.store.usage import Hour, Usage
from tests.store.seeding import NOON, StillDatabase, opened

ALICE = "T0ACME:U0ALICE"
DAYS = list(range(1, 40))


@pytest.mark.parametrize(
    ("identity", "calls", "refused", "week", "found"),
    [
        (ALICE, 101, 0, [], ["rate"]),  # nobody presses so much in an hour without any history
        (ALICE, 100, 0, [], []),
        (ALICE, 100, 0, [1] * 168, []),
        (ALICE, 250, 0, [50] * 20, []),
        (ALICE, 251, 0, [50] * 20, ["rate"]),
        (ALICE, 20, 9, [5], []),
        (ALICE, 20, 10, [5], ["refused"]),
        (ALICE, 400, 400, [5], ["rate", "refused"]),
        ("account", 50_000, 0, [], []),  # its first day: nothing to compare with
        ("account", 50_000, 0, [800] * 23, []),
        ("account", 50_000, 0, [800] * 24, ["rate"]),
        ("account", 4000, 0, [800] * 24, []),
        ("account", 2000, 0, [10] * 24, []),
        ("account", 2001, 19, [10] * 24, ["rate"]),
        ("account", 100, 20, [], ["refused"]),
    ],
)
def test_an_hour_is_measured_by_the_median_of_its_own_week(
    identity: str, calls: int, refused: int, week: list[int], found: list[str]
) -> None:
    assert [one.kind for one in unusual(Hour(identity, NOON, calls, refused), week)] == found


def test_one_wild_hour_does_not_make_the_next_one_usual() -> None:
    assert unusual(Hour(ALICE, NOON, 600, 0), [10, 12, 9, 5000])[0].usual == 11


@dataclass
class Told:
    """What the admins heard, and what /metrics shows."""

    notes: dict[str, str] = field(default_factory=dict)
    figures: dict[tuple[str, str], int] = field(default_factory=dict)

    async def tell_once(self, key: str, text: str) -> None:
        self.notes.setdefault(key, text)

    def unusual_use(self, identity: str, kind: str, count: int) -> None:
        self.figures[identity, kind] = count


@dataclass
class Scene:
    database: StillDatabase
    tally: Tally
    told: Told
    watch: UsageWatch

    def calls(self, identity: str, calls: int, status: int = 200) -> None:
        for _ in range(calls):
            self.tally.count(identity, status)


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    async with opened(database_url, StillDatabase) as database:
        assert isinstance(database, StillDatabase)
        tally, told = Tally(), Told()
        watch = UsageWatch(tally, Usage(database), tell_once=told.tell_once, figures=told, seconds=0.01)
        yield Scene(database, tally, told, watch)


async def test_usual_use_is_nobodys_news(scene: Scene) -> None:
    scene.calls("account", 150)
    scene.calls(ALICE, 3)
    scene.calls("", 5000)  # a token that is nobody's yet
    await scene.watch.once()
    assert scene.told.notes == {}
    assert set(scene.told.figures.values()) == {0}


async def test_the_admins_hear_once_a_day_and_the_figures_name_nobody(scene: Scene) -> None:
    week = [{"identity": ALICE, "hour": NOON - timedelta(hours=n), "calls": 12, "refused": 0} for n in DAYS]
    async with scene.database.write() as connection:
        await connection.execute(insert(usage), week)
    scene.calls(ALICE, 120)
    await scene.watch.once()
    scene.calls(ALICE, 50)
    await scene.watch.once()
    assert list(scene.told.notes) == [f"unusual:{ALICE}:2026-08-01"]
    (note,) = scene.told.notes.values()
    assert "120 calls to PagerDuty between 12:00 UTC and 13:00 UTC (usually 12 an hour)" in note
    assert "U0ALICE" in note
    assert "`/pager unlink`" in note
    assert scene.told.figures["person", "rate"] == 1
    assert scene.told.figures["account", "rate"] == 0
    scene.database.clock_offset = 2 * 3600
    await scene.watch.once()
    assert scene.told.figures["person", "rate"] == 0


async def test_a_burst_of_refusals_is_told_whoever_it_is(scene: Scene) -> None:
    scene.calls("account", 25, 401)
    scene.calls(ALICE, 12, 403)
    await scene.watch.once()
    assert len(scene.told.notes) == 2
    assert "refused 25 of 25 calls" in scene.told.notes["unusual:account:2026-08-01"]
    assert "those of Slack user U0ALICE" in scene.told.notes[f"unusual:{ALICE}:2026-08-01"]
    assert scene.told.figures == {
        ("account", Kind.RATE): 0,
        ("account", Kind.REFUSED): 1,
        ("person", Kind.RATE): 0,
        ("person", Kind.REFUSED): 1,
    }


class AwayUsage(Usage):
    """The database cannot take it."""

    async def add(self, counted: object) -> None:
        raise StoreUnavailable("away")


async def test_nothing_counted_is_lost_while_the_database_is_away(scene: Scene) -> None:
    away = AwayUsage(scene.database)
    watch = UsageWatch(scene.tally, away, tell_once=scene.told.tell_once, figures=scene.told)
    scene.calls(ALICE, 3)
    with pytest.raises(StoreUnavailable):
        await watch.once()
    scene.calls(ALICE, 1, 403)
    assert scene.tally.take() == {ALICE: Counted(4, 1)}


async def test_what_was_counted_last_is_written_at_the_end(scene: Scene) -> None:
    stop = asyncio.Event()
    stop.set()
    scene.calls(ALICE, 7)
    await asyncio.wait_for(scene.watch.run(stop), 30)
    (hour,) = await Usage(scene.database).lately(calls=1, refused=1)
    assert hour.calls == 7
