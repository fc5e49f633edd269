"""Since when each key and secret of the settings has been used: noted by the running bot at every start, read
by `python -m bot check`, which reminds of old ones.

A key is known again by a fingerprint: 16 bytes of SHA-256 over its setting's name and itself. That is safe to
keep, and needs no key of its own (which could not be renewed then), only because the keys are made by
machines: PagerDuty's have 20 random characters and more, ours 32 random bytes, far beyond trying out. What is
shorter than SHORTEST somebody may have thought up, and could be tried out: no fingerprint of it is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import Double, select, type_coerce

from bot.settings import Settings
from bot.store.database import Database
from bot.store.people_tables import event_keys, key_uses, webhook_secrets
from bot.store.upsert import insert_into

SHORTEST = 20  # characters: a PagerDuty REST API key's
SEALING = "encryption_keys"
DATED = (
    "pagerduty_api_key",
    "pagerduty_routing_key",
    "pagerduty_client_secret",
    "pagerduty_webhook_secrets",
    "pagerduty_v2_secrets",
)
"""Settings whose keys can be renewed without a gap. Slack has no second token beside the first."""

Keys = Mapping[str, Sequence[SecretStr]]
"""By setting."""


@dataclass(frozen=True, slots=True)
class Age:
    """A key in use for so many seconds. `of` is a setting, or what a sealed one belongs to; never a
    secret.
    """

    of: str
    seconds: float


def dated_keys(settings: Settings, sealing: SecretStr | None) -> Keys:
    """Those whose age counts. `sealing`: the key that seals; others only open, and `rekey` says when they may
    go.
    """
    found: dict[str, Sequence[SecretStr]] = {}
    for name in DATED:
        value = settings.webhook_secrets if name == "pagerduty_webhook_secrets" else getattr(settings, name)
        found[name] = value if isinstance(value, tuple) else (value,) if value is not None else ()
    return found | {SEALING: (sealing,) if sealing else ()}


def fingerprint(setting: str, key: SecretStr) -> str | None:
    """None for one that is too short to be kept any trace of."""
    value = key.get_secret_value()
    if len(value) < SHORTEST:
        return None
    return hashlib.sha256(f"pagerline key\0{setting}\0{value}".encode()).hexdigest()[:32]


class KeyUses:
    """The `key_uses` table, and what was sealed when. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, keys: Keys) -> None:
        """They are used now; those that were before keep their date."""
        now = self._database.now_sql()
        async with self._database.write() as connection:
            for setting, mark in sorted(_marks(keys)):
                row = insert_into(key_uses, self._database.dialect)
                row = row.values(setting=setting, fingerprint=mark, first_used_at=now)
                await connection.execute(row.on_conflict_do_nothing())

    async def ages(self, keys: Keys) -> list[Age]:
        """Of these keys, as far as a bot has run with them, and of the sealed ones. By the database's
        clock.
        """
        now = self._database.now_sql()
        async with self._database.read() as connection:
            used = select(
                key_uses.c.setting,
                key_uses.c.fingerprint,
                (now - type_coerce(key_uses.c.first_used_at, Double)).label("age"),
            )
            by_mark = {(row.setting, row.fingerprint): row.age for row in await connection.execute(used)}
            found = [Age(mark[0], float(by_mark[mark])) for mark in _marks(keys) if mark in by_mark]
            for table, name, of in (
                (event_keys, event_keys.c.name, "the integration key"),
                (webhook_secrets, webhook_secrets.c.subscription_id, "the sealed secret of webhook"),
            ):
                age = (now - type_coerce(table.c.added_at, Double)).label("age")
                rows = await connection.execute(select(name.label("name"), age).order_by(name))
                found += [Age(f"{of} {row.name}", float(row.age)) for row in rows]
        return found


def _marks(keys: Keys) -> Iterator[tuple[str, str]]:
    for setting, values in keys.items():
        for one in values:
            if mark := fingerprint(setting, one):
                yield setting, mark
