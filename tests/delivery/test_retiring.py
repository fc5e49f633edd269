"""Old rows go once an hour however many replicas there are, with a pause after each batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bot.delivery.retiring import Retiring
from bot.metrics import Metrics
from bot.store.leases import Leases
from bot.store.retention import DAY, Days, Retention
from tests.store.acts import an_act, put_acts
from tests.store.seeding import StillDatabase, opened
from tests.test_metrics import figures


@dataclass
class Scene:
    database: StillDatabase
    metrics: Metrics = field(default_factory=Metrics)
    pauses: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def replica(self, name: str) -> Retiring:
        return Retiring(
            Retention(self.database, Days(), rows=10),
            Leases(self.database, name),
            figures=self.metrics,
            seconds=3600,
            sleep=self.sleep,
        )


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    async with opened(database_url, StillDatabase) as database:
        assert isinstance(database, StillDatabase)
        await put_acts(database, *(an_act(n) for n in range(25)))
        database.clock_offset = 500 * DAY
        yield Scene(database)


async def test_one_of_the_replicas_does_it_in_batches(scene: Scene) -> None:
    both = await asyncio.gather(scene.replica("one").once(), scene.replica("two").once())
    assert sorted(both, key=bool) == [None, {"audit": 25}]
    assert len(scene.pauses) == 3
    assert figures(scene.metrics)['pagerline_old_rows_deleted_total{table="audit"}'] == 25


async def test_nobody_does_it_again_within_the_hour(scene: Scene) -> None:
    assert await scene.replica("one").once() == {"audit": 25}
    assert await scene.replica("two").once() is None
    scene.database.clock_offset += 3600
    assert await scene.replica("two").once() == {}


async def test_a_stop_is_heard_between_batches(scene: Scene) -> None:
    stop = asyncio.Event()
    stop.set()
    assert await scene.replica("one").once(stop) == {"audit": 10}
    await asyncio.wait_for(scene.replica("one").run(stop), 30)
