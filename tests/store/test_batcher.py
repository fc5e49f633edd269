"""Everything that waits goes into one transaction, and nobody pays for another's bad item."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError

from bot.errors import StoreUnavailable
from bot.store.batcher import Batcher
from bot.store.database import Database
from bot.store.outages import DEADLOCK_TRIES
from bot.store.people_tables import notices
from tests.store.conftest import Store


class Notes:
    """A group that inserts keys; what it was asked is remembered."""

    def __init__(self, database: Database, *, rescues: bool = True) -> None:
        self._row = insert(notices).values(told_at=database.now_sql())
        self._rescues = rescues
        self.batches: list[list[str]] = []
        self.done: list[str] = []
        self.failures: list[Exception] = []

    def take(self, connection: Connection, items: Sequence[str]) -> list[str]:
        self.batches.append(list(items))
        if self.failures:
            raise self.failures.pop(0)
        for item in items:
            connection.execute(self._row, {"key": item})
            if item.startswith("bad"):
                raise ValueError(item)
        return [f"{item}!" for item in items]

    def rescue(self, connection: Connection, item: str, error: Exception) -> str:
        if not self._rescues:
            raise error
        connection.execute(self._row, {"key": f"raw {item}"})
        return f"rescued {item}"

    def committed(self, items: Sequence[str], results: Sequence[str]) -> None:
        self.done += items


async def keys(store: Store) -> list[str]:
    async with store.database.read() as connection:
        return list((await connection.execute(select(notices.c.key).order_by(notices.c.key))).scalars())


def a_deadlock() -> DBAPIError:
    original = Exception("deadlock detected")
    original.sqlstate = "40P01"  # type: ignore[attr-defined]
    return DBAPIError("INSERT", {}, original)


async def test_what_waits_is_committed_together(store: Store) -> None:
    seen: list[tuple[int, float]] = []
    batcher = Batcher(store.database, observe=lambda size, seconds: seen.append((size, seconds)))
    notes = Notes(store.database)
    results = await asyncio.gather(*(batcher.submit(notes, f"{number}") for number in range(9)))
    assert results == [f"{number}!" for number in range(9)]
    assert [size for size, _ in seen] == [9]
    assert notes.done == [f"{number}" for number in range(9)]
    await batcher.close()


async def test_a_batch_is_bounded(store: Store) -> None:
    batcher, notes = Batcher(store.database, most=4), Notes(store.database)
    await asyncio.gather(*(batcher.submit(notes, f"{number}") for number in range(10)))
    assert [len(batch) for batch in notes.batches] == [4, 4, 2]
    await batcher.close()


async def test_two_kinds_share_a_transaction(store: Store) -> None:
    sizes: list[int] = []
    batcher = Batcher(store.database, observe=lambda size, _: sizes.append(size))
    one, other = Notes(store.database), Notes(store.database)
    await asyncio.gather(batcher.submit(one, "a"), batcher.submit(other, "b"), batcher.submit(one, "c"))
    assert (one.batches, other.batches, sizes) == ([["a", "c"]], [["b"]], [3])
    await batcher.close()


async def test_a_bad_item_is_rescued_and_the_others_are_saved(store: Store) -> None:
    notes = Notes(store.database)
    results = await asyncio.gather(*(store.batcher.submit(notes, item) for item in ("a", "bad", "c")))
    assert results == ["a!", "rescued bad", "c!"]
    assert await keys(store) == ["a", "c", "raw bad"]


async def test_one_that_cannot_be_rescued_fails_alone(store: Store) -> None:
    notes = Notes(store.database, rescues=False)
    results = await asyncio.gather(
        *(store.batcher.submit(notes, item) for item in ("a", "bad", "c")), return_exceptions=True
    )
    assert isinstance(results[1], ValueError)
    assert [results[0], results[2]] == ["a!", "c!"]
    assert await keys(store) == ["a", "c"]
    assert notes.done == ["a", "c"]


async def test_a_deadlock_is_tried_again(store: Store) -> None:
    notes = Notes(store.database)
    notes.failures = [a_deadlock() for _ in range(DEADLOCK_TRIES - 1)]
    assert await store.batcher.submit(notes, "a") == "a!"
    assert len(notes.batches) == DEADLOCK_TRIES


async def test_a_deadlock_that_does_not_end_is_an_outage(store: Store) -> None:
    notes = Notes(store.database)
    notes.failures = [a_deadlock() for _ in range(DEADLOCK_TRIES)]
    with pytest.raises(StoreUnavailable):
        await store.batcher.submit(notes, "a")
    assert await store.batcher.submit(notes, "a") == "a!"


async def test_an_outage_is_everybodys_answer(sqlite_url: str) -> None:
    database = await Database.open("sqlite:////no/such/folder/x.db")
    batcher, notes = Batcher(database), Notes(database)
    results = await asyncio.gather(*(batcher.submit(notes, item) for item in "ab"), return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable] * 2
    await batcher.close()
    await database.close()


async def test_whoever_gives_up_waiting_disturbs_nobody(store: Store) -> None:
    notes = Notes(store.database)
    impatient = asyncio.create_task(store.batcher.submit(notes, "a"))
    patient = asyncio.create_task(store.batcher.submit(notes, "b"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == "b!"
    assert await keys(store) == ["a", "b"]


async def test_closing_finishes_what_was_taken(store: Store) -> None:
    batcher, notes = Batcher(store.database), Notes(store.database)
    waiting = asyncio.create_task(batcher.submit(notes, "a"))
    await asyncio.sleep(0)
    await batcher.close()
    assert await waiting == "a!"
    with pytest.raises(StoreUnavailable):
        await batcher.submit(notes, "b")


async def test_the_loop_goes_on_while_sqlite_commits(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    loop = asyncio.get_running_loop()
    entered, leave = asyncio.Event(), threading.Event()

    def slowly(connection: Connection) -> bool:
        loop.call_soon_threadsafe(entered.set)
        return leave.wait(10)

    slow = asyncio.create_task(database.transact(slowly))
    await entered.wait()
    leave.set()
    assert await slow
    await database.close()
