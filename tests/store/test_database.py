"""Opening, the clock, transactions, and every way a database can be away."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Insert, insert, select, text
from sqlalchemy.exc import IntegrityError

from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.people_tables import notices
from bot.store.tables import leases
from tests.store.conftest import Store, store_on
from tests.store.frozen import relay_to


def a_notice(store: Store, key: str) -> Insert:
    return insert(notices).values(key=key, told_at=store.database.now_sql())


async def keys(store: Store) -> list[str]:
    async with store.database.read() as connection:
        return list((await connection.execute(select(notices.c.key).order_by(notices.c.key))).scalars())


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root@host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "nonsense",
        "postgresql://u:hunter2@h:port/db",
    ],
)
async def test_a_url_of_another_kind_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="database URL") as refused:
        await Database.open(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
async def test_the_password_is_never_shown(scheme: str) -> None:
    database = await Database.open(f"{scheme}://bot:hunter2@127.0.0.1:1/bot")
    assert "hunter2" not in repr(database)
    with pytest.raises(StoreUnavailable) as away:
        await database.ping()
    assert "hunter2" not in str(away.value)
    await database.close()


async def test_the_clock_is_true_and_finer_than_a_second(store: Store) -> None:
    moments = [await store.database.now() for _ in range(20)]
    assert abs(moments[0] - datetime.now(UTC)) < timedelta(seconds=5)
    assert moments == sorted(moments)
    assert any(moment.microsecond for moment in moments)


async def test_a_moment_that_was_read_is_the_moment_that_was_stored(store: Store) -> None:
    for number in range(50):
        async with store.database.write() as connection:
            await connection.execute(a_notice(store, f"{number}"))
    async with store.database.read() as connection:
        rows = (await connection.execute(select(notices.c.key, notices.c.told_at))).all()
        for key, told_at in rows:
            same = select(notices.c.key).where(notices.c.key == key, notices.c.told_at == told_at)
            assert await connection.scalar(same) == key


async def test_the_clock_can_be_shifted(database_url: str) -> None:
    async with store_on(database_url, clock_offset=3600.0) as store:
        assert await store.database.now() - datetime.now(UTC) > timedelta(minutes=59)
        async with store.database.write() as connection:
            row = {"name": "a", "holder": "me", "fence": 1}
            await connection.execute(insert(leases).values(until=store.database.now_sql(15.0), **row))
            later = await connection.scalar(
                select(leases.c.name).where(leases.c.until > store.database.now_sql(14.0))
            )
        assert later == "a"


async def test_what_fails_leaves_nothing(store: Store) -> None:
    def twice(connection: Connection) -> None:
        connection.execute(a_notice(store, "one"))
        connection.execute(a_notice(store, "one"))

    with pytest.raises(IntegrityError):
        await store.database.transact(twice)
    with pytest.raises(IntegrityError):
        async with store.database.write() as connection:
            await connection.run_sync(twice)
    assert await keys(store) == []


async def test_writers_of_both_kinds_take_turns(store: Store) -> None:
    async def written(key: str) -> None:
        async with store.database.write() as connection:
            await connection.execute(a_notice(store, key))
            await asyncio.sleep(0)
            await connection.execute(a_notice(store, f"{key}+"))

    async def transacted(key: str) -> None:
        await store.database.transact(lambda connection: connection.execute(a_notice(store, key)).rowcount)

    await asyncio.gather(
        *(written(f"w{number}") for number in range(10)), *(transacted(f"t{number}") for number in range(10))
    )
    assert len(await keys(store)) == 30


async def test_a_reader_cannot_write_on_sqlite(sqlite_url: str) -> None:
    async with store_on(sqlite_url) as store:
        with pytest.raises(StoreUnavailable, match="readonly"):
            async with store.database.read() as connection:
                await connection.execute(a_notice(store, "one"))


async def test_sqlite_promises_what_it_commits(sqlite_url: str) -> None:
    async with store_on(sqlite_url) as store:

        def promises(connection: Connection) -> list[object]:
            names = ("journal_mode", "synchronous", "foreign_keys")
            return [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in names]

        assert await store.database.transact(promises) == ["wal", 2, 1]
        async with store.database.write() as connection:
            assert await connection.run_sync(promises) == ["wal", 2, 1]


async def test_another_process_that_holds_sqlite_is_waited_for_and_then_given_up(sqlite_url: str) -> None:
    async with store_on(sqlite_url) as store:
        impatient = await Database.open(sqlite_url, busy_timeout=0.1)
        async with store.database.write() as connection:
            await connection.execute(a_notice(store, "one"))
            with pytest.raises(StoreUnavailable, match="locked"):
                async with impatient.write():
                    pass
            with pytest.raises(StoreUnavailable, match="locked"):
                await impatient.transact(lambda _: None)
        async with impatient.write():
            pass
        await impatient.close()


async def test_whoever_waits_behind_one_that_found_the_file_locked_shares_its_answer(sqlite_url: str) -> None:
    async with store_on(sqlite_url) as store:
        impatient = await Database.open(sqlite_url, busy_timeout=0.5)
        async with store.database.write() as connection:
            await connection.execute(a_notice(store, "one"))
            began = time.monotonic()
            queue = [impatient.transact(lambda _: None) for _ in range(20)]
            answers = await asyncio.gather(*queue, return_exceptions=True)
            assert time.monotonic() - began < 2.0  # not twenty times as long
            assert {type(answer) for answer in answers} == {StoreUnavailable}
        await impatient.transact(lambda _: None)
        await impatient.close()


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/x.db", "postgresql://nobody@127.0.0.1:1/none"])
async def test_a_database_that_is_not_there_is_unavailable(url: str) -> None:
    database = await Database.open(url)
    with pytest.raises(StoreUnavailable):
        await database.ping()
    with pytest.raises(StoreUnavailable):
        async with database.write():
            pass
    with pytest.raises(StoreUnavailable):
        await database.transact(lambda _: None)
    await database.close()


async def test_a_full_disk_is_unavailable(sqlite_url: str) -> None:
    async with store_on(sqlite_url) as store:

        def fill(connection: Connection) -> None:
            connection.execute(text("PRAGMA max_page_count = 1"))
            for number in range(2000):
                connection.execute(a_notice(store, f"{number}" * 100))

        with pytest.raises(StoreUnavailable, match="full"):
            await store.database.transact(fill)


async def test_a_connection_that_hangs_is_given_up(postgresql_url: str) -> None:
    async with relay_to(postgresql_url) as relay:
        database = await Database.open(relay.url, command_timeout=0.5)
        await database.ping()
        async with database.write():
            pass
        relay.freeze()
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            async with database.write() as connection:
                await connection.execute(text("SELECT 1"))
        with pytest.raises(StoreUnavailable):
            await database.transact(lambda connection: connection.scalar(text("SELECT 1")))
        with pytest.raises(StoreUnavailable):
            await database.ping()
        assert time.monotonic() - began < 20.0
        relay.thaw()
        await database.ping()
        await database.close()


async def test_connections_that_the_server_closed_are_replaced(postgresql_url: str) -> None:
    async with relay_to(postgresql_url) as relay:
        database = await Database.open(relay.url)
        await asyncio.gather(*(database.ping() for _ in range(5)))
        relay.cut()
        while True:  # the driver hears of it within a moment
            try:
                await database.ping()
                break
            except StoreUnavailable:
                await asyncio.sleep(0.01)
        await asyncio.gather(*(database.ping() for _ in range(5)))
        await database.close()


async def test_a_frozen_replica_loses_its_locks(postgresql_url: str) -> None:
    """What it holds is let go by the server: here its own words say so."""
    async with store_on(postgresql_url) as store, store.database.read() as connection:
        limit = await connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
    assert limit == "10s"
