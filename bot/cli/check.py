"""`python -m bot check`: everything the bot needs, looked at before it is needed: ok, warning, failure, or
not checkable.

Each line says what to do. No secret is printed; exit status 1 only on a failure. Nothing is changed
anywhere; where a bot runs, PagerDuty is asked for one test event.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence

from bot.cli import probe_installs, probe_links, probe_pagerduty, probe_slack, probe_store
from bot.cli.findings import Finding, Result, failure, ok, warning
from bot.cli.settings import settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.environment import misspelt
from bot.pagerduty import http as pagerduty_http
from bot.settings import Settings, is_outside, needed_to_run
from bot.slack import connection as slack_connection

SECONDS = 10  # longest wait for one answer


def look_at_settings(settings: Settings, near: Sequence[str] = ()) -> list[Finding]:
    """Present, and no name mistyped (`near`: what bot.environment says of that)."""
    missing = settings.missing(needed_to_run(settings))
    findings = [
        failure("Settings", line, "Set it in the environment or in .env, then check again.")
        for line in missing
    ]
    findings += [warning("Settings", line, "Correct the name, or remove it.") for line in near]
    if settings.slash_command == "/pd":
        findings.append(
            warning(
                "Slash command",
                "/pd belongs to PagerDuty's own Slack app, and the app installed last wins.",
                "Leave SLASH_COMMAND at /pager unless PagerDuty's app is not in this workspace.",
            )
        )
    return findings or [ok("Settings", "everything needed is there")]


async def look(
    settings: Settings, near: Sequence[str] = (), asked: frozenset[str] = frozenset()
) -> AsyncIterator[Finding]:
    """All findings, in the order a person would look. `asked`: the PagerDuty scopes that commands use."""
    for finding in look_at_settings(settings, near):
        yield finding
    async with slack_connection.open_session(
        SECONDS, trust_env=is_outside(settings.slack_api_url)
    ) as session:
        async for finding in probe_slack.look(settings, session):
            yield finding
        async for finding in probe_installs.look(settings, session):
            yield finding
    async with pagerduty_http.open_session(trust_env=is_outside(settings.api_url)) as session:
        async for finding in probe_pagerduty.look(settings, session):
            yield finding
        async for finding in probe_links.look(settings, session):
            yield finding
    async for finding in probe_store.look(settings, asked):
        yield finding


async def _print_all(settings: Settings, near: Sequence[str], asked: frozenset[str]) -> int:
    failed = False
    async for finding in look(settings, near, asked):
        print(finding, flush=True)
        failed = failed or finding.result is Result.FAILURE
    print("\nNot ready: mend what is marked ✗." if failed else "\nReady to run.")
    return int(failed)


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    settings = settings_for(arguments)
    asked = frozenset(command.scope for command in catalog if command.scope is not None)
    return asyncio.run(_print_all(settings, misspelt(env_file=arguments.env_file), asked))


VERB = Verb(
    "check",
    "look at tokens, scopes, secrets and their age, database, clock and webhook, and say what to mend",
    _run,
    reads_settings=True,
)
