"""Since when keys are used: kept over restarts, for each key by itself, without a trace of the key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.settings import Settings
from bot.store.database import Database
from bot.store.event_keys import EventKeys
from bot.store.key_uses import DATED, SEALING, SHORTEST, Age, KeyUses, dated_keys, fingerprint
from bot.store.keyfile import key_beside, key_there
from bot.store.people_tables import key_uses
from bot.store.sealing import Sealer, new_key
from bot.store.webhook_secrets import WebhookSecrets
from tests.store.seeding import StillDatabase, opened

DAY = 86_400.0
OLD, NEW = SecretStr("o" * 20), SecretStr("n" * 20)


async def test_a_key_keeps_its_first_day_and_a_new_one_has_its_own(database_url: str) -> None:
    async with opened(database_url, StillDatabase) as still:
        assert isinstance(still, StillDatabase)
        uses = KeyUses(still)
        await uses.note({"pagerduty_api_key": [OLD]})
        still.clock_offset = 100 * DAY
        await uses.note({"pagerduty_api_key": [OLD, NEW]})
        await uses.note({"pagerduty_api_key": [OLD, NEW]})
        still.clock_offset = 101 * DAY
        ages = await uses.ages({"pagerduty_api_key": [OLD, NEW], SEALING: [NEW]})
        assert ages == [Age("pagerduty_api_key", 101 * DAY), Age("pagerduty_api_key", DAY)]
        assert await uses.ages({"pagerduty_api_key": [NEW]}) == [Age("pagerduty_api_key", DAY)]


async def test_sealed_keys_count_from_when_they_were_sealed(database_url: str) -> None:
    async with opened(database_url, StillDatabase) as still:
        assert isinstance(still, StillDatabase)
        sealer = Sealer([new_key()])
        await EventKeys(still, sealer).put("checkout", OLD)
        still.clock_offset = 2 * DAY
        await WebhookSecrets(still, sealer).put("PSUB", NEW)
        still.clock_offset = 3 * DAY
        assert await KeyUses(still).ages({}) == [
            Age("the integration key checkout", 3 * DAY),
            Age("the sealed secret of webhook PSUB", DAY),
        ]


async def test_nothing_of_a_key_is_kept(database: Database) -> None:
    await KeyUses(database).note({"pagerduty_api_key": [OLD], "pagerduty_v2_secrets": [SecretStr("hunter2")]})
    async with database.read() as connection:
        rows = (await connection.execute(select(key_uses))).all()
    (row,) = rows  # what could be tried out leaves no trace
    assert row.setting == "pagerduty_api_key"
    assert len(row.fingerprint) == 32
    assert OLD.get_secret_value()[:6] not in row.fingerprint


def test_the_same_key_in_two_settings_is_two() -> None:
    assert fingerprint("pagerduty_api_key", OLD) != fingerprint("pagerduty_routing_key", OLD)
    assert fingerprint("pagerduty_api_key", SecretStr("x" * (SHORTEST - 1))) is None


@pytest.mark.parametrize("name", DATED)
def test_every_dated_setting_is_there_and_unset_is_no_key(name: str) -> None:
    assert name in Settings.model_fields
    assert dated_keys(Settings(), None)[name] == ()


def test_the_word_sealed_is_no_secret_and_only_the_sealing_key_counts() -> None:
    settings = Settings(
        pagerduty_webhook_secrets=(SecretStr("sealed"), OLD), encryption_keys=(SecretStr(new_key()),) * 2
    )
    found = dated_keys(settings, key_there(settings.encryption_keys, None))
    assert found["pagerduty_webhook_secrets"] == (OLD,)
    assert found[SEALING] == settings.encryption_keys[:1]


def test_looking_for_the_key_beside_the_file_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    assert key_there((), file) is None
    assert not list(tmp_path.iterdir())
    made = key_beside(file)
    assert key_there((), file) == SecretStr(made)
    assert key_there((OLD,), file) == OLD
