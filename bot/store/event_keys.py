"""The routing keys of PagerDuty integrations by the names people use for them, sealed.

Admins put them in by `python -m bot event-keys`; `event` and `change` in Slack send by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import delete, select

from bot.errors import UserError
from bot.store.database import Database
from bot.store.people_tables import event_keys
from bot.store.sealing import Sealer, Unsealable
from bot.store.upsert import insert_into


class EventKeys:
    """Names are matched without case."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def put(self, name: str, routing_key: SecretStr) -> None:
        """Keep this key under this name, in place of an older one."""
        row = {
            "name": name.casefold(),
            "routing_key": self._sealer.seal(routing_key.get_secret_value()),
            "added_at": self._database.now_sql(),
        }
        statement = insert_into(event_keys, self._database.dialect).values(row)
        new = {name: statement.excluded[name] for name in ("routing_key", "added_at")}
        async with self._database.write() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=[event_keys.c.name], set_=new)
            )

    async def remove(self, name: str) -> bool:
        """Forget it; False when there was none."""
        async with self._database.write() as connection:
            gone = await connection.execute(delete(event_keys).where(event_keys.c.name == name.casefold()))
            return gone.rowcount > 0

    async def key(self, name: str) -> SecretStr | None:
        """The key of this name; None when there is none. Raises UserError when nothing opens it."""
        query = select(event_keys.c.routing_key).where(event_keys.c.name == name.casefold())
        async with self._database.read() as connection:
            sealed = (await connection.execute(query)).scalar_one_or_none()
        if sealed is None:
            return None
        try:
            return SecretStr(self._sealer.open(sealed))
        except Unsealable:
            raise UserError(
                f"The routing key of {name} cannot be opened: an encryption key is missing. Tell whoever "
                "runs this bot."
            ) from None

    async def names(self) -> Mapping[str, datetime]:
        """All, and since when (UTC), by name."""
        query = select(event_keys.c.name, event_keys.c.added_at).order_by(event_keys.c.name)
        async with self._database.read() as connection:
            return {row.name: row.added_at for row in await connection.execute(query)}
