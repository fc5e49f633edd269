"""What every scenario plays with, and how each of them begins: one alert, one message that is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.model import Incident
from bot.rehearsal.budgets import OPENED, SHOWN, Budget
from bot.rehearsal.ground import Ground
from bot.rehearsal.report import Result, Step
from bot.rehearsal.stage import Stage
from bot.rehearsal.view import View
from bot.rehearsal.watching import Watching
from bot.settings import Settings
from bot.store.rehearsals import Rehearsals


@dataclass(frozen=True, slots=True)
class Scene:
    """One run's parts."""

    settings: Settings
    ground: Ground
    stage: Stage
    view: View
    watching: Watching
    rehearsals: Rehearsals

    async def see(
        self, what: str, incident: Incident, *, budget: Budget = SHOWN, since: float | None = None
    ) -> bool:
        """Wait until the channel shows this state of the incident."""

        async def wrong() -> str:
            return await self.view.wrong(incident)

        return await self.watching.see(what, budget, wrong, since=since)

    async def see_words(self, what: str, incident: Incident, words: str, *, budget: Budget) -> bool:
        """Wait until its message says so."""

        async def wrong() -> str:
            found = await self.view.messages_of(incident)
            return "" if any(words in one.text for one in found) else f"it does not say {words!r}"

        return await self.watching.see(what, budget, wrong)

    async def open_one(self) -> Incident | None:
        """An alert, its incident, and its message; None when one of them never came."""
        began = self.watching.now()
        key = await self.stage.alert()
        found: list[Incident] = []

        async def opened() -> str:
            incident = await self.stage.found(key)
            found.extend([incident] if incident else [])
            return "" if incident else "PagerDuty took the event in and made no incident"

        way = "an event opens an incident" if self.stage.by_event else "an incident is opened by REST"
        if not await self.watching.see(way, OPENED, opened, since=began):
            return None
        return found[-1] if await self.see("its message stands in the channel", found[-1]) else None

    async def resolve(self, incident: Incident, resolved: Sequence[Incident]) -> None:
        """The last rows: it shows that it is over, and there is one message of it, and no second."""
        await self.see("resolved is shown", resolved[0])
        wrong = await self.view.wrong(await self.stage.now(incident))
        self.watching.note(
            Step("one message, equal to PagerDuty", Result.MISSING if wrong else Result.OK, detail=wrong)
        )
