"""By which integrations events go, and when people without a PagerDuty user may have one sent.

Part of what every desk reaches (bot/command/looking.py); bot/command/sending.py sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.command.context import BY_EVENTS
from bot.command.ports import AuditPort, EventKeyPort
from bot.errors import NotAllowed
from bot.model import Channel, SlackUser
from bot.pagerduty.events import EventsApi
from bot.store.audit_reading import Wanted

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Integrations:
    """By which integrations events go, and where and how often people without a PagerDuty user may send.

    `channels`: ids, as in the settings; empty means all. `hourly`: per person.
    """

    api: EventsApi
    keys: EventKeyPort
    audit: AuditPort
    channels: Sequence[str] = ()
    hourly: int = 5

    async def check_without_seat(self, user: SlackUser, channel: Channel) -> None:
        """Raises NotAllowed with what to do instead."""
        named = (channel.id, f"{channel.team_id}:{channel.id}")
        if self.channels and not any(one in self.channels for one in named):
            raise NotAllowed(
                "People without a PagerDuty user may not trigger here. Use a channel that admins have opened "
                "for it, or call whoever is on call."
            )
        since = await self.audit.now() - HOUR
        mine = Wanted(team_id=user.team_id, who=user.id, identity=BY_EVENTS, since=since, but="not_allowed")
        if await self.audit.count(mine) > self.hourly:  # this act is on record already
            raise NotAllowed(
                f"That makes more than {self.hourly} in an hour, which is as many as people without a "
                "PagerDuty user may trigger. Call whoever is on call."
            )
