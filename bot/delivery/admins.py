"""Notes to the people who run the bot: each said once over all replicas and restarts until settled."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.errors import Failure, SlackFailure, StoreUnavailable
from bot.model import SlackUser
from bot.render.text import escape
from bot.slack.failures import OutcomeUnknown
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

    async def tell_once(self, key: str, text: str) -> bool:
        """Say `text` unless `key` was told before; raises StoreUnavailable, never SlackFailure.

        False: nobody could be reached. It counts as not told, and the next time says it.
        """
        if not await self._notices.claim(key):
            return True
        log.warning("told_admins", key=key)
        try:
            reached = await self.tell(text)
        except Failure:
            with contextlib.suppress(StoreUnavailable):
                await self._notices.drop(key)
            raise
        if not reached:
            await self._notices.drop(key)
        return reached

    async def tell(self, text: str) -> bool:
        """Say it now, whatever was said before; who cannot be reached is logged. False: nobody was, of those
        whom the settings name.
        """
        log.warning("note_to_admins", text=text)
        channel = self._channel_id
        receivers = [channel] if channel else [f"{one.team_id}:{one.id}" for one in await self._people()]
        reached = not receivers
        for receiver in receivers:
            try:
                await self._slack.direct_message(receiver, escape(text))
                reached = True
            except SlackFailure as failure:
                log.warning("admin_not_reached", receiver=receiver, reason=str(failure))
                # It may stand there: a second one would be worse than none.
                reached = reached or isinstance(failure, OutcomeUnknown)
        return reached

    async def settle(self, key: str, *, after: float = 0.0) -> bool:
        """The matter is over: it may be told again the next time it happens. True when it had been told, at
        least `after` seconds ago; a younger one is left, so that what comes and goes is not told each time.
        """
        return await self._notices.drop(key, older_than=after)
