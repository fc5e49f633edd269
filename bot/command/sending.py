"""What a command sends by PagerDuty's Events API: alerts and changes of integrations that admins have named,
and incidents asked for by people without a PagerDuty user.

Between looking (bot/command/looking.py) and acting (bot/command/desk.py): an event carries no person.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pydantic import SecretStr

from bot.command.context import Asker, NewIncident
from bot.command.integrations import Integrations
from bot.command.looking import Looking
from bot.errors import NotAllowed, UserError
from bot.model import Incident, SlackUser, Urgency
from bot.pagerduty.event_fields import Alert, Change, Severity
from bot.pagerduty.event_words import fit_summary

ASKED_BY = "Asked for in Slack by"  # a custom detail: the event itself names nobody


@dataclass(slots=True)
class Sending(Looking):
    """The part of a desk that sends events."""

    @property
    def _integrations(self) -> Integrations:
        if self.reach.integrations is None:
            raise NotAllowed("This bot sends no events.")
        return self.reach.integrations

    async def may_send_without_seat(self, user: SlackUser) -> None:
        """Raises NotAllowed where people without a PagerDuty user may not, or have done it too often."""
        await self._integrations.check_without_seat(user, self.channel)

    async def send_alert(self, integration: str, alert: Alert) -> str:
        """Have it taken in; its dedup key. Raises UserError for an integration that nobody has named."""
        sent = self._integrations
        return (await sent.api.send(await self._key_of(integration), alert, self.journal)).key

    async def send_change(self, integration: str, change: Change) -> None:
        """Have it taken in. Raises UserError for an integration that nobody has named."""
        sent = self._integrations
        await sent.api.send_change(await self._key_of(integration), change, self.journal)

    async def _key_of(self, integration: str) -> SecretStr:
        keys = self._integrations.keys
        if key := await keys.key(integration):
            return key
        names = ", ".join(list(await keys.names())[:20])
        if not names:
            raise UserError(
                "No integration is named yet. Whoever runs me does it by `python -m bot event-keys add`."
            )
        raise UserError(f"I know no integration called “{integration[:40]}”. There are: {names}.")

    async def send_event(self, new: NewIncident, asker: Asker) -> None:
        """Ask for one through the Events API; the same key again is the same alert while it is open."""
        await self.may_send_without_seat(asker.user)
        key = await self._reader.integration_key(new.service.id)
        if key is None:
            raise UserError(
                f"{new.service.name} takes no events: it has no Events API v2 integration. "
                "Ask somebody with a PagerDuty user to trigger it."
            )
        details = {ASKED_BY: f"{asker.name} ({asker.user.id})"}
        if new.details:
            details["Details"] = new.details
        alert = Alert(
            key=new.key,
            summary=fit_summary(new.title)[0],
            source=f"Slack, {asker.name}",
            # Where a service takes its urgency from the severity: critical is high, info is low.
            severity=Severity.INFO if new.urgency is Urgency.LOW else Severity.CRITICAL,
            details=details,
        )
        await self._integrations.api.send(key, alert, self.journal)

    async def made_of_event(self, key: str, service_id: str | None = None) -> Incident | None:
        """The incident that came of it: PagerDuty makes it some moments after it took the event in."""
        for pause in (*self.reach.late_looks, *self.reach.late_looks):
            await asyncio.sleep(pause)
            if incident := await self.with_key(service_id, key):
                return incident
        return None
