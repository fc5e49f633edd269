"""What changes in PagerDuty is read anew, by every replica, whoever heard of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot.command.changed_lists import ChangedLists
from bot.errors import PagerDutyForbidden, PagerDutyUnavailable, StoreUnavailable
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.directory import Directory
from bot.pagerduty.http import PagerDutyHttp
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from bot.store.database import Database
from bot.store.list_changes import ListChanges
from bot.store.wake import Wake
from tests.store.seeding import opened
from tests.stories.waiting import until_async

LONG = 600.0  # seconds: only a hint comes sooner


@dataclass
class Replica:
    """One bot's lists, its client's calls told to them, its loop running."""

    fake: FakePagerDuty
    directory: Directory
    changed: ChangedLists
    client: PagerDuty
    forgotten: list[str]

    async def services(self) -> list[str]:
        return sorted(one.name for one in await self.directory.services())


class Forgotten(list[str]):
    """Keeps what was dropped."""

    def cache_lookup(self, cache: str, outcome: str) -> None: ...

    def cache_forgotten(self, cache: str) -> None:
        self.append(cache)


@pytest.fixture
async def fake() -> AsyncIterator[FakePagerDuty]:
    fake = FakePagerDuty(acme())
    await fake.start()
    yield fake
    await fake.stop()


@asynccontextmanager
async def replica(
    fake: FakePagerDuty, database: Database, *, period: float = LONG, listens: bool = True
) -> AsyncIterator[Replica]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        wake = Wake(database)
        if listens:
            wake.start()
        stack.push_async_callback(wake.close)

        def called(method: str, template: str, status: int, seconds: float) -> None:
            changed.called(method, template, status)

        client = PagerDuty(
            PagerDutyHttp(session, fake.origin, on_call=called), AccountKey(SecretStr(fake.api_key))
        )
        forgotten = Forgotten()
        directory = Directory(client, figures=forgotten)
        stack.push_async_callback(directory.close)
        changed = ChangedLists(directory, ListChanges(database), wake, period=period)
        stop = asyncio.Event()
        running = asyncio.create_task(changed.run(stop))
        try:
            yield Replica(fake, directory, changed, client, forgotten)
        finally:
            stop.set()
            await asyncio.wait_for(running, 30)


async def sees(one: Replica, name: str) -> None:
    async def there() -> bool:
        return name in await one.services()

    await until_async(there, f"{name} is not seen")


def rename(fake: FakePagerDuty, name: str) -> None:
    """In PagerDuty's web app."""
    services = fake.state.services
    services["PSVCCHK"] = replace(services["PSVCCHK"], name=name)


async def test_a_change_is_seen_at_once_where_it_was_heard_of(fake: FakePagerDuty, sqlite_url: str) -> None:
    async with opened(sqlite_url) as database, replica(fake, database) as here:
        assert "Checkout" in await here.services()
        rename(fake, "Till")
        assert "Till" not in await here.services()  # nobody told us
        here.changed.changed("services")
        assert "Till" in await here.services()


async def test_and_by_the_others_at_a_hint(fake: FakePagerDuty, postgresql_url: str) -> None:
    async with (
        opened(postgresql_url) as database,
        replica(fake, database) as here,
        replica(fake, database) as there,
    ):
        for one in (here, there):
            assert "Checkout" in await one.services()
        rename(fake, "Till")
        here.changed.changed("services", "policies")
        await sees(there, "Till")


async def test_a_lost_hint_costs_a_period(fake: FakePagerDuty, database_url: str) -> None:
    async with opened(database_url) as database:
        deaf = replica(fake, database, period=0.05, listens=False)
        async with replica(fake, database) as here, deaf as there:
            assert "Checkout" in await there.services()
            rename(fake, "Till")
            here.changed.changed("services")
            await sees(there, "Till")


async def test_who_told_reads_it_once(fake: FakePagerDuty, database_url: str) -> None:
    async with opened(database_url) as database, replica(fake, database, period=0.05) as here:
        await here.services()
        here.changed.changed("services")
        await here.services()

        async def told() -> bool:
            return await ListChanges(database).revisions() == {"services": 1}

        await until_async(told, "nobody was told")
        await here.changed.look()
        await here.services()
        assert here.forgotten == ["services"]
        assert sum(one.path == "/services" for one in fake.journal) == 2


async def test_what_changed_before_the_start_is_old_news_after_one_look(
    fake: FakePagerDuty, database_url: str
) -> None:
    async with opened(database_url) as database:
        await ListChanges(database).note(["services"])
        async with replica(fake, database) as here:
            await here.changed.look()
            await here.services()
            await here.changed.look()
            assert here.forgotten == []


async def test_our_own_writes_count_whoever_makes_them(fake: FakePagerDuty, sqlite_url: str) -> None:
    async with opened(sqlite_url) as database, replica(fake, database) as here:
        await here.services()
        await here.directory.on_calls(policies=["PEPCHK"])
        fake.outage("down", methods=("PUT", "POST"))
        for method, path in [("PUT", "/services/PSVCCHK"), ("POST", "/schedules/PSCHCHK/overrides")]:
            with pytest.raises(PagerDutyUnavailable):  # it may have been done
                await here.client.http.request(method, path, here.client.credentials, body={}, deadline=0.2)
        assert here.forgotten == ["services", "on_calls"]


async def test_refused_writes_and_those_to_incidents_change_no_list(
    fake: FakePagerDuty, sqlite_url: str
) -> None:
    async with opened(sqlite_url) as database, replica(fake, database) as here:
        await here.services()
        incident = fake.trigger("Checkout", "Disk full")
        await here.client.acting_as("alice@acme.example", "T0ACME:U0ALICE").add_note(incident.id, "Looking")
        fake.outage("error", status=403, methods=("PUT",))
        with pytest.raises(PagerDutyForbidden):
            await here.client.http.request("PUT", "/services/PSVCCHK", here.client.credentials, body={})
        assert here.forgotten == []


async def test_while_the_store_is_away_it_is_kept_to_be_told(fake: FakePagerDuty, sqlite_url: str) -> None:
    async with opened(sqlite_url) as database, replica(fake, database) as here:
        await here.services()
        changes = ListChanges(database)
        async with database.write() as connection:
            await connection.execute(text("ALTER TABLE list_changes RENAME TO away"))
        here.changed.changed("services")
        with pytest.raises(StoreUnavailable):
            await here.changed.look()
        async with database.write() as connection:
            await connection.execute(text("ALTER TABLE away RENAME TO list_changes"))
        await here.changed.look()
        assert await changes.revisions() == {"services": 1}
