"""Says by direct message, once, that a link has ended: to whoever is on call, because they count on it.

bot/accounts/tokens.py calls it when PagerDuty refused a renewal. Everybody else hears of it when they act
next, with the same button (bot/command/offering.py), and before they go on call (bot/command/reminding.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Protocol

import structlog

from bot.errors import Failure, PagerDutyFailure, StoreUnavailable
from bot.model import OnCall, SlackUser
from bot.render.ended_link import ended_link
from bot.slack.failures import OutcomeUnknown
from bot.slack.workspaces import Workspaces
from bot.store.accounts import EndedLink
from bot.store.notices import Notices

LINK_SECONDS = 86_400.0  # how long the message's button leads somewhere: they may be asleep

log = structlog.get_logger("pagerline.tokens")


class Endings(Protocol):
    """bot/store/accounts.py."""

    async def ended(self, user: SlackUser) -> EndedLink | None: ...


class Duty(Protocol):
    """Who is on call (bot/pagerduty/directory.py)."""

    async def on_calls(self, *, users: Sequence[str] = ()) -> Sequence[OnCall]: ...


class Offered(Protocol):
    """Where a person links, and the ticket in it."""

    @property
    def url(self) -> str: ...
    @property
    def ticket(self) -> str: ...


class LastingOffers(Protocol):
    """bot/accounts/linking.py."""

    async def offer(self, user: SlackUser, intent_id: int | None = None, *, seconds: float) -> Offered: ...


class EndedLinks:
    """`tell` is what bot/accounts/tokens.py wants as `on_ended`."""

    def __init__(
        self,
        endings: Endings,
        duty: Duty,
        offers: LastingOffers,
        workspaces: Workspaces,
        notices: Notices,
        *,
        slash: str = "/pager",
    ) -> None:
        self._endings = endings
        self._duty = duty
        self._offers = offers
        self._workspaces = workspaces
        self._notices = notices
        self._slash = slash

    async def tell(self, user: SlackUser, why: str) -> None:
        """Write to them if they are on call now. Raises nothing that is foreseen: it is told in the log."""
        try:
            sent = await self._tell(user)
        except Failure as failure:
            log.warning("ended_link_not_told", team=user.team_id, user=user.id, reason=str(failure))
        else:
            log.info("ended_link", team=user.team_id, user=user.id, why=why, told=sent)

    async def _tell(self, user: SlackUser) -> bool:
        ended = await self._endings.ended(user)
        slack = self._workspaces.for_team(user.team_id)
        if ended is None or slack is None or not await self._is_on_call(ended):
            return False
        key = f"link ended:{user.team_id}:{user.id}:{ended.generation}"
        if not await self._notices.claim(key):
            return False
        try:
            offer = await self._offers.offer(user, seconds=LINK_SECONDS)
            drawn = ended_link(url=offer.url, ticket=offer.ticket, slash=self._slash)
            await slack.direct_message(user.id, drawn.text, drawn.blocks)
        except OutcomeUnknown:
            raise  # it may stand there: a second one would be worse than none
        except Failure:
            with contextlib.suppress(StoreUnavailable):
                await self._notices.drop(key)
            raise
        return True

    async def _is_on_call(self, ended: EndedLink) -> bool:
        """Also when PagerDuty does not tell: better one message too many than somebody who relies on it."""
        try:
            return bool(await self._duty.on_calls(users=[ended.person.id]))
        except PagerDutyFailure:
            return True
