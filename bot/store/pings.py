"""Whether a `pagey.ping` of PagerDuty's came all the way: asked from outside the bot, by its command line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.rehearsals import GAME_DAY
from bot.store.tables import events, leases

PING = "pagey.ping"
ARRIVES_WITHIN = 10.0  # seconds: PagerDuty sends at once, the bot commits within one
LOOK_SECONDS = 0.2


class Pings:
    """What a running bot has committed. `sleep` waits: tests pass their own."""

    def __init__(
        self,
        database: Database,
        *,
        within: float = ARRIVES_WITHIN,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._within = within
        self._sleep = sleep

    async def bot_runs(self) -> bool:
        """Whether somebody holds a lease: a bot at work, or one that died moments ago."""
        living = leases.c.until > self._database.now_sql()
        ours = leases.c.name.not_like(f"{GAME_DAY}%")  # which the command line holds, and no bot
        query = select(leases.c.name).where(living, ours).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def arrives(self, subscription_id: str, send: Callable[[], Awaitable[None]]) -> bool:
        """Send one, and wait for it. Raises what `send` raises, and StoreUnavailable."""
        before = await self._last(subscription_id)
        await send()
        for _ in range(round(self._within / LOOK_SECONDS)):
            if await self._last(subscription_id) != before:
                return True
            await self._sleep(LOOK_SECONDS)
        return False

    async def _last(self, subscription_id: str) -> int:
        """Grows with each ping that was taken; 0: none."""
        query = select(func.max(events.c.id)).where(
            events.c.subscription_id == subscription_id, events.c.type == PING
        )
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar() or 0)
