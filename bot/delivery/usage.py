"""Writes down how often each identity calls PagerDuty, and notices what is unlike it: a token that somebody
else uses shows by its rate, or by what it is refused.

An hour is unusual above five times the median of the identity's own hours of the seven days before, or with
a burst of 401 and 403. Small numbers never alarm, and the account key not before it has a day of history.
Said to the admins once per identity and day; /metrics shows how many there are, and never who.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Protocol

import structlog

from bot.background import rest
from bot.errors import StoreUnavailable
from bot.pagerduty.tally import Tally
from bot.render.text import clock_utc
from bot.store.usage import ACCOUNT, HOUR, Hour, Usage

log = structlog.get_logger("pagerline.usage")

PERIOD_SECONDS = 60.0
TIMES = 5  # above this many times the median, an hour is unusual
PERSON_CALLS = 100  # in an hour: fewer never alarm
ACCOUNT_CALLS = 2000
PERSON_REFUSED = 10
ACCOUNT_REFUSED = 20
ACCOUNT_HISTORY = 24  # hours with calls before its median says anything


class Kind(StrEnum):
    """What is unusual about an hour."""

    RATE = "rate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Unusual:
    """An hour unlike the others; `usual` is the median of the week before (0: no history)."""

    hour: Hour
    kind: Kind
    usual: float


def unusual(hour: Hour, week: Sequence[int]) -> list[Unusual]:
    """What is, of an hour and the calls of each active hour of the week before it. Pure."""
    of_account = hour.identity == ACCOUNT
    usual = float(median(week)) if week else 0.0
    found = []
    known = not of_account or len(week) >= ACCOUNT_HISTORY
    if known and hour.calls > max(TIMES * usual, ACCOUNT_CALLS if of_account else PERSON_CALLS):
        found.append(Unusual(hour, Kind.RATE, usual))
    if hour.refused >= (ACCOUNT_REFUSED if of_account else PERSON_REFUSED):
        found.append(Unusual(hour, Kind.REFUSED, usual))
    return found


class Figures(Protocol):
    """bot/metrics.py."""

    def unusual_use(self, identity: str, kind: str, count: int) -> None:
        """How many identities of this kind use PagerDuty unusually."""


class UsageWatch:
    """`tell_once` says a key's words to the admins, once. `slash` is the slash command people type."""

    def __init__(
        self,
        tally: Tally,
        usage: Usage,
        *,
        tell_once: Callable[[str, str], Awaitable[object]],
        figures: Figures,
        slash: str = "/pager",
        seconds: float = PERIOD_SECONDS,
    ) -> None:
        self._tally = tally
        self._usage = usage
        self._tell_once = tell_once
        self._figures = figures
        self._slash = slash
        self._seconds = seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Once a period until `stop` is set, and then a last time, so that nothing counted is lost."""
        last = False
        while not last:
            await rest(stop, self._seconds)
            last = stop.is_set()
            try:
                await self.once()
            except StoreUnavailable as failure:
                log.warning("usage_not_written", reason=str(failure))

    async def once(self) -> None:
        """Write down, then look. Raises StoreUnavailable; what was counted waits for the next time."""
        await self._write()
        found: list[Unusual] = []
        for hour in await self._usage.lately(calls=PERSON_CALLS, refused=PERSON_REFUSED):
            found += unusual(hour, await self._usage.week_before(hour))
        self._show(found)
        for one in found:
            day = one.hour.began_at.date().isoformat()
            await self._tell_once(f"unusual:{one.hour.identity}:{day}", await self._words(one))

    async def _write(self) -> None:
        counted = self._tally.take()
        if not counted:
            return
        try:
            await self._usage.add({name: (some.calls, some.refused) for name, some in counted.items()})
        except BaseException:
            self._tally.give_back(counted)
            raise

    def _show(self, found: Sequence[Unusual]) -> None:
        several = {(_sort(one.hour), one.kind, one.hour.identity) for one in found}
        counts = Counter((sort, kind) for sort, kind, _ in several)
        for sort in (ACCOUNT, "person"):
            for kind in Kind:
                self._figures.unusual_use(sort, kind.value, counts[sort, kind])

    async def _words(self, one: Unusual) -> str:
        hour = one.hour
        between = f"between {clock_utc(hour.began_at)} and {clock_utc(hour.began_at + HOUR)}"
        who = "The account key" if hour.identity == ACCOUNT else await self._person(hour.identity)
        if one.kind is Kind.RATE:
            usual = f"usually {one.usual:,.0f} an hour" if one.usual else "before that, none in a week"
            told = f"{who} made {hour.calls:,} calls to PagerDuty {between} ({usual})."
        else:
            told = f"PagerDuty refused {hour.refused:,} of {hour.calls:,} calls {between}: {_own(who)}."
        return f"Unusual use. {told} {self._next(hour)}"

    async def _person(self, identity: str) -> str:
        user_id = identity.partition(":")[2]
        name = await self._usage.name_of(identity)
        return f"{name} ({user_id})" if name else f"Slack user {user_id}"

    def _next(self, hour: Hour) -> str:
        if hour.identity == ACCOUNT:
            return (
                "A storm of incidents does this too. If there is none, look with "
                "`python -m bot audit --since 24h` and make a new key in PagerDuty; docs/runbook.md says how."
            )
        return (
            f"`{self._slash} audit` with a mention of them shows what was done. If it was not them, they "
            f"type `{self._slash} unlink`."
        )


def _sort(hour: Hour) -> str:
    return ACCOUNT if hour.identity == ACCOUNT else "person"


def _own(who: str) -> str:
    return "those of the account key" if who == "The account key" else f"those of {who}"
