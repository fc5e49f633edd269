"""Tells open pages what changed, by server-sent events: only *what* to look at again, never the content."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.sandbox.pagerduty import Change, FakePagerDuty
from bot.sandbox.slack import FakeSlack

HEARTBEAT_SECONDS = 15.0
_BACKLOG = 500
Hint = dict[str, Any]


class Stream:
    """One pump per fake, any number of pages. A page that falls behind is told to look at everything.

    `saw` is handed every change on PagerDuty's side.
    """

    def __init__(self, slack: FakeSlack, pagerduty: FakePagerDuty, saw: Callable[[Change], None]) -> None:
        self._saw = saw
        self._slack = slack
        self._pagerduty = pagerduty
        self._pages: set[asyncio.Queue[Hint | None]] = set()
        self._pumps: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._pumps = [loop.create_task(self._pump_slack()), loop.create_task(self._pump_pagerduty())]

    async def stop(self) -> None:
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for page in tuple(self._pages):
            _tell(page, None)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """`GET /stream?user=…`: until the page goes away or the sandbox stops."""
        user = request.query.get("user", "")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        hints: asyncio.Queue[Hint | None] = asyncio.Queue(_BACKLOG)
        self._pages.add(hints)
        try:
            await response.write(b'data: {"part": "all"}\n\n')
            while True:
                try:
                    hint = await asyncio.wait_for(hints.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                if hint is None:
                    break
                if hint.get("user") in (None, user):
                    await response.write(f"data: {json.dumps(hint)}\n\n".encode())
        except ConnectionError:
            pass
        finally:
            self._pages.discard(hints)
        return response

    async def _pump_slack(self) -> None:
        parts = {
            "message": "channel",
            "message_deleted": "channel",
            "channel": "workspace",
            "view": "surfaces",
        }
        async for change in self._slack.listen():
            self.tell(
                {**change.detail, **self._thread(change.detail), "part": parts.get(change.kind, change.kind)}
            )

    def _thread(self, detail: Hint) -> Hint:
        """The thread a changed message belongs to, and whether it stands in that thread only."""
        place = self._slack.workspace.channels.get(str(detail.get("channel")))
        ts = str(detail.get("ts"))
        message = (place.messages.get(ts) or place.ephemerals.get(ts)) if place else None
        if message is None or message.thread_ts is None:
            return {}
        return {"thread": message.thread_ts, "quiet": message.is_reply and not message.broadcast}

    async def _pump_pagerduty(self) -> None:
        async for change in self._pagerduty.listen():
            self._saw(change)
            self.tell({"part": "pagerduty"})

    def tell(self, hint: Hint) -> None:
        """Tell every open page (with `user`, only this person's) where to look again."""
        for page in tuple(self._pages):
            _tell(page, hint)


def _tell(page: asyncio.Queue[Hint | None], hint: Hint | None) -> None:
    if page.full():
        while not page.empty():
            page.get_nowait()
        page.put_nowait({"part": "all"})
    page.put_nowait(hint)
