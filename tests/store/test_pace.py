"""The pace: buckets that replicas share, moved by Slack's Retry-After, slower after a 429."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.database import Database
from bot.store.pace import (
    CLICKS_SHARE,
    POSTS,
    UPDATES,
    Bucket,
    Charge,
    Level,
    Pace,
    PaceLimits,
    channel_posts,
    learnt,
    refilled,
    wait,
)
from tests.store.seeding import CHECKOUT, SEARCH, TEAM, StillDatabase, opened

NOON = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
HERE = channel_posts(CHECKOUT)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, StillDatabase) as database:
        yield database


async def wait_to_spend(pace: Pace, team_id: str, bucket: str, *, reserve: float = 0.0) -> float:
    """One call's charge, in a transaction of its own."""
    return await pace.spend(team_id, [Charge(bucket, reserve=reserve)])


async def test_a_channel_takes_three_posts_at_once_and_then_one_a_second(database: Database) -> None:
    pace = Pace(database)
    assert [await wait_to_spend(pace, TEAM, HERE) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert await wait_to_spend(pace, TEAM, HERE) == pytest.approx(1.0, abs=0.01)
    database.clock_offset += 1.01
    assert await wait_to_spend(pace, TEAM, HERE) == 0.0
    assert await wait_to_spend(pace, TEAM, HERE) > 0


async def test_replicas_share_one_budget(database: Database) -> None:
    one, two = Pace(database), Pace(database)
    assert [await wait_to_spend(pace, TEAM, HERE) for pace in (one, two, one)] == [0.0, 0.0, 0.0]
    assert await wait_to_spend(two, TEAM, HERE) > 0


async def test_no_minute_sees_more_than_its_setting(database: Database) -> None:
    pace = Pace(database, PaceLimits(updates_per_minute=50))
    spent = 0
    for _ in range(240):
        spent += await wait_to_spend(pace, TEAM, UPDATES) == 0.0
        database.clock_offset += 0.25
    assert 40 <= spent <= 50


async def test_a_fifth_of_the_edits_is_kept_for_clicks(database: Database) -> None:
    pace = Pace(database, PaceLimits(updates_per_minute=50))
    quiet = 0
    while await wait_to_spend(pace, TEAM, UPDATES, reserve=CLICKS_SHARE) == 0.0:
        quiet += 1
    assert quiet == 8
    assert [await wait_to_spend(pace, TEAM, UPDATES) for _ in range(2)] == [0.0, 0.0]
    assert await wait_to_spend(pace, TEAM, UPDATES) > 0


async def test_all_charges_of_a_call_are_paid_or_none(database: Database) -> None:
    pace = Pace(database, PaceLimits(channel_burst=1, posts_per_minute=300))
    charges = [Charge(HERE), Charge(POSTS)]

    async def spend() -> float:
        return await pace.spend(TEAM, charges)

    assert await spend() == 0.0
    for _ in range(200):
        assert await spend() > 0  # the channel refuses: the workspace's posts stay
    assert await wait_to_spend(pace, TEAM, channel_posts(SEARCH)) == 0.0
    assert await wait_to_spend(pace, TEAM, POSTS) == 0.0


EDITS_RATE = PaceLimits().bucket(UPDATES).rate


async def seconds_between_edits(pace: Pace) -> float:
    """After a stop: one goes at once, the next has to wait for the bucket."""
    assert await wait_to_spend(pace, TEAM, UPDATES, reserve=CLICKS_SHARE) == 0.0
    return await wait_to_spend(pace, TEAM, UPDATES, reserve=CLICKS_SHARE)


async def test_retry_after_stops_everybody_and_halves_the_rate(database: Database) -> None:
    pace = Pace(database)
    for _ in range(6):
        assert await wait_to_spend(pace, TEAM, UPDATES) == 0.0
    await pace.blocked(TEAM, UPDATES, 30)
    assert await wait_to_spend(Pace(database), TEAM, UPDATES) == pytest.approx(30, abs=0.01)
    database.clock_offset += 30.01
    assert await seconds_between_edits(pace) == pytest.approx(1 / (EDITS_RATE / 2), rel=0.2)


async def test_one_that_our_rate_cannot_have_caused_stops_and_slows_nobody(database: Database) -> None:
    pace = Pace(database)
    assert await wait_to_spend(pace, TEAM, UPDATES) == 0.0
    await pace.blocked(TEAM, UPDATES, 30)
    assert await wait_to_spend(pace, TEAM, UPDATES) == pytest.approx(30, abs=0.01)
    database.clock_offset += 30.01
    assert await seconds_between_edits(pace) == pytest.approx(1 / EDITS_RATE, rel=0.2)


async def test_another_one_right_after_it_halves_the_rate(database: Database) -> None:
    pace = Pace(database, PaceLimits(channel_burst=3))
    for _ in range(2):
        await pace.post_blocked(CHECKOUT, 5)
        database.clock_offset += 5.01
    assert await wait_to_spend(pace, TEAM, HERE) == 0.0  # one at once
    assert await wait_to_spend(pace, TEAM, HERE) == pytest.approx(0.8, abs=0.05)
    database.clock_offset += 0.81
    assert await wait_to_spend(pace, TEAM, HERE) == 0.0
    assert await wait_to_spend(pace, TEAM, HERE) == pytest.approx(2.0, abs=0.05)


async def test_another_workspace_goes_on(database: Database) -> None:
    pace = Pace(database)
    await pace.blocked(TEAM, UPDATES, 30)
    assert await wait_to_spend(pace, "T0OTHER", UPDATES) == 0.0


async def test_a_limited_post_stops_its_channel_first_and_then_the_workspace(database: Database) -> None:
    pace = Pace(database)
    await pace.post_blocked(CHECKOUT, 10)
    assert await wait_to_spend(pace, TEAM, HERE) > 9
    assert await wait_to_spend(pace, TEAM, POSTS) == 0.0
    await pace.post_blocked(SEARCH, 10)
    assert await wait_to_spend(pace, TEAM, POSTS) > 9


def test_a_learnt_rate_recovers_with_quiet() -> None:
    level = Level(0.0, NOON, NOON, 0.25)
    assert learnt(level, NOON) == 0.25
    assert learnt(level, NOON + timedelta(seconds=90)) == pytest.approx(0.5)
    assert learnt(level, NOON + timedelta(seconds=600)) == 1.0


@given(
    tokens=st.floats(0, 10),
    passed=st.floats(0, 10_000),
    factor=st.floats(1 / 16, 1),
    cost=st.floats(0.1, 5),
    reserve=st.floats(0, 0.5),
)
def test_what_has_to_wait_can_pay_afterwards(
    tokens: float, passed: float, factor: float, cost: float, reserve: float
) -> None:
    bucket = Bucket(10.0, 0.7)
    level = Level(tokens, NOON, NOON, factor)
    charge = Charge("any", cost, reserve)
    now = NOON + timedelta(seconds=passed)
    assert 0 <= refilled(level, bucket, now) <= bucket.size
    later = now + timedelta(seconds=wait(level, bucket, charge, now) + 0.001)
    assert wait(level, bucket, charge, later) == pytest.approx(0.0, abs=0.01)
