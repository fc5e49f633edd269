"""Links in the store: one per person on either side, tokens sealed, and no newer pair ever overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.model import Person, SlackUser
from bot.store.accounts import Account, AccountStore, PersonTaken
from bot.store.database import Database
from bot.store.people_tables import accounts
from bot.store.sealing import Sealer, Unsealable, new_key
from tests.store.seeding import StillDatabase, opened

ALICE, BOB = SlackUser("T0ACME", "U0ALICE"), SlackUser("T0ACME", "U0BOB")
ELSEWHERE = SlackUser("T0OTHER", "U0ALICE")
ANDERSON = Person("PALICE1", "Alice Anderson", "alice@acme.example")
BROWN = Person("PBOB002", "Bob Brown")
KEY = new_key()
HOUR = 3600.0


@dataclass(frozen=True)
class Pair:
    access: SecretStr
    refresh: SecretStr | None
    scopes: frozenset[str]
    expires_in: float


def pair(name: str, *, refresh: bool = True, scopes: str = "openid incidents.write") -> Pair:
    return Pair(
        SecretStr(f"access {name}"),
        SecretStr(f"refresh {name}") if refresh else None,
        frozenset(scopes.split()),
        24 * HOUR,
    )


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, StillDatabase) as database:
        yield database


@pytest.fixture
def store(database: Database) -> AccountStore:
    return AccountStore(database, Sealer([KEY]))


def access(store: AccountStore, account: Account | None) -> str:
    assert account
    return store.opened(account).access.get_secret_value()


async def test_a_link_is_kept_as_it_was_made(store: AccountStore, database: Database) -> None:
    made = await store.link(ALICE, ANDERSON, pair("1"))
    found = await store.living(ALICE)
    assert found == made
    assert (found.user, found.person, found.scopes) == (
        ALICE,
        ANDERSON,
        frozenset({"openid", "incidents.write"}),
    )
    assert found.seconds_left == pytest.approx(24 * HOUR)
    assert found.life_seconds == pytest.approx(24 * HOUR)
    assert found.refreshed_at is None
    tokens = store.opened(found)
    assert tokens.refresh
    assert tokens.refresh.get_secret_value() == "refresh 1"
    database.clock_offset += HOUR
    later = await store.living(ALICE)
    assert later
    assert later.seconds_left == pytest.approx(23 * HOUR)


async def test_tokens_lie_sealed_and_show_nowhere(store: AccountStore, database: Database) -> None:
    made = await store.link(ALICE, ANDERSON, pair("1"))
    async with database.read() as connection:
        row = (await connection.execute(select(accounts))).one()
    told = f"{row} {made} {made!r} {store.opened(made)!r}"
    assert "access 1" not in told
    assert "refresh 1" not in told
    assert row.access_token not in repr(made)
    with pytest.raises(Unsealable):
        AccountStore(database, Sealer([new_key()])).opened(made)


async def test_a_pagerduty_user_has_one_slack_user_in_a_workspace(store: AccountStore) -> None:
    await store.link(ALICE, ANDERSON, pair("1"))
    with pytest.raises(PersonTaken) as taken:
        await store.link(BOB, ANDERSON, pair("2"))
    assert taken.value.by == ALICE
    assert await store.living(BOB) is None
    assert await store.linked_to("T0ACME", "PALICE1") == ALICE
    await store.link(ELSEWHERE, ANDERSON, pair("3"))  # another workspace, another matter
    assert [one.user for one in await store.all_living("T0ACME")] == [ALICE]
    assert [one.user for one in await store.all_living()] == [ALICE, ELSEWHERE]


async def test_of_two_at_once_one_is_linked(store: AccountStore) -> None:
    answers = await asyncio.gather(
        store.link(ALICE, ANDERSON, pair("1")), store.link(BOB, ANDERSON, pair("2")), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Account", "PersonTaken"]
    assert len(await store.all_living()) == 1


async def test_the_callers_transaction_goes_on_after_a_taken_person(
    store: AccountStore, database: Database
) -> None:
    await store.link(ALICE, ANDERSON, pair("1"))
    async with database.write() as connection:
        with pytest.raises(PersonTaken):
            await store.link_in(connection, BOB, ANDERSON, pair("2"))
        await store.link_in(connection, BOB, BROWN, pair("3"))
    assert await store.linked_to("T0ACME", "PBOB002") == BOB


async def test_linking_again_replaces_what_was(store: AccountStore) -> None:
    first = await store.link(ALICE, ANDERSON, pair("1"))
    second = await store.link(ALICE, BROWN, pair("2"))
    assert second.generation > first.generation
    assert second.person == BROWN
    await store.link(BOB, ANDERSON, pair("3"))  # free again


async def test_a_new_pair_takes_the_old_ones_place(store: AccountStore, database: Database) -> None:
    made = await store.link(ALICE, ANDERSON, pair("1"))
    database.clock_offset += 20 * HOUR
    assert await store.renew(ALICE, made.generation, pair("2", scopes="openid"))
    found = await store.living(ALICE)
    assert found
    assert access(store, found) == "access 2"
    assert found.generation == made.generation + 1
    assert found.seconds_left == pytest.approx(24 * HOUR)
    assert found.life_seconds == pytest.approx(24 * HOUR)
    assert found.scopes == {"openid"}
    assert found.linked_at == made.linked_at


async def test_what_pagerduty_does_not_tell_stays(store: AccountStore) -> None:
    made = await store.link(ALICE, ANDERSON, pair("1"))
    assert await store.renew(ALICE, made.generation, pair("2", refresh=False, scopes=""))
    found = await store.living(ALICE)
    assert found
    assert store.opened(found).refresh == SecretStr("refresh 1")
    assert found.scopes == made.scopes


async def test_a_pair_that_is_not_there_any_more_is_neither_replaced_nor_ended(
    store: AccountStore, database: Database
) -> None:
    made = await store.link(ALICE, ANDERSON, pair("1"))
    assert await store.renew(ALICE, made.generation, pair("2"))
    assert not await store.renew(ALICE, made.generation, pair("late"))
    assert not await store.end(ALICE, "refused", made.generation)
    assert access(store, await store.living(ALICE)) == "access 2"

    await store.remove(ALICE)
    database.clock_offset += 0.01
    again = await store.link(ALICE, BROWN, pair("3"))
    assert again.generation > made.generation + 1
    assert not await store.renew(ALICE, made.generation + 1, pair("late"))
    assert access(store, await store.living(ALICE)) == "access 3"


async def test_an_ended_link_is_remembered_without_its_tokens(
    store: AccountStore, database: Database
) -> None:
    made = await store.link(ALICE, ANDERSON, pair("1"))
    assert await store.end(ALICE, "refused", made.generation)
    assert not await store.end(ALICE, "refused", made.generation)
    assert await store.living(ALICE) is None
    assert not await store.renew(ALICE, made.generation, pair("late"))
    ended = await store.ended(ALICE)
    assert ended
    assert (ended.person, ended.why) == (ANDERSON, "refused")
    async with database.read() as connection:
        row = (await connection.execute(select(accounts))).one()
    assert (row.access_token, row.refresh_token, row.expires_at) == (None, None, None)
    await store.link(BOB, ANDERSON, pair("2"))  # nobody is linked to her
    await store.link(ALICE, BROWN, pair("3"))
    assert await store.ended(ALICE) is None


async def test_unlinking_gives_the_tokens_once(store: AccountStore) -> None:
    await store.link(ALICE, ANDERSON, pair("1"))
    removed = await store.remove(ALICE)
    assert removed
    assert removed.access == SecretStr("access 1")
    assert await store.living(ALICE) is None
    assert await store.ended(ALICE) is None
    assert await store.remove(ALICE) is None


async def test_what_no_key_opens_is_deleted_all_the_same(store: AccountStore, database: Database) -> None:
    await store.link(ALICE, ANDERSON, pair("1"))
    assert await AccountStore(database, Sealer([new_key()])).remove(ALICE) is None
    assert await store.living(ALICE) is None


async def test_due_are_those_whose_token_is_nearly_over(store: AccountStore, database: Database) -> None:
    await store.link(ALICE, ANDERSON, pair("1"))
    database.clock_offset += 12 * HOUR
    await store.link(BOB, BROWN, pair("2"))
    await store.link(ELSEWHERE, BROWN, pair("3", refresh=False))  # cannot be renewed
    assert await store.due(0.25) == []
    database.clock_offset += 7 * HOUR
    assert await store.due(0.25) == [ALICE]
    database.clock_offset += 12 * HOUR
    assert await store.due(0.25) == [ALICE, BOB]
    found = await store.living(ALICE)
    assert found
    await store.renew(ALICE, found.generation, pair("4"))
    assert await store.due(0.25) == [BOB]
