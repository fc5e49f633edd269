"""`check`, the whole way round: PagerDuty is asked for a test event, the running bot's database for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from bot.cli.findings import Finding, failure, ok, unknown
from bot.errors import PagerDutyFailure, StoreUnavailable
from bot.inbound.pagerduty import PATH
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.subscriptions import WebhookSubscription
from bot.settings import Settings
from bot.store.database import Database
from bot.store.pings import Pings
from bot.store.schema import require_current

WHAT = "Webhook, all the way round"


async def look(settings: Settings, client: PagerDuty, found: Sequence[WebhookSubscription]) -> Finding | None:
    """None while no bot runs on this database: there is nobody to take the event."""
    url = (settings.public_url or "").rstrip("/") + PATH
    ours = [one for one in found if one.url == url]
    if not ours:
        return None
    try:
        arrived = await _round(settings, client, ours[0].id)
    except StoreUnavailable:
        return None  # said by the lines about the database
    except PagerDutyFailure as problem:
        return unknown(WHAT, f"PagerDuty would not send a test event: {problem}")
    return None if arrived is None else _told(url, arrived=arrived)


async def _round(settings: Settings, client: PagerDuty, ident: str) -> bool | None:
    """Whether the event arrived; None when no bot runs."""
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database_url.get_secret_value())
        stack.push_async_callback(database.close)
        if database.is_missing:
            return None
        await require_current(database)
        pings = Pings(database)
        if not await pings.bot_runs():
            return None
        return await pings.arrives(ident, partial(client.ping_webhooks, ident))


def _told(url: str, *, arrived: bool) -> Finding:
    if arrived:
        return ok(WHAT, "PagerDuty's test event arrived in the running bot's database")
    return failure(
        WHAT,
        f"PagerDuty's test event did not arrive through {url}",
        "Look whether that address leads to the bot, by TLS 1.2, and whether the bot's log refuses it "
        "(webhook_signature_unknown, webhook_source_refused).",
    )
