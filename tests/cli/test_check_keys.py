"""`check` reminds of old keys, of short ones, and of tokens that may do more than they need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from bot.cli import check, probe_keys, probe_links
from bot.cli.findings import Finding, Result
from bot.cli.probe_pagerduty import short_secrets
from bot.model import Person, SlackUser
from bot.pagerduty.oauth import ALWAYS, Granted
from bot.settings import Settings
from bot.store.accounts import AccountStore
from bot.store.database import Database
from bot.store.key_uses import DATED, SEALING, Age, KeyUses, dated_keys
from bot.store.keyfile import key_beside
from bot.store.link_tally import granted_scopes
from bot.store.schema import migrate
from bot.store.sealing import Sealer
from tests.cli.conftest import Cli, Setup

DAY = 86_400.0
ASKED = frozenset({"incidents.read", "incidents.write"})
APP = {"PAGERDUTY_CLIENT_ID": "ours", "PAGERDUTY_CLIENT_SECRET": "0ur-c1ient-secret", "ADMINS": "U0CAROL"}


async def found(settings: Settings) -> Mapping[str, list[Finding]]:
    by_name = defaultdict(list)
    async for finding in check.look(settings, asked=ASKED):
        by_name[finding.what].append(finding)
    return by_name


async def used(setup: Setup, *, days: float) -> Settings:
    """A database on which a bot with these settings was started so many days ago."""
    settings = setup.settings()
    database = await Database.open(setup.database_url, clock_offset=-days * DAY)
    await migrate(database)
    assert database.path is not None
    sealing = SecretStr(key_beside(database.path))
    await KeyUses(database).note(dated_keys(settings, sealing))
    await database.close()
    return settings


async def test_after_90_days_each_key_is_reminded_of_with_how_to_renew_it(setup: Setup) -> None:
    findings = (await found(await used(setup, days=91)))["Age of keys"]
    assert {one.result for one in findings} == {Result.WARNING}
    told = " ".join(str(one) for one in findings)
    for words in (
        "PAGERDUTY_API_KEY is in use for 91 days",
        "PAGERDUTY_WEBHOOK_SECRETS",
        "webhooks rotate",
        "ENCRYPTION_KEYS",
        "rekey",
    ):
        assert words in told
    assert not [secret for secret in setup.secrets() if secret in told]


async def test_before_that_nothing_is_to_do(setup: Setup) -> None:
    (finding,) = (await found(await used(setup, days=89)))["Age of keys"]
    assert finding.result is Result.OK
    assert "the oldest for 89" in finding.detail


async def test_a_key_that_was_renewed_is_young(setup: Setup) -> None:
    await used(setup, days=200)
    renewed = setup.settings(PAGERDUTY_WEBHOOK_SECRETS="n" * 40)
    told = " ".join(str(one) for one in (await found(renewed))["Age of keys"])
    assert "PAGERDUTY_API_KEY" in told
    assert "WEBHOOK" not in told


async def test_where_no_bot_has_run_nobody_knows(setup: Setup) -> None:
    (without,) = (await found(setup.settings()))["Age of keys"]
    assert without.result is Result.UNKNOWN
    assert "database" in without.detail
    (away,) = (await found(setup.settings(DATABASE_URL="postgresql://x@127.0.0.1:9/x")))["Age of keys"]
    assert away.result is Result.UNKNOWN
    database = await Database.open(setup.database_url)
    await migrate(database)
    await database.close()
    (never,) = (await found(setup.settings()))["Age of keys"]
    assert never.result is Result.UNKNOWN
    assert "first start" in never.detail


def test_every_key_that_ages_says_how_it_is_renewed() -> None:
    assert set(probe_keys.RENEWAL) == {*DATED, SEALING}
    (sealed,) = probe_keys.told([Age("the integration key checkout", 100 * DAY)])
    assert "event-keys add" in sealed.todo


async def test_the_verb_tells_it_and_prints_no_key(setup: Setup, process: Cli) -> None:
    await used(setup, days=100)
    outcome = await process("check", settings=setup.written())
    assert outcome.status == 0, outcome  # a reminder is no failure
    assert "! Age of keys: warning. PAGERDUTY_API_KEY is in use for 100 days" in outcome.out
    assert [secret for secret in setup.secrets() if secret in outcome.out + outcome.err] == []


# ------------------------------------------------------------------------------------------ what is too short


@pytest.mark.parametrize(
    ("length", "count"), [(31, 2), (32, 0)], ids=["shorter than the hash", "as long as the hash"]
)
def test_a_webhook_secret_is_as_long_as_its_hash(length: int, count: int) -> None:
    secret = (SecretStr("x" * length),)
    findings = short_secrets(Settings(pagerduty_webhook_secrets=secret, pagerduty_v2_secrets=secret))
    assert len(findings) == count
    assert all(one.todo for one in findings)


# ------------------------------------------------------------------------------------------ what may too much


async def test_tokens_that_carry_more_than_the_commands_use(setup: Setup) -> None:
    settings = setup.settings(PAGERDUTY_IDENTITY_URL=setup.pagerduty.origin, **APP)
    database = await Database.open(setup.database_url)
    await migrate(database)
    assert database.path is not None
    store = AccountStore(database, Sealer([key_beside(database.path)]))
    for user, more in (("U0ALICE", ()), ("U0BOB", ("services.write", "users.write"))):
        granted = Granted(SecretStr("a"), SecretStr("r"), ASKED | ALWAYS | {*more}, DAY)
        await store.link(SlackUser("T0ACME", user), Person(f"P{user}", user), granted)
    (finding,) = (await found(settings))["PagerDuty scopes"]
    assert finding.result is Result.WARNING
    assert "services.write, users.write" in finding.detail
    account = await store.living(SlackUser("T0ACME", "U0BOB"))
    assert account is not None
    await store.end(account.user, "refused", account.generation)
    assert await granted_scopes(database) == ASKED | ALWAYS
    await database.close()
    assert "PagerDuty scopes" not in await found(settings)


def test_classic_tokens_may_do_everything() -> None:
    finding = probe_links.broad_scopes("classic", ASKED, frozenset({"read", "write"}))
    assert finding is not None
    assert "PAGERDUTY_OAUTH=scoped" in finding.todo
    assert probe_links.broad_scopes("scoped", frozenset(), frozenset({"x.write"})) is None


async def test_of_the_account_key_it_says_that_it_has_no_scopes(setup: Setup) -> None:
    (finding,) = (await found(setup.settings()))["PagerDuty key"]
    assert "may do everything" in finding.detail
