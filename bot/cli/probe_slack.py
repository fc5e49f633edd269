"""`check`, Slack's side: the token, its scopes, the signing secret's shape, other bots that would answer
twice, the clock.
"""

from __future__ import annotations

import string
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import aiohttp
from pydantic import SecretStr

from bot.cli.findings import Finding, failure, ok, unknown, warning
from bot.errors import SlackFailure
from bot.settings import Settings
from bot.slack.client import Slack
from bot.slack.failures import TokenBad
from bot.slack.scopes import OPTIONAL_SCOPES, SCOPES, USER_GROUPS

SKEW_SECONDS = 60  # Slack's signatures are refused beyond 300 s
THEIR_APP = "pagerduty"
HISTORY = frozenset({"channels:history", "groups:history"})


async def look(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """Reads only: auth.test, users.list, and the Date header of an answer."""
    yield signing_secret(settings.slack_signing_secret, socket_mode=settings.socket_mode)
    if settings.slack_app_token and not settings.slack_app_token.get_secret_value().startswith("xapp-"):
        yield failure(
            "Slack app token",
            "it does not begin with xapp-",
            "Use an app-level token with connections:write.",
        )
    yield await clock(settings, session)
    if settings.slack_bot_token is None:
        if settings.installs:
            yield ok("Slack token", "none of its own: workspaces bring theirs when they install the app")
        else:
            yield unknown("Slack token", "SLACK_BOT_TOKEN is not set")
        return
    slack = Slack(session, settings.slack_bot_token, base_url=settings.slack_api_url)
    try:
        identity = await slack.identity()
    except TokenBad as bad:
        yield failure(
            "Slack token",
            str(bad),
            "Copy the Bot User OAuth Token again; reinstall the app if it was removed.",
        )
        return
    except SlackFailure as problem:
        yield unknown(
            "Slack token", str(problem), "Check SLACK_API_URL, and that this machine reaches Slack."
        )
        return
    yield ok("Slack token", f"acts in {identity.team_name} as the bot user {identity.bot_user_id}")
    for finding in scopes(identity.scopes):
        yield finding
    for finding in user_groups(settings, identity.scopes):
        yield finding
    yield await other_bots(slack, identity.bot_user_id)


def signing_secret(secret: SecretStr | None, *, socket_mode: bool) -> Finding:
    """Slack has no call that proves it; its shape can be wrong all the same."""
    if socket_mode and secret is None:
        return ok("Slack signing secret", "not needed in Socket Mode")
    if secret is None:
        return failure(
            "Slack signing secret", "SLACK_SIGNING_SECRET is not set", "Copy it from Basic Information."
        )
    value = secret.get_secret_value()
    if len(value) != 32 or set(value) - set(string.hexdigits):
        return warning(
            "Slack signing secret",
            "it does not look like one (32 hexadecimal digits)",
            "Copy the Signing Secret (not Client Secret or Verification Token) from Basic Information.",
        )
    return unknown("Slack signing secret", "it has the right shape; only a request from Slack can prove it")


def scopes(granted: frozenset[str]) -> list[Finding]:
    """Needed ones missing: a failure. Optional ones missing: what that costs."""
    missing = sorted(set(SCOPES) - granted)
    findings = []
    if missing:
        todo = "Paste the manifest again (`python -m bot manifest`) and reinstall the app."
        findings.append(failure("Slack scopes", f"missing: {', '.join(missing)}", todo))
    else:
        findings.append(ok("Slack scopes", "all that are needed"))
    if HISTORY - granted:
        findings.append(
            warning(
                "Slack history scopes",
                "without channels:history and groups:history a post whose answer was lost is sent again: "
                "nothing is lost, but a message may stand twice",
                "Grant them in OAuth & Permissions if that matters to you.",
            )
        )
    unused = sorted(granted - set(SCOPES) - set(OPTIONAL_SCOPES))
    if unused:
        findings.append(
            warning("Slack scopes", f"not used: {', '.join(unused)}", "Remove them: less to lose.")
        )
    return findings


def user_groups(settings: Settings, granted: frozenset[str]) -> list[Finding]:
    """Groups that settings name, without the scope to read who is in them: then nobody in them counts."""
    named = {"ADMINS": settings.admins, "SUBSCRIBERS": settings.subscribers}
    by_group = [name for name, ids in named.items() if any(_is_group(one) for one in ids)]
    if not by_group or USER_GROUPS in granted:
        return []
    return [
        failure(
            "User groups",
            f"{' and '.join(by_group)} name{'s' if len(by_group) == 1 else ''} a user group, but "
            f"{USER_GROUPS} is not granted: nobody in it counts",
            "Grant it in OAuth & Permissions and reinstall the app, or name people (U…) instead.",
        )
    ]


def _is_group(name: str) -> bool:
    return name.rpartition(":")[2].startswith("S")


async def other_bots(slack: Slack, own_user_id: str) -> Finding:
    """PagerDuty's own app beside ours posts every incident twice."""
    try:
        profiles = await slack.users()
    except SlackFailure as problem:
        return unknown("Other bots", str(problem))
    theirs = [
        profile
        for profile in profiles
        if profile.is_bot
        and not profile.is_deleted
        and profile.user.id != own_user_id
        and THEIR_APP in profile.name.casefold()
    ]
    if theirs:
        return warning(
            "Other bots",
            "PagerDuty's own Slack app is here: channels connected to both get every incident twice",
            "Disconnect its channels that Pagerline follows, or keep the two in different channels.",
        )
    return ok("Other bots", "PagerDuty's own app is not here")


async def clock(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    """Slack's signatures carry a time: a clock that is far off makes every request look stale."""
    try:
        asked = time.time()
        async with session.get(settings.slack_api_url + "api.test") as answer:
            told = answer.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError) as problem:
        return unknown(
            "Clock",
            f"Slack did not answer ({type(problem).__name__})",
            "Check the network and SLACK_API_URL.",
        )
    try:
        there = parsedate_to_datetime(told or "").timestamp()
    except ValueError:
        return unknown("Clock", "the answer carried no Date")
    skew = there - (asked + time.time()) / 2
    if abs(skew) > SKEW_SECONDS:
        return failure(
            "Clock", f"{abs(skew):.0f} s away from Slack's", "Switch on time synchronisation (NTP) here."
        )
    return ok("Clock", "agrees with Slack's")
