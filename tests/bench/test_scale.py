"""The scale bench's worlds are what they say, and what is measured in them leaves them as they were."""

from __future__ import annotations

import pytest

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from tests.bench.processes import World
from tests.bench.scale import MEASURED, TOGETHER, sized


@pytest.mark.parametrize("what", MEASURED)
async def test_a_world_stays_its_size(database_url: str, what: str) -> None:
    pagerduty = FakePagerDuty(acme())
    around_it = World("", "", "", await pagerduty.start(), pagerduty.api_key, "")
    pagerduty.storm(30)
    async with sized(database_url, around_it, 30, 12) as one:
        assert len(await one.subscriptions.all()) == 12
        for _ in range(2):
            assert await MEASURED[what](one) > 0
        assert len(await one.incidents.open_ids()) == 30
        shown = [await one.incidents.open_in(sub.channel) for sub in await one.subscriptions.all()]
        assert sum(map(len, shown)) == 0
    await pagerduty.stop()
    assert TOGETHER >= 30
