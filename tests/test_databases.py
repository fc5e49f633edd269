"""The databases the other tests stand on: fresh, empty, really two kinds, gone afterwards."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.databases import PostgresCluster

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


@pytest.mark.parametrize("_time", ["first", "second"])
async def test_every_test_gets_an_empty_database(empty_database_url: str, _time: str) -> None:
    scheme, _, rest = empty_database_url.partition(":")
    engine = create_async_engine(f"{DRIVERS[scheme]}:{rest}")
    try:
        async with engine.begin() as connection:
            assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == []
            await connection.execute(text("CREATE TABLE left_behind (id INTEGER)"))
    finally:
        await engine.dispose()


@pytest.mark.parametrize("_time", ["first", "second", "after the schema was changed"])
async def test_a_migrated_database_holds_nothing(database_url: str, _time: str) -> None:
    scheme, _, rest = database_url.partition(":")
    engine = create_async_engine(f"{DRIVERS[scheme]}:{rest}")
    try:
        async with engine.begin() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM notices"))).scalar_one() == 0
            names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            assert "left_behind" not in names
            await connection.execute(text("INSERT INTO notices (key, told_at) VALUES ('left behind', 0)"))
            if _time == "second":
                await connection.execute(text("CREATE TABLE left_behind (id INTEGER)"))
    finally:
        await engine.dispose()


async def test_a_database_is_dropped_with_its_guests(postgres_cluster: PostgresCluster) -> None:
    url = postgres_cluster.create_database()
    guest = await asyncpg.connect(url)
    postgres_cluster.drop_database(url)
    with pytest.raises(asyncpg.PostgresError):
        await guest.fetchval("SELECT 1")
    await guest.close()


def test_a_cluster_leaves_nothing(postgres_cluster: PostgresCluster, tmp_path: Path) -> None:
    with PostgresCluster(durable=True) as cluster:
        folder = cluster.folder
        assert folder.is_dir()
        assert folder != postgres_cluster.folder
    assert not folder.exists()
