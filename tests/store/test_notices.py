"""Things told once, over replicas and restarts, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.events import Event
from bot.store.database import Database
from bot.store.notices import Notices
from tests.store.conftest import Store


@pytest.fixture
async def two(store: Store, database_url: str) -> AsyncIterator[tuple[Notices, Notices]]:
    """Two replicas, each with connections of its own."""
    other = await Database.open(database_url)
    yield Notices(store.database), Notices(other)
    await other.close()


async def test_one_of_all_replicas_tells_it(two: tuple[Notices, Notices]) -> None:
    claims = await asyncio.gather(*(notices.claim("signature:PSUB") for notices in two * 5))
    assert sorted(claims) == [False] * 9 + [True]


async def test_what_is_settled_may_be_told_again(two: tuple[Notices, Notices]) -> None:
    one, other = two
    assert await one.claim("signature:PSUB")
    assert await other.drop("signature:PSUB")
    assert not await one.drop("signature:PSUB")
    assert await one.claim("signature:PSUB")


async def test_what_may_be_told_again_after_a_while_is_told_once_in_it(two: tuple[Notices, Notices]) -> None:
    one, _ = two
    claims = await asyncio.gather(*(notices.claim_again("asked:PUMA007", 3600) for notices in two * 5))
    assert sorted(claims) == [False] * 9 + [True]
    assert not await one.claim_again("asked:PUMA007", 3600)


async def test_and_again_when_the_while_is_over(store: Store, database_url: str) -> None:
    assert await Notices(store.database).claim_again("asked:PUMA007", 3600)
    later = await Database.open(database_url, clock_offset=3601)
    try:
        assert await Notices(later).claim_again("asked:PUMA007", 3600)
        assert not await Notices(later).claim_again("asked:PUMA007", 3600)
    finally:
        await later.close()


async def test_each_matter_is_its_own(two: tuple[Notices, Notices]) -> None:
    one, _ = two
    assert await one.claim("signature:PSUB")
    assert await one.claim("signature:POTHER")


async def test_we_know_whom_we_have_heard_from(store: Store) -> None:
    notices = Notices(store.database)
    assert not await notices.heard_from("PSUB")
    now = datetime.now(UTC)
    await store.incidents.accept(Event(id="E1", type="pagey.ping", occurred_at=now, subscription_id="PSUB"))
    assert await notices.heard_from("PSUB")
    assert not await notices.heard_from("PSTRANGE")
    assert not await notices.heard_from("")


async def test_what_stands_open_can_be_listed(two: tuple[Notices, Notices]) -> None:
    one, other = two
    for key in ("signature:PB", "signature:PA", "signatureXPC", "other:PD"):
        assert await one.claim(key)
    assert await other.told("signature:") == ["signature:PA", "signature:PB"]
    await one.drop("signature:PA")
    assert await other.told("signature:") == ["signature:PB"]
