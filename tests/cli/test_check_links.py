"""`check` where everyone links their own PagerDuty account: what that needs, and how the links stand."""

from __future__ import annotations

from collections import defaultdict

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.cli import check, probe_links, probe_slack
from bot.cli.findings import Finding, Result
from bot.model import Person, SlackUser
from bot.pagerduty.oauth import Granted
from bot.settings import Settings
from bot.store.accounts import AccountStore
from bot.store.database import Database
from bot.store.link_tally import LinkTally, tally_links
from bot.store.schema import migrate
from bot.store.sealing import Sealer
from tests.cli.conftest import Cli, Setup

APP = {"PAGERDUTY_CLIENT_ID": "ours", "PAGERDUTY_CLIENT_SECRET": "0ur-c1ient-secret", "ADMINS": "U0CAROL"}
NOBODY = "http://127.0.0.1:9"  # the port that nobody listens on
TOKEN = "pdus+planted-access-token"
DAY = 86_400.0


def linking(setup: Setup, **changed: str) -> Settings:
    """Settings that let everybody link."""
    return setup.settings(**{"PAGERDUTY_IDENTITY_URL": setup.pagerduty.origin, **APP, **changed})


async def found(settings: Settings) -> dict[str, list[Finding]]:
    by_name = defaultdict(list)
    async for finding in check.look(settings):
        by_name[finding.what].append(finding)
    return by_name


def only(findings: dict[str, list[Finding]], what: str) -> Finding:
    (finding,) = findings[what]
    return finding


async def test_all_is_well(setup: Setup) -> None:
    seen = await found(linking(setup))
    assert only(seen, "People").result is Result.OK
    assert "act by their own tokens" in only(seen, "People").detail
    assert only(seen, "PagerDuty sign-in").result is Result.OK
    assert "Approval" not in seen
    assert "PagerDuty app" not in seen


async def test_it_prints_what_to_register_to_the_letter(setup: Setup) -> None:
    finding = only(await found(linking(setup, PUBLIC_URL="https://pager.example.com/")), "Redirect URL")
    assert finding.result is Result.OK
    assert "exactly https://pager.example.com/pagerduty/callback with" in finding.detail


@pytest.mark.parametrize(
    ("changed", "what", "result", "says"),
    [
        ({"PAGERDUTY_CLIENT_SECRET": ""}, "PagerDuty app", Result.FAILURE, "App Registration"),
        ({"PAGERDUTY_CLIENT_SECRET": ""}, "Settings", Result.FAILURE, "PAGERDUTY_CLIENT_SECRET is missing"),
        ({"PAGERDUTY_CLIENT_ID": ""}, "People", Result.WARNING, "without PAGERDUTY_CLIENT_ID"),
        ({"PUBLIC_URL": ""}, "Redirect URL", Result.FAILURE, "PUBLIC_URL is not set"),
        ({"PUBLIC_URL": "http://127.0.0.1:3000"}, "Redirect URL", Result.WARNING, "this machine only"),
        ({"PAGERDUTY_IDENTITY_URL": NOBODY}, "PagerDuty sign-in", Result.UNKNOWN, "did not answer"),
        ({"ADMINS": ""}, "Approval", Result.WARNING, "nobody can confirm"),
        ({"DATABASE_URL": "postgresql://x@127.0.0.1:9/x"}, "Settings", Result.FAILURE, "ENCRYPTION_KEYS"),
        ({"ADMINS": "S0ADMINS"}, "User groups", Result.FAILURE, "usergroups:read"),
        ({"SUBSCRIBERS": "T0ACME:S0LEADS,U0CAROL"}, "User groups", Result.FAILURE, "SUBSCRIBERS names"),
    ],
)
async def test_each_mistake_is_found(
    setup: Setup, changed: dict[str, str], what: str, result: Result, says: str
) -> None:
    setup.slack.scopes(revoked=["usergroups:read"])
    findings = (await found(linking(setup, **changed)))[what]
    told = [one for one in findings if one.result is result and says in str(one)]
    assert told, findings
    assert all(one.todo for one in told)


async def test_sign_in_with_slack_confirms_where_no_admin_does(setup: Setup) -> None:
    settings = linking(setup, ADMINS="", SLACK_CLIENT_ID="1.2", SLACK_CLIENT_SECRET="s")
    assert "Approval" not in await found(settings)


def test_groups_need_no_scope_where_none_is_named_or_it_is_granted() -> None:
    assert probe_slack.user_groups(Settings(admins=("U0CAROL",)), frozenset()) == []
    granted = frozenset({"usergroups:read"})
    assert probe_slack.user_groups(Settings(admins=("S0ADMINS",)), granted) == []


async def test_no_secret_is_printed(setup: Setup, process: Cli) -> None:
    written = setup.written(PAGERDUTY_IDENTITY_URL=setup.pagerduty.origin, **APP)
    outcome = await process("check", settings=written)
    assert outcome.status == 0, outcome
    secrets = [*setup.secrets(), APP["PAGERDUTY_CLIENT_SECRET"]]
    assert [secret for secret in secrets if secret in outcome.out + outcome.err] == []


# ------------------------------------------------------------------------------------------------- the links


async def link(store: AccountStore, user: str, *, refresh: str | None = "refresh", days: float = 1) -> None:
    granted = Granted(SecretStr(TOKEN), SecretStr(refresh) if refresh else None, frozenset(), days * DAY)
    await store.link(SlackUser("T0ACME", user), Person(f"P{user}", user), granted)


async def test_they_are_counted_on_either_database(database_url: str) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    database = await Database.open(database_url)
    await migrate(database)
    store = AccountStore(database, Sealer(keys[:1]))
    await link(store, "U0ALICE")
    await link(store, "U0BOB", refresh=None)
    await link(store, "U0CAROL", refresh=None, days=30)
    await link(AccountStore(database, Sealer(keys[1:])), "U0OLIVE")
    await link(store, "U0UMA")
    account = await store.living(SlackUser("T0ACME", "U0UMA"))
    assert account is not None
    await store.end(account.user, "refused", account.generation)
    opened = Sealer(keys[:1])
    assert await tally_links(database, opened, soon=7 * DAY, idle=23 * DAY) == LinkTally(4, 1, 1, 1)
    assert await tally_links(database, None, soon=7 * DAY, idle=23 * DAY) == LinkTally(4, 1, 1, 0)
    await database.close()
    later = await Database.open(database_url, clock_offset=24 * DAY)
    assert (await tally_links(later, opened, soon=7 * DAY, idle=23 * DAY)).fading == 4
    await later.close()


async def test_check_tells_them_and_looks_at_the_keys(setup: Setup) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    database = await Database.open(setup.database_url)
    await migrate(database)
    await link(AccountStore(database, Sealer(keys[:1])), "U0ALICE")
    await database.close()
    right = await found(linking(setup, ENCRYPTION_KEYS=keys[0]))
    assert only(right, "Links").detail == "1 linked"
    wrong = (await found(linking(setup, ENCRYPTION_KEYS=keys[1])))["Links"]
    (failing,) = [one for one in wrong if one.result is Result.FAILURE]
    assert "Put the key that sealed them back" in failing.todo
    assert TOKEN not in "".join(map(str, wrong))


def test_what_runs_out_says_what_follows() -> None:
    findings = probe_links.told(LinkTally(9, 2, 3, 0), "/pager")
    assert findings[0].detail == "9 linked, 2 ended"
    assert findings[1].result is Result.WARNING
    assert "team-links" in findings[1].todo
