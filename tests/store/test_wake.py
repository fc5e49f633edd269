"""Hints: at once in one process, from replica to replica, and again after the connection was lost."""

from __future__ import annotations

import asyncio

from bot.store.database import Database
from bot.store.wake import TOPICS, Wake
from tests.store.frozen import relay_to


async def test_a_hint_is_heard_once(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    wake = Wake(database)
    wake.start()
    wake.notify("delivery")
    wake.notify("delivery")
    assert await wake.wait(5.0, "delivery")
    assert not await wake.wait(0.01, "delivery")
    assert not await wake.wait(0.01, "stale")
    waiting = asyncio.create_task(wake.wait(5.0, "stale"))
    await asyncio.sleep(0)
    wake.notify("stale")
    assert await waiting
    await wake.close()
    await database.close()


async def _connected(wake: Wake) -> None:
    """Whoever connects assumes that hints were lost, and so is woken."""
    for topic in TOPICS:
        assert await wake.wait(10.0, topic)


async def test_replicas_hear_each_other_but_not_themselves_twice(postgresql_url: str) -> None:
    database = await Database.open(postgresql_url)
    one, other = Wake(database), Wake(database)
    one.start()
    other.start()
    await _connected(one)
    await _connected(other)
    one.notify("stale")
    assert await other.wait(5.0, "stale")
    assert await one.wait(5.0, "stale")
    other.notify("delivery")
    assert await one.wait(5.0, "delivery")
    assert not await one.wait(0.05, "stale")
    await one.close()
    await other.close()
    await database.close()


async def test_a_lost_connection_is_made_again(postgresql_url: str) -> None:
    async with relay_to(postgresql_url) as relay:
        near, far = await Database.open(postgresql_url), await Database.open(relay.url)
        one, other = Wake(near), Wake(far)
        one.start()
        other.start()
        await _connected(one)
        await _connected(other)
        relay.cut()
        await _connected(other)
        one.notify("stale")
        assert await other.wait(5.0, "stale")
        await other.close()
        await one.close()
        await near.close()
        await far.close()


async def test_without_a_server_hints_are_still_heard_here() -> None:
    database = await Database.open("postgresql://nobody@127.0.0.1:1/none")
    wake = Wake(database)
    wake.start()
    wake.notify("delivery")
    assert await wake.wait(5.0, "delivery")
    await wake.close()
    await wake.close()
    await database.close()
