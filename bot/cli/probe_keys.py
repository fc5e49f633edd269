"""`check`, how old keys are: since when the bot has used each one, from what it noted in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from bot.cli.findings import Finding, ok, unknown, warning
from bot.settings import Settings
from bot.store.database import Database
from bot.store.key_uses import SEALING, Age, KeyUses, dated_keys
from bot.store.keyfile import key_there

WHAT = "Age of keys"
OLD_DAYS = 90
DAY = 86_400.0  # seconds

RENEWAL: Mapping[str, str] = {
    "pagerduty_api_key": "Make a new one in PagerDuty (Integrations → API Access Keys), put it "
    "into PAGERDUTY_API_KEY, restart, then delete the old one.",
    "pagerduty_routing_key": "Add a second Events API v2 integration to the service in PagerDuty, put "
    "its key into PAGERDUTY_ROUTING_KEY, then delete the old integration.",
    "pagerduty_client_secret": "Renew it in PagerDuty (Integrations → Developer Tools → App Registration), "
    "put it into PAGERDUTY_CLIENT_SECRET and restart.",
    "pagerduty_webhook_secrets": "Run `python -m bot webhooks rotate`.",
    "pagerduty_v2_secrets": "Put a new one beside it into PAGERDUTY_V2_SECRETS, give it to the webhook in "
    "PagerDuty, then remove the old one.",
    SEALING: "`python -m bot key` prints a new one: put it first into ENCRYPTION_KEYS (with several bots: "
    "last, restart all, then first), restart, run `python -m bot rekey`.",
}
SEALED_RENEWAL = "Run `python -m bot event-keys add` with a new integration's key, or `webhooks rotate`."
NEVER_NOTED = "no bot has run on this database with them: their age counts from its first start"


async def ages(settings: Settings, database: Database) -> AsyncIterator[Finding]:
    """Needs a schema that is current. Raises StoreUnavailable."""
    keys = dated_keys(settings, key_there(settings.encryption_keys, database.path))
    for finding in told(await KeyUses(database).ages(keys)):
        yield finding


def told(found: Sequence[Age]) -> list[Finding]:
    """What the ages mean."""
    if not found:
        return [unknown(WHAT, NEVER_NOTED)]
    old = [one for one in found if one.seconds > OLD_DAYS * DAY]
    if not old:
        oldest = int(max(one.seconds for one in found) // DAY)
        return [ok(WHAT, f"none is in use for more than {OLD_DAYS} days; the oldest for {oldest}")]
    return [
        warning(
            WHAT,
            f"{_name(one)} is in use for {int(one.seconds // DAY)} days",
            RENEWAL.get(one.of, SEALED_RENEWAL),
        )
        for one in old
    ]


def without_database(why: str) -> Finding:
    """Since when they are used stands nowhere else."""
    return unknown(WHAT, f"{why}: only the database knows since when they are used")


def _name(one: Age) -> str:
    return one.of.upper() if one.of in RENEWAL else one.of
