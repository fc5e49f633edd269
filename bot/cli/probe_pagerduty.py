"""`check`, PagerDuty's side: the key and its region, and the webhook subscription that leads here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import aiohttp

from bot.cli import probe_circle
from bot.cli.findings import Finding, Result, failure, ok, unknown, warning
from bot.errors import PagerDutyFailure, PagerDutyForbidden, PagerDutyUnauthorized
from bot.events import EVENTS
from bot.inbound.pagerduty import PATH
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.http import AccountKey, PagerDutyHttp
from bot.pagerduty.subscriptions import WebhookSubscription
from bot.settings import Settings

WHOLE_ACCOUNT = "account"
# An HMAC's key shorter than its hash weakens it (RFC 2104, 3; SHA-256: 32 bytes). PagerDuty's own are longer.
SHORT_SECRET = 32
# A channel that misses one of these shows something that is no longer true.
NEEDED = tuple(name for name, rule in EVENTS.items() if rule.changes)


async def look(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """Reads abilities and the list of webhook subscriptions; a running bot is sent a test event."""
    for finding in short_secrets(settings):
        yield finding
    if settings.pagerduty_api_key is None:
        yield unknown("PagerDuty key", "PAGERDUTY_API_KEY is not set")
        return
    key = AccountKey(settings.pagerduty_api_key)
    client = PagerDuty(PagerDutyHttp(session, settings.api_url), key)
    try:
        await client.abilities()
    except PagerDutyUnauthorized:
        other = "eu" if settings.pagerduty_region == "us" else "us"
        yield failure(
            "PagerDuty key",
            f"refused by the {settings.pagerduty_region} service region",
            f"Copy the key again; if your PagerDuty lives in the other region, set PAGERDUTY_REGION={other}.",
        )
        return
    except PagerDutyForbidden as problem:
        yield warning("PagerDuty key", str(problem), "Use a general access key made by an admin.")
    except PagerDutyFailure as problem:
        yield unknown(
            "PagerDuty key", str(problem), "Check that this machine reaches PagerDuty, then try again."
        )
        return
    else:
        yield ok(
            "PagerDuty key",
            f"accepted by the {settings.pagerduty_region} service region. PagerDuty gives such keys no "
            "scopes: whoever has it may do everything in the account",
        )
    async for finding in _webhooks(settings, client):
        yield finding


def short_secrets(settings: Settings) -> list[Finding]:
    """Those that could be tried out, or that were not copied whole."""
    findings = []
    if any(len(one.get_secret_value()) < SHORT_SECRET for one in settings.webhook_secrets):
        findings.append(
            warning("Webhook secret", "one is shorter than PagerDuty's own", "Copy the whole secret.")
        )
    if any(len(one.get_secret_value()) < SHORT_SECRET for one in settings.pagerduty_v2_secrets):
        findings.append(
            warning(
                "V2 webhook secret",
                f"one of PAGERDUTY_V2_SECRETS has fewer than {SHORT_SECRET} characters: it could be guessed",
                "Take 32 random characters (`python -m bot key` prints some), here and in the V2 webhook.",
            )
        )
    return findings


async def _webhooks(settings: Settings, client: PagerDuty) -> AsyncIterator[Finding]:
    """The subscription, and whether a test event goes all the way round."""
    if settings.socket_mode and not settings.pagerduty_webhook_secrets:
        yield warning(
            "Webhook subscription",
            f"none: PagerDuty's log is read every {settings.follow_seconds:g} s instead, which is slower",
            "Nothing, if PagerDuty cannot reach this machine. Otherwise set PAGERDUTY_WEBHOOK_SECRETS.",
        )
        return
    try:
        found = await client.webhook_subscriptions()
    except PagerDutyFailure as problem:
        yield unknown(
            "Webhook subscription",
            str(problem),
            "Look in PagerDuty under Integrations → Generic Webhooks (v3).",
        )
        return
    seen = subscription(found, settings.public_url)
    yield seen
    if seen.result is not Result.FAILURE and (circle := await probe_circle.look(settings, client, found)):
        yield circle


def subscription(found: Sequence[WebhookSubscription], public_url: str | None) -> Finding:
    """The subscription whose URL is ours: there, enabled, and sending what messages show."""
    what = "Webhook subscription"
    if not public_url:
        return unknown(what, "PUBLIC_URL is not set", "Set it to the address PagerDuty reaches the bot at.")
    url = public_url.rstrip("/") + PATH
    ours = [one for one in found if one.url == url]
    if not ours:
        return failure(
            what, f"none leads to {url}", "Create one in PagerDuty: Integrations → Generic Webhooks (v3)."
        )
    return _state(what, ours) or _coverage(what, ours) or ok(what, f"leads to {url}")


def _state(what: str, ours: Sequence[WebhookSubscription]) -> Finding | None:
    if not any(one.is_active for one in ours):
        return failure(
            what, "it is switched off", "Enable it under Integrations → Generic Webhooks (v3) in PagerDuty."
        )
    if any(one.is_disabled for one in ours):
        return failure(
            what,
            "PagerDuty has disabled it after three refused deliveries; events of the time are lost",
            "Mend what refused them, then enable it under Integrations → Generic Webhooks (v3).",
        )
    return None


def _coverage(what: str, ours: Sequence[WebhookSubscription]) -> Finding | None:
    missing = sorted(set(NEEDED) - {event for one in ours for event in one.events})
    if missing:
        return warning(
            what, f"it does not send {', '.join(missing)}", "Edit it in PagerDuty and choose all events."
        )
    if not any(one.scope == WHOLE_ACCOUNT for one in ours):
        return warning(
            what,
            "it covers one service or team only: incidents elsewhere are noticed by the sweep, minutes late",
            "Create one of scope Account, or leave it if no channel follows anything else.",
        )
    return None
