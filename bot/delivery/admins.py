"""Notes to the people who run the bot: each said once over all replicas and restarts until settled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.errors import SlackFailure
from bot.model import SlackUser
from bot.render.text import escape
from bot.slack.workspaces import Workspaces
from bot.store.notices import Notices

log = structlog.get_logger(__name__)


class Admins:
    """Says a thing in the admins' channel, or to each of them; with neither configured the log has to do.

    `people` gives everybody whom ADMINS names, members of user groups included.
    """

    def __init__(
        self,
        slack: Workspaces,
        notices: Notices,
        *,
        people: Callable[[], Awaitable[Sequence[SlackUser]]],
        channel_id: str | None,
    ) -> None:
        self._slack = slack
        self._notices = notices
        self._people = people
        self._channel_id = channel_id

    async def tell_once(self, key: str, text: str) -> None:
        """Say `text` unless `key` was told before; raises StoreUnavailable, never SlackFailure."""
        if await self._notices.claim(key):
            log.warning("told_admins", key=key)
            await self.tell(text)

    async def tell(self, text: str) -> None:
        """Say it now, whatever was said before; who cannot be reached is logged."""
        log.warning("note_to_admins", text=text)
        channel = self._channel_id
        for receiver in [channel] if channel else [f"{one.team_id}:{one.id}" for one in await self._people()]:
            try:
                await self._slack.direct_message(receiver, escape(text))
            except SlackFailure as failure:
                log.warning("admin_not_reached", receiver=receiver, reason=str(failure))

    async def settle(self, key: str, *, after: float = 0.0) -> bool:
        """The matter is over: it may be told again the next time it happens. True when it had been told, at
        least `after` seconds ago; a younger one is left, so that what comes and goes is not told each time.
        """
        return await self._notices.drop(key, older_than=after)
