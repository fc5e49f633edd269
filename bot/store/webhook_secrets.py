"""The secrets of webhook subscriptions that `python -m bot webhooks` made, sealed.

bot/inbound/secrets.py reads them beside those of the settings. Nothing here says a secret in clear but `all`.
"""

from __future__ import annotations

import structlog
from pydantic import SecretStr
from sqlalchemy import delete, select

from bot.store.database import Database
from bot.store.people_tables import webhook_secrets
from bot.store.sealing import Sealer, Unsealable
from bot.store.upsert import insert_into

log = structlog.get_logger(__name__)


class WebhookSecrets:
    """One row per subscription."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def put(self, subscription_id: str, secret: SecretStr) -> None:
        """Seal and keep it."""
        values = {
            "secret": self._sealer.seal(secret.get_secret_value()),
            "added_at": self._database.now_sql(),
        }
        row = insert_into(webhook_secrets, self._database.dialect)
        row = row.values(subscription_id=subscription_id, **values)
        async with self._database.write() as connection:
            await connection.execute(
                row.on_conflict_do_update(index_elements=["subscription_id"], set_=values)
            )

    async def forget(self, subscription_id: str) -> bool:
        """True when it was there."""
        async with self._database.write() as connection:
            done = await connection.execute(
                delete(webhook_secrets).where(webhook_secrets.c.subscription_id == subscription_id)
            )
            return bool(done.rowcount)

    async def ids(self) -> frozenset[str]:
        """The subscriptions whose secret is here."""
        async with self._database.read() as connection:
            found = await connection.execute(select(webhook_secrets.c.subscription_id))
            return frozenset(found.scalars())

    async def all(self) -> tuple[SecretStr, ...]:
        """Every one that our keys open; the others are left out, and logged."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(webhook_secrets))).all()
        found = []
        for row in rows:
            try:
                found.append(SecretStr(self._sealer.open(row.secret)))
            except Unsealable as problem:
                log.warning("webhook_secret_sealed", subscription=row.subscription_id, reason=str(problem))
        return tuple(found)
