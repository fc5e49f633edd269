"""Where `webhooks` keeps secrets: the bot's database, when there is one that can be written and a key."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial

from pydantic import SecretStr

from bot.errors import StoreUnavailable
from bot.pagerduty.client import PagerDuty
from bot.settings import Settings
from bot.store.database import Database
from bot.store.keyfile import key_beside
from bot.store.pings import Pings
from bot.store.schema import require_current
from bot.store.sealing import Sealer
from bot.store.webhook_secrets import WebhookSecrets


class Keeper:
    """`secrets` None: there is no place, for the reason `why`. Raises StoreUnavailable then, with it."""

    def __init__(self, secrets: WebhookSecrets | None, pings: Pings | None = None, *, why: str = "") -> None:
        self._secrets = secrets
        self._pings = pings
        self._why = why

    def _place(self) -> WebhookSecrets:
        if self._secrets is None:
            raise StoreUnavailable(self._why)
        return self._secrets

    async def put(self, subscription_id: str, secret: SecretStr) -> None:
        await self._place().put(subscription_id, secret)

    async def forget(self, subscription_id: str) -> None:
        await self._place().forget(subscription_id)

    async def ids(self) -> frozenset[str]:
        """Of which the secret is here; none without a place."""
        return frozenset() if self._secrets is None else await self._secrets.ids()

    async def ping_arrives(self, subscription_id: str, client: PagerDuty) -> bool | None:
        """Ping, and see whether the bot commits it; None when there is nowhere to look. Raises
        PagerDutyFailure.
        """
        if self._pings is None:
            await client.ping_webhooks(subscription_id)
            return None
        return await self._pings.arrives(subscription_id, partial(client.ping_webhooks, subscription_id))


async def open_keeper(settings: Settings, stack: AsyncExitStack) -> Keeper:
    """The database of the settings, when it is there, up to date, and there is a key to seal with."""
    try:
        database = await Database.open(settings.database_url.get_secret_value())
        stack.push_async_callback(database.close)
        if database.is_missing:
            return Keeper(None, why="there is no database yet: start the bot once, and it makes one")
        await require_current(database)
    except StoreUnavailable as away:
        return Keeper(None, why=str(away))
    keys = [key.get_secret_value() for key in settings.encryption_keys]
    if not keys and database.path is not None:
        keys = [key_beside(database.path)]
    if not keys:
        return Keeper(None, why="ENCRYPTION_KEYS is empty, so that nothing can be sealed")
    return Keeper(WebhookSecrets(database, Sealer(keys)), Pings(database))
