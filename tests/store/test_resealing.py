"""A new key: everything is sealed again with it while others go on writing, and nothing newer is lost."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, insert, select, update

from bot.model import SlackUser
from bot.store import people_tables
from bot.store.accounts import AccountStore
from bot.store.database import Database, Result
from bot.store.people_tables import (
    accounts,
    event_keys,
    intents,
    link_states,
    link_tickets,
    webhook_secrets,
    workspaces,
)
from bot.store.resealing import BATCH, SEALED, Resealing
from bot.store.sealing import Sealer, new_key
from tests.store.seeding import StillDatabase, opened

OLD, NEW, LOST = new_key(), new_key(), new_key()
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
OLD_ONLY, BOTH, NEW_ONLY = Sealer([OLD]), Sealer([NEW, OLD]), Sealer([NEW])


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, StillDatabase) as database:
        yield database


async def no_pause(seconds: float) -> None:
    await asyncio.sleep(0)


def resealing(database: Database, sealer: Sealer = BOTH) -> Resealing:
    return Resealing(database, sealer, sleep=no_pause)


async def put(database: Database, *rows: Any) -> None:
    async with database.write() as connection:
        for row in rows:
            await connection.execute(row)


def account(number: int, sealer: Sealer = OLD_ONLY, **other: Any) -> Any:
    values = {
        "team_id": f"T{number % 3}",
        "user_id": f"U{number:05}",
        "person_id": f"P{number}",
        "person_name": "Alice Anderson",
        "access_token": sealer.seal(f"access {number}"),
        "refresh_token": sealer.seal(f"refresh {number}"),
        "scopes": "openid",
        "linked_at": NOON,
    }
    return insert(accounts).values(values | other)


def one_of_each(sealer: Sealer) -> list[Any]:
    """A row in every table that holds sealed text."""
    intent = {"id": 1, "key": "k", "team_id": "T", "user_id": "U", "surface": "slash", "verb": "ack"}
    state = {"state_hash": "s", "ticket_hash": "t", "browser_hash": "b"}
    moments = {"created_at": NOON, "expires_at": NOON}
    return [
        account(1, sealer),
        insert(intents).values(
            intent | moments | {"words": "", "state": "done", "response_url": sealer.seal("address")}
        ),
        insert(link_tickets).values(
            {"ticket_hash": "t", "team_id": "T", "user_id": "U", "response_url": sealer.seal("address")}
            | moments
        ),
        insert(link_states).values(
            state
            | moments
            | {"verifier": sealer.seal("verifier"), "access_token": sealer.seal("access")}
            | {"refresh_token": sealer.seal("refresh")}
        ),
        insert(workspaces).values(
            {"team_id": "T", "name": "Acme", "bot_user_id": "U", "bot_id": "B", "installed_at": NOON}
            | {"bot_token": sealer.seal("xoxb")}
        ),
        insert(webhook_secrets).values(
            {"subscription_id": "PWS1", "secret": sealer.seal("webhook secret"), "added_at": NOON}
        ),
        insert(event_keys).values(
            {"name": "deploys", "routing_key": sealer.seal("routing key"), "added_at": NOON}
        ),
    ]


async def sealed(database: Database) -> list[str]:
    """Everything that is sealed."""
    async with database.read() as connection:
        return [
            value
            for column in SEALED
            for value in (await connection.execute(select(column))).scalars()
            if value is not None
        ]


async def texts(database: Database, sealer: Sealer) -> list[str]:
    return sorted(sealer.open(value) for value in await sealed(database))


def test_every_column_that_is_sealed_is_known() -> None:
    source = inspect.getsource(people_tables)
    named, table = set(), ""
    for line in source.splitlines():
        if begun := re.match(r"(\w+) = Table\(", line):
            table = begun[1]
        if column := re.search(r'Column\("(\w+)".*#.*\bsealed\b', line):
            named.add(f"{table}.{column[1]}")
    assert {str(column) for column in SEALED} == named


async def test_everything_opens_with_the_first_key_alone(database: Database) -> None:
    await put(database, *one_of_each(OLD_ONLY))
    before = await texts(database, OLD_ONLY)
    assert len(before) == len(SEALED)
    done = await resealing(database).run()
    assert (done.changed, dict(done.unsealable), done.restless) == (len(SEALED), {}, False)
    assert await texts(database, NEW_ONLY) == before


async def test_what_is_sealed_with_the_first_key_stays_untouched(database: Database) -> None:
    await put(database, *one_of_each(NEW_ONLY))
    before = await sealed(database)
    assert (await resealing(database).run()).changed == 0
    assert await sealed(database) == before


async def test_more_than_one_batch(database: Database) -> None:
    many = 2 * BATCH + 7
    await put(database, *(account(number) for number in range(many)))
    assert (await resealing(database).run()).changed == 2 * many
    assert len(await texts(database, NEW_ONLY)) == 2 * many


async def test_an_empty_database_has_nothing_to_do(database: Database) -> None:
    assert (await resealing(database).run()).changed == 0


async def test_what_no_key_opens_is_counted_and_left(database: Database) -> None:
    await put(database, account(1), account(2, Sealer([LOST])), account(3))
    done = await resealing(database).run()
    assert done.changed == 4
    assert dict(done.unsealable) == {"accounts.access_token": 1, "accounts.refresh_token": 1}
    assert not done.restless
    assert len(await texts(database, Sealer([NEW, LOST]))) == 6


class MeddledDatabase(StillDatabase):
    """Somebody else writes just before a transaction of ours begins, as long as there is something."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.meanwhile: list[Any] = []

    async def transact(self, work: Callable[[Connection], Result]) -> Result:
        if self.meanwhile:
            await put(self, self.meanwhile.pop(0))
        return await super().transact(work)


