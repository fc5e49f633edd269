"""When something changes in PagerDuty's services, policies, schedules, teams or people, no replica goes on
with an old list of them.

Heard of by `service.*` webhooks and by our own writes, whoever makes them: bot/pagerduty/http.py tells of
every call. Here it is forgotten at once; the other replicas hear by a hint, or at their next look at the
store's revisions, PERIOD later. What nobody tells us (a schedule edited in PagerDuty's web app) is found when
the list's own time is over: a minute for who is on call, five for names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bot.background import look_again
from bot.pagerduty.directory import Directory, lists_changed_by
from bot.pagerduty.wire import HARMLESS
from bot.store.list_changes import ListChanges
from bot.store.wake import Wake

PERIOD = 10.0  # seconds between looks when nothing hints
REFUSED = frozenset(range(400, 500)) - {408}  # PagerDuty did nothing; too slow is not refused


class ChangedLists:
    """`changed` and `called` never wait and never fail; `run` tells the other replicas, and hears them."""

    def __init__(
        self, directory: Directory, changes: ListChanges, wake: Wake, *, period: float = PERIOD
    ) -> None:
        self._directory = directory
        self._changes = changes
        self._wake = wake
        self._period = period
        self._untold: set[str] = set()
        self._seen: Mapping[str, int] = {}
        self._looking = asyncio.Lock()

    def changed(self, *lists: str) -> None:
        """Something of these lists is not what it was."""
        if lists:
            self._directory.forget(*lists)
            self._untold.update(lists)
            self._wake.notify("lists")

    def called(self, method: str, path_template: str, status: int) -> None:
        """A call to PagerDuty was over; a write that may have been carried out changes what it is about."""
        if method not in HARMLESS and status not in REFUSED:
            self.changed(*lists_changed_by(path_template))

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop."""
        await look_again(
            stop,
            self.look,
            lambda: self._wake.wait(self._period, "lists"),
            lost="changed_lists_not_looked_at",
        )

    async def look(self) -> None:
        """Tell what changed here, forget what changed elsewhere. Raises StoreUnavailable; then what is untold
        waits for the next look.
        """
        async with self._looking:  # one at a time: what is told counts once it is seen
            told, self._untold = self._untold, set()
            try:
                if told:
                    await self._changes.note(told)
                    self._wake.notify("lists")
                now = await self._changes.revisions()
            except BaseException:
                self._untold |= told
                raise
            elsewhere = [name for name in now if now[name] != self._seen.get(name, 0) + (name in told)]
            self._seen = now
            self._directory.forget(*elsewhere)
