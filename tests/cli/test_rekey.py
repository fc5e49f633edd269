"""`rekey` as a person meets it: what was sealed again, which keys may go, what could not be opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.model import Person, SlackUser
from bot.store.accounts import AccountStore
from bot.store.database import Database
from bot.store.keyfile import key_beside
from bot.store.schema import migrate
from bot.store.sealing import Sealer, new_key
from bot.store.single import FileLock
from tests.cli.conftest import Cli

OLD, OLDER, NEW = new_key(), new_key(), new_key()
ALICE, BOB = SlackUser("T0ACME", "U0ALICE"), SlackUser("T0ACME", "U0BOB")


@dataclass(frozen=True)
class Pair:
    access = SecretStr("planted-access")
    refresh = SecretStr("planted-refresh")
    scopes = frozenset({"openid"})
    expires_in = 86400.0


async def link(url: str, user: SlackUser, key: str) -> None:
    """Somebody is linked, with a key of that time."""
    database = await Database.open(url)
    await migrate(database)
    await AccountStore(database, Sealer([key])).link(user, Person(f"P{user.id}", "Somebody"), Pair())
    await database.close()


async def opens(url: str, user: SlackUser, key: str) -> bool:
    database = await Database.open(url)
    store = AccountStore(database, Sealer([key]))
    account = await store.living(user)
    await database.close()
    return account is not None and store.opened(account).access == Pair.access


def settings(url: str, *keys: str) -> Mapping[str, str]:
    return {"DATABASE_URL": url, "ENCRYPTION_KEYS": ",".join(keys)}


async def test_it_seals_again_and_says_which_keys_may_go(process: Cli, database_url: str) -> None:
    await link(database_url, ALICE, OLD)
    await link(database_url, BOB, OLDER)
    outcome = await process("rekey", settings=settings(database_url, NEW, OLD, OLDER))
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == (
        "Sealed again with the first key: 4 values.\n"
        "Once every running bot has started with this first key, "
        "you may remove key 2 and key 3 of ENCRYPTION_KEYS.\n"
    )
    assert await opens(database_url, ALICE, NEW)
    assert await opens(database_url, BOB, NEW)
    again = await process("rekey", settings=settings(database_url, NEW, OLD))
    assert again.out.startswith("Sealed again with the first key: 0 values.\n")


async def test_what_cannot_be_opened_is_counted_and_is_status_1(process: Cli, sqlite_url: str) -> None:
    await link(sqlite_url, ALICE, OLD)
    await link(sqlite_url, BOB, OLDER)
    outcome = await process("rekey", settings=settings(sqlite_url, NEW, OLD))
    assert outcome.status == 1
    assert "Sealed again with the first key: 2 values." in outcome.out
    assert "Could not be opened in accounts.access_token: 1 value." in outcome.out
    assert "Could not be opened in accounts.refresh_token: 1 value." in outcome.out
    assert "Put it at the end of ENCRYPTION_KEYS" in outcome.out
    everything = outcome.out + outcome.err
    assert not any(secret in everything for secret in (NEW, OLD, OLDER, "planted"))


async def test_while_the_bot_holds_the_file_the_key_beside_it_is_replaced(
    process: Cli, sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "pagerline.db"
    await link(sqlite_url, ALICE, key_beside(file))
    with FileLock(file):
        outcome = await process("rekey", settings=settings(sqlite_url, NEW))
    assert outcome.status == 0
    assert "you may remove the file pagerline.db.key." in outcome.out
    assert await opens(sqlite_url, ALICE, NEW)


async def test_one_key_stays(process: Cli, sqlite_url: str, tmp_path: Path) -> None:
    await link(sqlite_url, ALICE, key_beside(tmp_path / "pagerline.db"))
    outcome = await process("rekey", settings={"DATABASE_URL": sqlite_url})
    assert outcome.status == 0
    assert "There is one key, and it stays" in outcome.out


@pytest.mark.parametrize(
    ("migrated", "keys", "words"),
    [
        (False, [NEW], "There is no database"),
        (True, [], "ENCRYPTION_KEYS is empty"),
    ],
)
async def test_what_is_missing_is_a_line(
    process: Cli, sqlite_url: str, migrated: bool, keys: list[str], words: str
) -> None:
    if migrated:
        database = await Database.open(sqlite_url)
        await migrate(database)
        await database.close()
    outcome = await process("rekey", settings=settings(sqlite_url, *keys))
    assert outcome.status == 1
    assert words in outcome.err
    assert "Traceback" not in outcome.err
