"""While PagerDuty does not answer: one note in each channel that shows open incidents, saying as of when.

Claimed before it is posted (bot/store/notices.py), so that no channel gets two over all replicas; edited when
PagerDuty is back, at every look until Slack has taken that: a note that stayed would be a lie. One replica at
a time decides, by a lease it keeps while PagerDuty is away from it: another one that can reach PagerDuty does
not take back what the first has said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from bot.background import rest
from bot.errors import SlackFailure, StoreUnavailable
from bot.model import Channel
from bot.render.outage import away, back
from bot.slack.client import Slack
from bot.slack.failures import Limited, OutcomeUnknown, ScopeMissing, TokenBad, Unreachable
from bot.slack.marks import AS_OF, Mark
from bot.slack.workspaces import Workspaces
from bot.store.leases import Lease, Leases
from bot.store.notices import Notices
from bot.store.pace import HISTORY, POSTS, UPDATES, Charge, Pace, channel_posts

log = structlog.get_logger("pagerline.asof")

LEASE = "as of"
LEASE_SECONDS = 30.0
NOTE = "as-of:"  # then team, channel
LANDING_SECONDS = 30.0
"""A post that nobody knows the outcome of stands by then, or never."""
LOOK_BACK = timedelta(minutes=1)
"""A look-up starts this long before the claim: Slack's clock gives the `ts`, not ours."""
PASSING = (Limited, OutcomeUnknown, TokenBad, Unreachable)
"""What can be otherwise at the next look."""


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
        self._healed = False  # since PagerDuty was last away, as far as this replica knows

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
        if since is not None:
            self._healed = False
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
        if not self._healed:
            self._heal()
            self._healed = True
        over = [await self._take_back(key, ts) for key, ts in said.items()]
        if all(over):
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
            mark = Mark(AS_OF, int(since.timestamp()))  # each outage's is another one
            posted = await slack.post(channel.id, said.text, said.blocks, mark=mark)
        except SlackFailure as failure:
            log.warning("as_of_not_said", channel=channel.id, code=failure.code)
            if isinstance(failure, Limited):
                await self._pace.post_blocked(channel, failure.seconds)
            if isinstance(failure, (Limited, Unreachable)):
                await self._notices.drop(key)  # nothing stands there: the next look may say it
            return
        await self._notices.note(key, posted.ts)
        log.info("as_of_said", channel=channel.id)

    async def _take_back(self, key: str, ts: str | None) -> bool:
        """Whether the matter is over; if not, the claim stays for the next look."""
        _, team_id, channel_id = key.split(":", 2)
        slack = self._workspaces.for_team(team_id)
        landing = 0.0
        if slack is not None:
            bucket = HISTORY
            try:
                if ts is None:
                    if await self._pace.spend(team_id, (Charge(HISTORY),)):
                        return False
                    ts = await self._find(slack, channel_id, key)
                    landing = LANDING_SECONDS if ts is None else 0.0
                if ts is not None:
                    bucket = UPDATES
                    if await self._pace.spend(team_id, (Charge(UPDATES),)):
                        return False
                    said = back(self._clock())
                    await slack.update(channel_id, ts, said.text, said.blocks)
            except ScopeMissing as missing:
                log.warning("as_of_not_looked_up", channel=channel_id, needed=missing.needed)
            except SlackFailure as failure:
                log.warning("as_of_not_taken_back", channel=channel_id, code=failure.code)
                if isinstance(failure, Limited):
                    await self._pace.blocked(team_id, bucket, failure.seconds)
                if isinstance(failure, PASSING):
                    return False
        return await self._notices.drop(key, older_than=landing)

    async def _find(self, slack: Slack, channel_id: str, key: str) -> str | None:
        """The `ts` of a note that was claimed and perhaps posted: whoever did died, or got no answer."""
        claimed = await self._notices.told_at(key)
        if claimed is None:
            return None
        found = await slack.history(channel_id, oldest=(claimed - LOOK_BACK).timestamp())
        return next((one.ts for one in found if one.mark is not None and one.mark.kind == AS_OF), None)
