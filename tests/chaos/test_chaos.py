"""The short form of `make chaos`: a small storm with kills, freezes, lost answers and a database that goes.

The seeds are fixed; how processes fall between the moments they choose is new each time.
"""

from __future__ import annotations

import json

import pytest

from tests.chaos.plan import Database, plan
from tests.chaos.seed import one

INCIDENTS = 20
SEEDS: dict[Database, tuple[int, int]] = {"postgresql": (1, 6), "sqlite": (2, 4)}  # seed, points


@pytest.mark.timeout(300)
@pytest.mark.parametrize("database", SEEDS)
@pytest.mark.usefixtures("postgres_cluster")  # says so where PostgreSQL is missing
async def test_after_a_storm_everything_is_true_once_and_answered(database: Database) -> None:
    seed, points = SEEDS[database]
    result = await one(seed, database, incidents=INCIDENTS, points=points)
    # How soon is for `make chaos`: here other tests have the machine too.
    assert result.is_true, result.story()
    assert result.kills + result.freezes == points
    assert result.messages >= 1


def test_a_seed_is_the_same_run_again() -> None:
    def told(seed: int) -> str:
        return repr(plan(seed, "postgresql", incidents=500, points=200))

    assert told(7) == told(7)
    assert told(7) != told(8)


def test_the_long_form_has_all_that_can_go_wrong() -> None:
    long = plan(1, "postgresql", incidents=500, points=200)
    assert len(long.stories) == 500
    assert [len(points) for points in long.points] == [100, 100]
    assert {point.kind for points in long.points for point in points} == {"kill", "freeze"}
    assert {one.where for one in long.mishaps} == {"slack", "pagerduty", "webhooks", "subscription"}
    assert len(long.outages) == 2
    verbs = {deed.verb for story in long.stories for deed in story.deeds}
    assert {"ack", "acknowledge", "resolve", "escalate", "note", "priority", "merge"} <= verbs
    json.dumps([dict(one.options) for one in long.mishaps])  # plain values: a fault is asked for by name