async def test_what_changed_between_reading_and_writing_is_not_overwritten(database_url: str) -> None:
    async with opened(database_url, MeddledDatabase) as database:
        assert isinstance(database, MeddledDatabase)
        await put(database, *(account(number) for number in range(3)))
        mine = update(accounts).where(accounts.c.user_id == "U00001")
        database.meanwhile = [mine.values(access_token=OLD_ONLY.seal("renewed meanwhile"))]
        done = await resealing(database).run()
        assert done.changed == 6
        assert not done.restless
        found = await texts(database, NEW_ONLY)
        assert "renewed meanwhile" in found
        assert "access 1" not in found


async def test_what_ended_meanwhile_stays_erased(database_url: str) -> None:
    async with opened(database_url, MeddledDatabase) as database:
        assert isinstance(database, MeddledDatabase)
        await put(database, account(1))
        database.meanwhile = [update(accounts).values(access_token=None, refresh_token=None)]
        assert (await resealing(database).run()).changed == 0
        assert await sealed(database) == []


async def test_somebody_who_goes_on_with_the_old_key_is_noticed(database_url: str) -> None:
    async with opened(database_url, MeddledDatabase) as database:
        assert isinstance(database, MeddledDatabase)
        await put(database, account(1), account(2))
        mine = update(accounts).where(accounts.c.user_id == "U00001")
        database.meanwhile = [mine.values(access_token=OLD_ONLY.seal(f"again {n}")) for n in range(20)]
        done = await resealing(database).run()
        assert done.restless
        assert len(await texts(database, BOTH)) == 4


async def test_rotation_under_load(database_url: str) -> None:
    """Other processes renew tokens all the while, already with the new key first."""
    async with opened(database_url) as ours, opened(database_url) as theirs:
        store = AccountStore(theirs, BOTH)
        people = [SlackUser(f"T{number % 3}", f"U{number:05}") for number in range(200)]
        await put(ours, *(account(number, expires_at=NOON) for number in range(200)))
        over, written = asyncio.Event(), dict[SlackUser, str]()

        async def renew_on_and_on(mine: list[SlackUser]) -> None:
            for number in itertools.count():
                user = mine[number % len(mine)]
                found = await store.living(user)
                assert found
                text = f"renewed {number}"
                if not await store.renew(user, found.generation, Pair(text)):
                    continue
                written[user] = text
                if over.is_set():
                    return

        writers = [asyncio.ensure_future(renew_on_and_on(people[part::4])) for part in range(4)]
        done = await Resealing(ours, BOTH).run()
        over.set()
        await asyncio.gather(*writers)

        assert not done.restless
        assert done.changed > 0
        assert not done.unsealable
        assert written
        clear = AccountStore(ours, NEW_ONLY)  # the old key is gone
        for number, user in enumerate(people):
            kept = await clear.living(user)
            assert kept
            tokens = clear.opened(kept)
            assert tokens.access.get_secret_value() == written.get(user, f"access {number}")


@dataclass(frozen=True)
class Pair:
    text: str

    @property
    def access(self) -> SecretStr:
        return SecretStr(self.text)

    @property
    def refresh(self) -> SecretStr:
        return SecretStr(f"refresh of {self.text}")

    scopes = frozenset[str]()
    expires_in = 86400.0
