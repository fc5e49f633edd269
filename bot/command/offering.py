"""The answer to somebody who is not linked: why, one button that leads to linking, and what becomes of what
they asked for.

An act that was stored is kept (bot/store/intents.py: `linking`) and done once they have linked
(bot/command/parked.py); reads are quickly asked for again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.command.filling import incident_refs
from bot.command.ports import IncidentStore, Offers
from bot.command.steps import Errand
from bot.declaration import Reply
from bot.errors import NotLinked
from bot.model import Incident, SlackUser
from bot.render.own_link import link_first
from bot.store.intent_steps import Intent


class KeptIntents(Protocol):
    """bot/store/intents.py."""

    async def linked_since(self, intent: Intent) -> bool: ...


class LinkFirst:
    """One answer per errand that was refused for want of a link."""

    def __init__(
        self,
        offers: Offers,
        intents: KeptIntents,
        incidents: IncidentStore,
        may_look: Callable[[SlackUser], Awaitable[bool]],
    ) -> None:
        self._may_look = may_look
        self._offers = offers
        self._intents = intents
        self._incidents = incidents

    async def linked_since(self, errand: Errand) -> bool:
        """Whether they linked after they asked: while it was refused, or before it was run again."""
        return errand.intent is not None and await self._intents.linked_since(errand.intent)

    async def answer(self, errand: Errand, refusal: NotLinked, *, keep: bool) -> Reply:
        """The Link button; `keep`: what they asked for waits for it, if it is an act."""
        command = errand.called.command
        if keep and errand.intent is not None and command is not None and command.acts:
            errand.kept = True
        intent_id = errand.intent.id if errand.intent is not None and errand.kept else None
        offer = await self._offers.offer(errand.request.user, intent_id)
        return link_first(
            str(refusal),
            offer.url,
            offer.ticket,
            asked=errand.words,
            incident=await self._about(errand),
            kept=errand.kept,
        )

    async def _about(self, errand: Errand) -> Incident | None:
        refs = incident_refs(errand.given.values) if errand.given else ()
        if len(refs) != 1 or not await self._may_look(errand.request.user):
            return None
        return await self._incidents.find(refs[0].id)
