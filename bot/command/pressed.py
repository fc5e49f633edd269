"""What a press tells about the pressed message: it stands there, so what became of its post is known now.

Its metadata names our row. A row without a `ts` gets it; a row with another `ts` has its own message, and the
pressed one is the extra and goes. On anything else (private answers, replies, foreign messages) a press only
runs its words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from bot.command.request import Request
from bot.errors import SlackFailure, StoreUnavailable
from bot.model import Channel
from bot.slack.workspaces import Workspaces
from bot.store.messages import Adoption

log = structlog.get_logger("pagerline.command")


class Adopter(Protocol):
    """bot/store/messages.py."""

    async def adopt(
        self, channel: Channel, ts: str, *, row_id: int | None = None, incident_id: str | None = None
    ) -> Adoption: ...


class Pressed:
    """`hint` says that there may be something to deliver."""

    def __init__(self, messages: Adopter, workspaces: Workspaces, hint: Callable[[], None]) -> None:
        self._messages = messages
        self._workspaces = workspaces
        self._hint = hint

    async def take_in(self, request: Request) -> None:
        """Before the words are run. Failing, it must not keep them from being run."""
        mark, ts = request.mark, request.message_ts
        if mark is None or mark.kind != "incident" or not ts or request.thread_ts not in (None, ts):
            return
        try:
            found = await self._messages.adopt(request.channel, ts, row_id=mark.row)
            if found is Adoption.ADOPTED:
                self._hint()
            slack = self._workspaces.for_team(request.user.team_id)
            if found is Adoption.EXTRA and slack is not None:
                log.info("extra_message_deleted", channel=request.channel_id, ts=ts)
                await slack.delete(request.channel_id, ts)
        except (SlackFailure, StoreUnavailable) as failure:
            log.warning("pressed_message_not_adopted", error=str(failure))
