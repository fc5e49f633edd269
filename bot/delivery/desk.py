"""What every writer of living messages works with: its workspace's client, the turns, what follows a call.

Shared by posting.py, lines.py and lookup.py; built once by the loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.declaration import Button
from bot.delivery.periods import Periods
from bot.delivery.setbacks import Setbacks
from bot.errors import SlackFailure
from bot.model import Incident, Reference, Status, Urgency
from bot.render.limits import Rendered
from bot.slack.client import Posted, Slack
from bot.slack.failures import ContentRefused, MessageGone
from bot.slack.workspaces import Workspaces
from bot.store.outcomes import Outcomes
from bot.store.page_turns import PageTurns
from bot.store.people import People
from bot.store.rows import Message
from bot.store.turns import Turn, Turns

log = structlog.get_logger("pagerline.delivery")


class TooLate(SlackFailure):
    """The turn was held up so long that its lease may end during the call: it is not made."""

    def __init__(self) -> None:
        super().__init__("too_late")


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a writer needs. `clock` is monotonic seconds."""

    turns: Turns
    page_turns: PageTurns
    outcomes: Outcomes
    setbacks: Setbacks
    workspaces: Workspaces
    people: People
    buttons: Sequence[tuple[str, Button]]
    periods: Periods
    clock: Callable[[], float]

    def slack(self, turn: Turn) -> Slack:
        """The client of the turn's workspace."""
        slack = self.workspaces.for_team(turn.message.channel.team_id)
        if slack is None:
            raise SlackFailure("no_client")
        return slack

    async def mentions(self, team_id: str, people: Sequence[Reference]) -> Mapping[str, str]:
        """PagerDuty user id to Slack user id, of those that are known."""
        if not people:
            return {}
        return await self.people.slack_ids(team_id, [person.id for person in people])

    def in_time(self, began: float) -> None:
        """Raises TooLate when the turn, begun at `began`, has no time left for a call."""
        if self.clock() - began > self.periods.lease - self.periods.call:
            raise TooLate

    async def write(
        self, turn: Turn, rendered: Rendered, send: Callable[[Rendered], Awaitable[Posted | None]]
    ) -> Posted | None:
        """Send it; what Slack does not take is sent again as plain text, so that the incident is shown."""
        try:
            return await send(rendered)
        except ContentRefused as refused:
            self.setbacks.refused_content(turn, refused)
            return await send(Rendered(rendered.text, ()))

    async def delete_extra(self, turn: Turn, ts: str) -> bool:
        """Take a second message away; False when it may still stand there."""
        channel = turn.message.channel
        try:
            await self.slack(turn).delete(channel.id, ts)
        except MessageGone:
            return True
        except SlackFailure as failure:
            log.warning("extra_not_deleted", channel=channel.id, ts=ts, code=failure.code)
            return False
        log.info("extra_deleted", channel=channel.id, ts=ts, incident=turn.message.incident_id)
        self.setbacks.count("delete", "ok")
        return True


def calls_for_somebody(message: Message, incident: Incident) -> bool:
    """Whether the message should mention the assignees now: once, and only while it is theirs to take."""
    return (
        message.mention
        and not message.mentioned
        and incident.status is Status.TRIGGERED
        and incident.urgency is Urgency.HIGH
        and bool(incident.assignees)
    )
