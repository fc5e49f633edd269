"""`check`, the workspaces that installed the bot: who may, and whether each one's token still works."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp

from bot.cli.findings import Finding, failure, ok, unknown, warning
from bot.cli.probe_slack import scopes
from bot.errors import SlackFailure, StoreUnavailable
from bot.inbound.install import INSTALL_PATH
from bot.settings import Settings
from bot.slack.client import Slack
from bot.slack.failures import TokenBad
from bot.store.database import Database
from bot.store.installs import Installs, Served
from bot.store.keyfile import path_beside
from bot.store.schema import schema_state
from bot.store.sealing import Sealer


async def look(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """Reads only: the table of workspaces, and auth.test for each of them."""
    if not settings.installs:
        if settings.slack_workspaces:
            yield warning(
                "Installs",
                "SLACK_WORKSPACES names workspaces, but without SLACK_CLIENT_ID none of them can install me",
                "Set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET (Basic Information of your Slack app).",
            )
        return
    for finding in doors(settings):
        yield finding
    try:
        served = await _installed(settings)
    except (StoreUnavailable, ValueError) as problem:
        yield unknown("Installs", str(problem))
        return
    for one in served:
        async for finding in _workspace(settings, session, one):
            yield finding


def doors(settings: Settings) -> list[Finding]:
    """Who may come in; and whether ADMINS means somebody."""
    where = f"{(settings.public_url or '').rstrip('/')}{INSTALL_PATH}"
    named = ", ".join(settings.slack_workspaces)
    findings = [ok("Installs", f"{named} may install me at {where}; everybody else is turned away")]
    if not named:
        findings = [
            ok("Installs", "only the workspace of SLACK_BOT_TOKEN is let in; SLACK_WORKSPACES is empty")
        ]
    bare = [one for one in settings.admins if ":" not in one]
    if bare and settings.slack_bot_token is None:
        findings.append(
            warning(
                "Admins",
                "ids without a workspace belong to the one of SLACK_BOT_TOKEN, which is not set",
                "Write each of ADMINS with its workspace, such as T0123ABC:U0456DEF.",
            )
        )
    return findings


async def _installed(settings: Settings) -> list[Served]:
    database = await Database.open(settings.database_url.get_secret_value())
    try:
        if database.is_missing or not (await schema_state(database)).is_current:
            return []
        keys = [key.get_secret_value() for key in settings.encryption_keys]
        if database.path is not None and path_beside(database.path).exists():
            keys.append(path_beside(database.path).read_text(encoding="ascii").strip())
        return await Installs(database, Sealer(keys), welcome=settings.slack_workspaces).living()
    finally:
        await database.close()


async def _workspace(
    settings: Settings, session: aiohttp.ClientSession, served: Served
) -> AsyncIterator[Finding]:
    what = f"Workspace {served.team_id}"
    slack = Slack(
        session,
        served.token,
        base_url=settings.slack_api_url,
        team_id=served.team_id,
        by_organisation=served.by_organisation,
    )
    try:
        identity = await slack.identity()
    except TokenBad as bad:
        yield failure(what, str(bad), f"Install the app there again at {INSTALL_PATH}.")
    except SlackFailure as problem:
        yield unknown(what, str(problem))
    else:
        missing = [one for one in scopes(identity.scopes) if one.what == "Slack scopes" and one.todo]
        yield missing[0] if missing else ok(what, f"installed; acts in {identity.team_name}")
