"""What a person changes of an incident besides its status alone, and any other call an admin makes, as
themselves.

Between bot/command/hand.py and desk.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.command.context import Edited
from bot.command.hand import Hand
from bot.command.looking import no_such
from bot.declaration import IncidentRef
from bot.errors import PagerDutyRefused
from bot.pagerduty.calls import ApiCall, make_call
from bot.pagerduty.edits import Edit
from bot.pagerduty.http import Answer
from bot.pagerduty.refusals import CANNOT_ESCALATE

NOT_ESCALATED = "PagerDuty cannot escalate it as it is now. Look at it, or call somebody directly."


@dataclass(slots=True)
class Editing(Hand):
    """The part of a desk that changes fields."""

    async def edit(self, ref: IncidentRef, edit: Edit) -> Edited:
        """In one write, without what is so already. Moving it to a level happens under the lease that
        escalating takes, so that two who do it page once.
        """
        if edit.level is None:
            return await self._edited(ref, edit)
        incident = await self.known(ref)
        async with self._alone_at(f"escalate:{incident.id}"):
            return await self._edited(IncidentRef(incident.id), edit)

    async def _edited(self, ref: IncidentRef, edit: Edit) -> Edited:
        now = (await self._look(ref, ask_level=edit.level is not None)).incident
        if now is None:
            raise no_such(ref)
        left = edit.beyond(now)
        if not left.names:
            return Edited(now)
        if refusal := left.why_not(now):
            return Edited(now, refusal=refusal)
        began_at = await self.reach.incidents.now()
        try:
            reading = await self._hand.edit_incident(now.id, left)
        except PagerDutyRefused as refused:
            if refused.code != CANNOT_ESCALATE:
                raise
            return Edited(now, refusal=NOT_ESCALATED)
        return Edited(await self._changed(reading, began_at), left.pairs)

    async def call(self, call: ApiCall) -> Answer:
        """Any call to PagerDuty's REST API. Raises PagerDutyFailure."""
        return await make_call(self._hand, call)
