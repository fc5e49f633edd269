"""Routing keys by name: sealed, replaced, forgotten."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.errors import UserError
from bot.store.database import Database
from bot.store.event_keys import EventKeys
from bot.store.people_tables import event_keys
from bot.store.sealing import Sealer, new_key

KEY, OTHER = SecretStr("R" * 32), SecretStr("S" * 32)


async def test_a_key_is_kept_sealed_under_its_name(database: Database) -> None:
    keys = EventKeys(database, Sealer([new_key()]))
    assert await keys.key("deploys") is None
    await keys.put("Deploys", KEY)
    assert await keys.key("dePloys") == KEY
    async with database.read() as connection:
        [row] = (await connection.execute(select(event_keys))).all()
    assert "RRR" not in str(row)
    assert list(await keys.names()) == ["deploys"]


async def test_a_newer_one_takes_its_place_and_it_can_be_forgotten(database: Database) -> None:
    keys = EventKeys(database, Sealer([new_key()]))
    await keys.put("deploys", KEY)
    await keys.put("deploys", OTHER)
    await keys.put("alerts", KEY)
    assert await keys.key("deploys") == OTHER
    assert list(await keys.names()) == ["alerts", "deploys"]
    assert await keys.remove("deploys")
    assert not await keys.remove("deploys")
    assert await keys.key("deploys") is None


async def test_without_its_encryption_key_it_is_told(database: Database) -> None:
    await EventKeys(database, Sealer([new_key()])).put("deploys", KEY)
    with pytest.raises(UserError, match="encryption key is missing"):
        await EventKeys(database, Sealer([new_key()])).key("deploys")
