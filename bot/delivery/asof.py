"""While PagerDuty does not answer: one note in each channel that shows open incidents, saying as of when.

Claimed before it is posted (bot/store/notices.py), so that no channel gets two over all replicas; edited when
PagerDuty is back. One replica at a time decides, by a lease it keeps while PagerDuty is away from it: another
one that can reach PagerDuty does not take back what the first has said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog

from bot.background import rest
from bot.errors import SlackFailure, StoreUnavailable
from bot.model import Channel
from bot.render.outage import away, back
from bot.slack.workspaces import Workspaces
from bot.store.leases import Lease, Leases
from bot.store.notices import Notices
from bot.store.pace import POSTS, Charge, Pace, channel_posts

log = structlog.get_logger("pagerline.asof")

LEASE = "as of"
LEASE_SECONDS = 30.0
NOTE = "as-of:"  # then team, channel


class Reaching(Protocol):
    """Whether PagerDuty answers (bot/delivery/reach.py)."""

    @property
    def away_since(self) -> datetime | None: ...


class Showing(Protocol):
    """Which channels are to be told (bot/store/incidents.py)."""

    async def channels_showing_open(self) -> list[Channel]: ...


def _now() -> datetime:
    return datetime.now(UTC)


def _key(channel: Channel) -> str:
    return f"{NOTE}{channel.team_id}:{channel.id}"


class AsOf:
    """`heal` is called when PagerDuty is back; `seconds` is how often it looks."""

    def __init__(
        self,
        *,
        reach: Reaching,
        incidents: Showing,
        notices: Notices,
        pace: Pace,
        leases: Leases,
        workspaces: Workspaces,
        heal: Callable[[], None],
        seconds: float = 5.0,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._reach = reach
        self._incidents = incidents
        self._notices = notices
        self._pace = pace
        self._leases = leases
        self._workspaces = workspaces
        self._heal = heal
        self._seconds = seconds
        self._clock = clock
        self._lease: Lease | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Look every few seconds until `stop` is set."""
        while not stop.is_set():
            try:
                await self.once()
            except StoreUnavailable as error:
                log.info("as_of_waits_for_the_store", reason=str(error))
            await rest(stop, self._seconds)

    async def once(self) -> None:
        """Say what is to be said. Raises StoreUnavailable."""
        since = self._reach.away_since
        said = await self._notices.details(NOTE)
        if since is None and not said:
            await self._let_go()
            return
        if not await self._decides():
            return
        if since is not None:
            for channel in await self._incidents.channels_showing_open():
                if _key(channel) not in said:
                    await self._say(channel, since)
            return
        self._heal()
        for key, ts in said.items():
            await self._take_back(key, ts)
        await self._let_go()

    async def _decides(self) -> bool:
        if self._lease is not None and await self._leases.renew(self._lease, LEASE_SECONDS):
            return True
        self._lease = await self._leases.take(LEASE, LEASE_SECONDS)
        return self._lease is not None

    async def _let_go(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            await self._leases.release(lease)

    async def _say(self, channel: Channel, since: datetime) -> None:
        slack = self._workspaces.for_team(channel.team_id)
        if slack is None:
            return
        key = _key(channel)
        if not await self._notices.claim(key):
            return
        charges = (Charge(channel_posts(channel)), Charge(POSTS))
        if await self._pace.spend(channel.team_id, charges):
            await self._notices.drop(key)  # there is more urgent news for this channel now
            return
        said = away(since)
        try:
            posted = await slack.post(channel.id, said.text, said.blocks)
        except SlackFailure as failure:
            log.warning("as_of_not_said", channel=channel.id, code=failure.code)
            return
        await self._notices.note(key, posted.ts)
        log.info("as_of_said", channel=channel.id)

    async def _take_back(self, key: str, ts: str | None) -> None:
        _, team_id, channel_id = key.split(":", 2)
        slack = self._workspaces.for_team(team_id)
        if slack is not None and ts is not None:
            said = back(self._clock())
            try:
                await slack.update(channel_id, ts, said.text, said.blocks)
            except SlackFailure as failure:
                log.info("as_of_not_taken_back", channel=channel_id, code=failure.code)
        await self._notices.drop(key)
