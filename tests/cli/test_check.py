"""`check` finds each mistake, says what to do, changes nothing and shows no secret."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import text

from bot.cli import check, findings, probe_slack, probe_store
from bot.cli.findings import Finding, Result
from bot.cli.probe_pagerduty import NEEDED
from bot.sandbox.world import Person
from bot.settings import Settings
from bot.slack.connection import open_session
from bot.store.database import Database
from bot.store.schema import migrate
from tests.cli.conftest import SECRET, Cli, Setup
from tests.inbound.doors import serving

ALL_IS_WELL = {
    "Settings",
    "Slack token",
    "Slack scopes",
    "Other bots",
    "Clock",
    "PagerDuty key",
    "Webhook subscription",
    "People",
    "Database",
    "Migrations",
}
NOBODY = "http://127.0.0.1:9"  # the port that nobody listens on


async def found(settings: Settings) -> dict[str, list[Finding]]:
    """What `check` says, by what it looked at."""
    by_name = defaultdict(list)
    async for finding in check.look(settings):
        by_name[finding.what].append(finding)
    return by_name


async def migrated(url: str) -> None:
    database = await Database.open(url)
    await migrate(database)
    await database.close()


def only(findings: dict[str, list[Finding]], what: str) -> Finding:
    (finding,) = findings[what]
    return finding


def troubles(findings: dict[str, list[Finding]]) -> list[Finding]:
    every = [one for several in findings.values() for one in several]
    return [one for one in every if one.result in (Result.WARNING, Result.FAILURE)]


async def test_all_is_well(setup: Setup) -> None:
    await migrated(setup.database_url)
    seen = await found(setup.settings())
    assert troubles(seen) == []
    assert {what for what in seen if only(seen, what).result is Result.OK} == ALL_IS_WELL
    signing = only(seen, "Slack signing secret")
    assert signing.result is Result.UNKNOWN
    assert "only a request from Slack can prove it" in signing.detail
    assert "Acme" in only(seen, "Slack token").detail


async def test_it_says_what_matching_by_email_cannot_promise(setup: Setup) -> None:
    assert "does not enforce their own role" in only(await found(setup.settings()), "People").detail


async def test_nothing_set_is_told_in_one_go() -> None:
    seen = await found(Settings())
    named = {finding.detail.split()[0] for finding in seen["Settings"]}
    assert {finding.result for finding in seen["Settings"]} == {Result.FAILURE}
    assert named == {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "PAGERDUTY_API_KEY",
        "PAGERDUTY_WEBHOOK_SECRETS",
    }
    assert only(seen, "PagerDuty key").result is Result.UNKNOWN


async def test_every_trouble_says_what_to_do(setup: Setup) -> None:
    setup.slack.tokens.scopes = {"commands"}
    settings = setup.settings(
        SLACK_SIGNING_SECRET="short", PAGERDUTY_WEBHOOK_SECRETS="short", SLASH_COMMAND="/pd"
    )
    wrong = troubles(await found(settings))
    assert len(wrong) >= 5
    assert all(finding.todo.endswith((".", ")")) for finding in wrong)


# ------------------------------------------------------------------------------------------------------ Slack

Break = Callable[[Setup], dict[str, str] | None]


def dead_token(setup: Setup) -> None:
    setup.slack.token("token_revoked")


def wrong_token(setup: Setup) -> dict[str, str]:
    return {"SLACK_BOT_TOKEN": "xoxb-of-another-app"}


def user_token(setup: Setup) -> dict[str, str]:
    return {"SLACK_BOT_TOKEN": setup.slack.app_token}


def scope_missing(setup: Setup) -> None:
    setup.slack.scopes(revoked=["users:read"])


def no_history(setup: Setup) -> None:
    setup.slack.history_scope(granted=False)


def too_many_scopes(setup: Setup) -> None:
    setup.slack.scopes(granted=["channels:manage"])


def no_signing_secret(setup: Setup) -> dict[str, str]:
    return {"SLACK_SIGNING_SECRET": ""}


def client_secret(setup: Setup) -> dict[str, str]:
    return {"SLACK_SIGNING_SECRET": "not-a-signing-secret"}


def no_app_token(setup: Setup) -> dict[str, str]:
    return {"SLACK_APP_TOKEN": setup.slack.bot_token}


def their_app(setup: Setup) -> None:
    people = setup.slack.workspace.people
    bot: Person = next(person for person in people.values() if person.kind == "bot")
    people["U0THEIRS"] = replace(bot, slack_id="U0THEIRS", name="PagerDuty", handle="pagerduty")


def slack_away(setup: Setup) -> dict[str, str]:
    return {"SLACK_API_URL": f"{NOBODY}/api/"}


def their_command(setup: Setup) -> dict[str, str]:
    return {"SLASH_COMMAND": "/pd"}


# ------------------------------------------------------------------------------------------------- PagerDuty


def wrong_key(setup: Setup) -> dict[str, str]:
    return {"PAGERDUTY_API_KEY": "u+notthekeyofanybody"}


def wrong_region(setup: Setup) -> dict[str, str]:
    return wrong_key(setup) | {"PAGERDUTY_REGION": "eu"}


def forbidden(setup: Setup) -> None:
    setup.pagerduty.outage("error", paths=["/abilities"], status=403, code=2010)


def short_secret(setup: Setup) -> dict[str, str]:
    return {"PAGERDUTY_WEBHOOK_SECRETS": f"{SECRET},too-short"}


def elsewhere(setup: Setup) -> dict[str, str]:
    return {"PUBLIC_URL": "https://another.example.com"}


def no_public_url(setup: Setup) -> dict[str, str]:
    return {"PUBLIC_URL": ""}


def subscription(setup: Setup) -> Any:
    return setup.pagerduty.subscription(setup.subscription_id)


def disabled(setup: Setup) -> None:
    subscription(setup).temporarily_disabled = True


def switched_off(setup: Setup) -> None:
    subscription(setup).active = False


def few_events(setup: Setup) -> None:
    subscription(setup).events = frozenset(NEEDED) - {"incident.resolved"}


def one_service(setup: Setup) -> None:
    subscription(setup).filter_type = "service_reference"


def unreadable_subscriptions(setup: Setup) -> None:
    setup.pagerduty.outage("error", paths=["/webhook_subscriptions"], status=403, code=2010)


MISTAKES: list[tuple[Break, str, Result, str]] = [
    (dead_token, "Slack token", Result.FAILURE, "token_revoked"),
    (wrong_token, "Slack token", Result.FAILURE, "invalid_auth"),
    (user_token, "Slack token", Result.FAILURE, "not_allowed_token_type"),
    (slack_away, "Slack token", Result.UNKNOWN, "reaches Slack"),
    (slack_away, "Clock", Result.UNKNOWN, "did not answer"),
    (scope_missing, "Slack scopes", Result.FAILURE, "users:read"),
    (scope_missing, "Other bots", Result.UNKNOWN, "missing_scope"),
    (no_history, "Slack history scopes", Result.WARNING, "may stand twice"),
    (too_many_scopes, "Slack scopes", Result.WARNING, "channels:manage"),
    (no_signing_secret, "Slack signing secret", Result.FAILURE, "Basic Information"),
    (client_secret, "Slack signing secret", Result.WARNING, "32 hexadecimal digits"),
    (no_app_token, "Slack app token", Result.FAILURE, "xapp-"),
    (their_app, "Other bots", Result.WARNING, "every incident twice"),
    (their_command, "Slash command", Result.WARNING, "/pager"),
    (wrong_key, "PagerDuty key", Result.FAILURE, "PAGERDUTY_REGION=eu"),
    (wrong_region, "PagerDuty key", Result.FAILURE, "PAGERDUTY_REGION=us"),
    (forbidden, "PagerDuty key", Result.WARNING, "general access key"),
    (short_secret, "Webhook secret", Result.WARNING, "whole secret"),
    (elsewhere, "Webhook subscription", Result.FAILURE, "none leads to https://another.example.com"),
    (no_public_url, "Webhook subscription", Result.UNKNOWN, "PUBLIC_URL"),
    (disabled, "Webhook subscription", Result.FAILURE, "enable it"),
    (switched_off, "Webhook subscription", Result.FAILURE, "switched off"),
    (few_events, "Webhook subscription", Result.WARNING, "incident.resolved"),
    (one_service, "Webhook subscription", Result.WARNING, "one service or team only"),
    (unreadable_subscriptions, "Webhook subscription", Result.UNKNOWN, "Generic Webhooks"),
]


@pytest.mark.parametrize(
    ("mistake", "what", "result", "says"), MISTAKES, ids=[f"{one[0].__name__}-{one[1]}" for one in MISTAKES]
)
async def test_each_mistake_is_found(
    setup: Setup, mistake: Break, what: str, result: Result, says: str
) -> None:
    changed = mistake(setup) or {}
    findings = (await found(setup.settings(**changed)))[what]
    said = [str(finding) for finding in findings if finding.result is result]
    assert any(says in line for line in said), findings


async def test_in_socket_mode_no_signing_secret_is_needed(setup: Setup) -> None:
    seen = await found(setup.settings(SLACK_APP_TOKEN=setup.slack.app_token, SLACK_SIGNING_SECRET=""))
    assert only(seen, "Slack signing secret").result is Result.OK
    assert only(seen, "Settings").result is Result.OK


async def test_behind_a_socket_the_log_stands_in_for_the_webhook(setup: Setup) -> None:
    behind = setup.settings(SLACK_APP_TOKEN=setup.slack.app_token, PAGERDUTY_WEBHOOK_SECRETS="")
    finding = only(await found(behind), "Webhook subscription")
    assert finding.result is Result.WARNING
    assert "log is read every 5 s" in finding.detail


async def test_pagerduty_away_cannot_be_checked(setup: Setup) -> None:
    finding = only(await found(setup.settings(PAGERDUTY_API_URL=NOBODY)), "PagerDuty key")
    assert finding.result is Result.UNKNOWN
    assert "reaches PagerDuty" in finding.todo


@pytest.mark.parametrize(
    ("date", "result"),
    [
        (formatdate(0, usegmt=True), Result.FAILURE),
        (formatdate(4e9, usegmt=True), Result.FAILURE),
        ("yesterday", Result.UNKNOWN),
        ("", Result.UNKNOWN),
    ],
)
async def test_a_clock_that_is_wrong(date: str, result: Result) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"ok": True}, headers={"Date": date})

    async with serving(("GET", "/api/api.test", answer)) as origin, open_session() as session:
        finding = await probe_slack.clock(Settings(slack_api_url=f"{origin}/api/"), session)
    assert finding.result is result


# ------------------------------------------------------------------------------------------------------ store


async def test_a_database_that_is_empty(setup: Setup) -> None:
    finding = only(await found(setup.settings()), "Migrations")
    assert (finding.result, "run" in finding.todo) == (Result.WARNING, True)


async def test_looking_makes_no_file(setup: Setup) -> None:
    await found(setup.settings())
    database = await Database.open(setup.database_url)
    assert database.is_missing
    await database.close()


async def version(url: str, number: str) -> None:
    database = await Database.open(url)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})
    await database.close()


@pytest.fixture
async def on_either(setup: Setup, database_url: str) -> Settings:
    """A database of either kind, with its schema."""
    await migrated(database_url)
    return setup.settings(DATABASE_URL=database_url, ENCRYPTION_KEYS="")


async def test_a_schema_that_is_current(on_either: Settings) -> None:
    assert only(await found(on_either), "Migrations").result is Result.OK


async def test_a_schema_that_is_newer(on_either: Settings) -> None:
    await version(on_either.database_url.get_secret_value(), "9999")
    finding = only(await found(on_either), "Migrations")
    assert (finding.result, finding.todo) == (Result.WARNING, "Update this code.")


async def test_a_database_that_is_away(setup: Setup) -> None:
    url = "postgresql://pager:hunter2secret@127.0.0.1:9/pager"
    seen = await found(setup.settings(DATABASE_URL=url))
    assert only(seen, "Database").result is Result.FAILURE
    assert "DATABASE_URL" in only(seen, "Database").todo
    assert only(seen, "Migrations").result is Result.UNKNOWN
    assert "hunter2secret" not in "".join(map(str, troubles(seen)))


async def test_a_folder_that_is_not_there(setup: Setup) -> None:
    seen = await found(setup.settings(DATABASE_URL="sqlite:////nowhere/at/all/pager.db"))
    assert only(seen, "Database").result is Result.FAILURE


# --------------------------------------------------------------------------------------------- as a process


async def test_ready_is_status_0_and_no_secret_is_printed(setup: Setup, process: Cli) -> None:
    outcome = await process("check", settings=setup.written())
    assert outcome.status == 0, outcome
    assert outcome.out.endswith("Ready to run.\n")
    assert "✓ Slack token: ok" in outcome.out
    assert [secret for secret in setup.secrets() if secret in outcome.out + outcome.err] == []


async def test_warnings_are_status_0(setup: Setup, process: Cli) -> None:
    setup.slack.scopes(granted=["channels:manage"])
    outcome = await process("check", settings=setup.written(SLACK_TOKN="x"))
    assert outcome.status == 0
    assert "Did you mean SLACK_BOT_TOKEN?" in outcome.out


async def test_a_failure_is_status_1_and_no_secret_is_printed(setup: Setup, process: Cli) -> None:
    setup.slack.token("invalid_auth")
    password = "hunter2secret"
    url = f"postgresql://pager:{password}@127.0.0.1:9/pager"
    outcome = await process(
        "check", settings=setup.written(DATABASE_URL=url, PAGERDUTY_API_KEY="u+not-the-key-at-all")
    )
    assert outcome.status == 1
    assert "✗ Slack token: failure" in outcome.out
    secrets = [*setup.secrets(), password, "u+not-the-key-at-all"]
    assert [secret for secret in secrets if secret in outcome.out + outcome.err] == []


def test_a_finding_reads_well() -> None:
    told = str(findings.failure("Clock", "90 s away", "Switch on NTP."))
    assert told == "✗ Clock: failure. 90 s away\n    → Switch on NTP."
    assert str(findings.ok("Clock")) == "✓ Clock: ok"
    assert str(findings.unknown("Clock", "no answer")) == "? Clock: could not be checked. no answer"


def test_a_subscription_that_signs_with_an_unknown_secret_is_a_failure_with_its_remedy() -> None:
    (finding,) = probe_store.wrongly_signed(["signature:PSUB"])
    assert finding.result is Result.FAILURE
    assert "PSUB" in finding.detail
    assert "PAGERDUTY_WEBHOOK_SECRETS" in finding.todo
    assert probe_store.wrongly_signed([]) == []
