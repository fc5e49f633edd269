"""Is PagerDuty still telling us? Asks on a period whether our webhook subscription is there and switched on.

PagerDuty switches a subscription off for a day after three deliveries were refused in a row, and what would
have been sent meanwhile is lost (its webhook documentation, "Webhook behavior"). It is switched on again here
and everything open is read anew (bot/delivery/sweep.py), within a minute. The admins are told once when it
broke and once when it is well; what a person has switched off is left off and explained.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog

from bot.background import rest
from bot.errors import PagerDutyFailure, PagerDutyForbidden, StoreUnavailable
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.subscriptions import WebhookSubscription
from bot.store.leases import Leases

log = structlog.get_logger("pagerline.watch")

PERIOD = "watch period"  # a lease: one replica asks each period
NOTICE = "webhooks:"  # what the admins were told, by kind of trouble
FLAPPING = 300.0  # seconds: what is refused again so soon was not mended
WHERE = "Integrations → Generic Webhooks (v3)"


class Trouble(StrEnum):
    """What keeps PagerDuty from telling us."""

    MISSING = "missing"
    SWITCHED_OFF = "switched off"
    REFUSED = "disabled after refused deliveries"


@dataclass(frozen=True, slots=True)
class State:
    """What PagerDuty says about our subscription; `ids`: those to switch on again."""

    trouble: Trouble | None = None
    ids: tuple[str, ...] = ()


def judge(found: Sequence[WebhookSubscription], *, url: str | None, heard_from: frozenset[str]) -> State:
    """Ours are those that lead to `url`, or that have sent us verified deliveries."""
    ours = [one for one in found if one.id in heard_from or (url is not None and one.url == url)]
    if not ours:
        return State(Trouble.MISSING)
    if disabled := tuple(one.id for one in ours if one.is_disabled):
        return State(Trouble.REFUSED, disabled)
    return State() if any(one.is_active for one in ours) else State(Trouble.SWITCHED_OFF)


class Notes(Protocol):
    """How the admins are told (bot/delivery/admins.py)."""

    async def tell_once(self, key: str, text: str) -> object: ...
    async def settle(self, key: str, *, after: float = 0.0) -> bool: ...
    async def tell(self, text: str) -> object: ...


class Watch:
    """`url` is where PagerDuty delivers, None when the settings do not tell; `seconds` the period; `heal` is
    called after a gap.
    """

    def __init__(
        self,
        reader: PagerDuty,
        leases: Leases,
        notes: Notes,
        *,
        url: str | None,
        heard_from: Callable[[], Awaitable[frozenset[str]]],
        heal: Callable[[], None],
        seconds: float = 60.0,
    ) -> None:
        self._reader = reader
        self._leases = leases
        self._notes = notes
        self._url = url
        self._heard_from = heard_from
        self._heal = heal
        self._seconds = seconds
        self._unknown = False

    async def run(self, stop: asyncio.Event) -> None:
        """Ask once a period until `stop` is set."""
        while not stop.is_set():
            try:
                await self.once()
                self._unknown = False
            except (PagerDutyFailure, StoreUnavailable) as failure:
                if not self._unknown:
                    log.warning("webhooks_not_watched", reason=str(failure))
                self._unknown = True
            await rest(stop, self._seconds)

    async def once(self) -> State | None:
        """What was found and dealt with; None when another replica has asked in this period.

        Raises PagerDutyFailure and StoreUnavailable.
        """
        if await self._leases.take(PERIOD, self._seconds * 0.9) is None:
            return None
        found = await self._reader.webhook_subscriptions()
        state = judge(found, url=self._url, heard_from=await self._heard_from())
        for other in Trouble:
            after = FLAPPING if other is Trouble.REFUSED else 0.0
            if other is not state.trouble and await self._notes.settle(NOTICE + other.name, after=after):
                log.info("webhooks_well_again", was=other.value)
                self._heal()
                if state.trouble is None:
                    await self._notes.tell(
                        "PagerDuty delivers to me again. I have read everything that is open anew, so what "
                        "channels show is true."
                    )
        if state.trouble is not None:
            await self._deal_with(state.trouble, state.ids)
        return state

    async def _deal_with(self, trouble: Trouble, ids: Sequence[str]) -> None:
        enabled = False
        if trouble is Trouble.REFUSED:
            enabled = await self._enable(ids)
            self._heal()
        log.warning("webhooks_in_trouble", trouble=trouble.value, enabled=enabled)
        await self._notes.tell_once(NOTICE + trouble.name, _explained(trouble, self._url, enabled=enabled))

    async def _enable(self, ids: Sequence[str]) -> bool:
        try:
            for one in ids:
                await self._reader.enable_webhooks(one)
        except PagerDutyForbidden:
            return False  # a key that may not; whoever reads the note can
        return True


def _explained(trouble: Trouble, url: str | None, *, enabled: bool) -> str:
    meanwhile = "Until then I notice changes minutes late, by asking."
    to = f" that leads to {url}" if url else ""
    match trouble:
        case Trouble.MISSING:
            return f"PagerDuty has no webhook{to}. Create one under {WHERE}, with all events. {meanwhile}"
        case Trouble.SWITCHED_OFF:
            return f"The webhook{to} is switched off in PagerDuty. Enable it under {WHERE}. {meanwhile}"
    why = "PagerDuty had switched off its deliveries to me after three of them were refused."
    if enabled:
        return (
            f"{why} I have switched them on again and read everything that is open anew. The log says what "
            "was refused (event webhook_refused); `python -m bot check` looks for the cause."
        )
    return f"{why} My key may not switch them on again: do it under {WHERE}. {meanwhile}"
