"""The way back to whoever asked: their reply address, else privately in the channel, else a direct message.

One `Answering` per request, used by bot/command/run.py. Slack's rules it knows: a reply address works 5 times
within 30 minutes; through a slash command's address nothing can be replaced (slackapi/bolt-js 2287); a press
on a channel's message must never replace that message; an open view is answered by updating it. An answer
that cannot go where it is looked for says what it is about.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from bot.command.request import Request, Surface
from bot.declaration import Reply, Visibility
from bot.errors import SlackFailure
from bot.render.dialogs import answer_view
from bot.render.elsewhere import elsewhere
from bot.render.problems import cannot_see_channel, working
from bot.slack.client import Slack
from bot.slack.failures import (
    ChannelClosed,
    ContentRefused,
    Limited,
    OutcomeUnknown,
    Unreachable,
    ViewExpired,
)

log = structlog.get_logger("pagerline.command")

WORKING = working()
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each further try when Slack is away: whoever asked looks at their screen for so long."""
PASSING = (Limited, OutcomeUnknown, Unreachable)

Way = Callable[[Reply], Awaitable[Any]]


class Answering:
    """Nothing here raises: who cannot be reached is logged. `pauses` are seconds; none: one try. `asked`
    gives what was asked for, in the asker's words, for an answer that has to say so.
    """

    def __init__(
        self,
        slack: Slack,
        request: Request,
        *,
        pauses: Sequence[float] = (),
        asked: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._slack = slack
        self._request = request
        self._pauses = pauses
        self._asked = asked
        self._posted_ts: str | None = None  # of what we wrote in a direct conversation, which can be edited
        self._replaced = False
        self.answered = False

    async def working(self) -> None:
        """Say that it takes a while; the answer takes its place where Slack lets it."""
        if self._request.surface in (Surface.MENTION, Surface.FORM):
            return  # nothing could take it away again
        await self._private(WORKING)

    async def send(self, reply: Reply) -> bool:
        """The answer, where it is meant to be seen. False when it reached nobody."""
        self.answered = True
        if reply.visibility is Visibility.CHANNEL and not self._request.in_direct_message:
            if await self._in_channel(reply):
                return True
            why = cannot_see_channel()
            reply = Reply(f"{why.text}\n{reply.text}", (*why.blocks, *reply.blocks))
        return await self._private(reply)

    async def show(self, view: Mapping[str, Any]) -> bool:
        """Open a view, or let it replace the one acted in. False when Slack's trigger has expired."""
        request = self._request
        try:
            if request.surface is Surface.DIALOG and request.view_id:
                await self._slack.update_view(request.view_id, view)
            elif request.trigger_id:
                await self._slack.open_view(request.trigger_id, view)
            else:
                return False
        except ViewExpired as failure:
            log.info("view_not_opened", code=failure.code, surface=request.surface)
            return False
        self.answered = True
        return True

    async def _in_channel(self, reply: Reply) -> bool:
        request = self._request
        ways: list[Way] = []
        if request.response_url:
            ways.append(self._by_address_in_channel)
        if request.channel_id:
            ways.append(self._by_post)
        return await self._first_way(ways, reply) is None

    async def _private(self, reply: Reply) -> bool:
        request = self._request
        ways: list[Way] = []
        if request.surface is Surface.DIALOG and request.view_id:
            ways.append(self._in_view)
        if request.response_url:
            ways.append(self._by_address)
        if request.in_direct_message:
            ways.append(self._in_conversation)
        elif request.channel_id:
            ways.append(self._ephemerally)
        ways.append(self._by_direct_message)
        reached = await self._patiently(ways, reply)
        if not reached:
            log.warning("person_not_reached", surface=request.surface, user=request.user.id)
        return reached

    async def _patiently(self, ways: Sequence[Way], reply: Reply) -> bool:
        """Whether one of the ways worked, tried again while Slack is away: an answer is not to be lost."""
        usual = ways[0]
        for pause in (*self._pauses, None):
            again = await self._first_way(ways, reply, usual)
            if again is None:
                return True
            if not again or pause is None or reply is WORKING:
                break
            ways = again
            await asyncio.sleep(pause)
        return False

    async def _first_way(
        self, ways: Sequence[Way], reply: Reply, usual: Way | None = None
    ) -> list[Way] | None:
        """None once one has worked; else those that may work later. On any but the `usual` one the answer
        says what it is about.
        """
        again: list[Way] = []
        for way in ways:
            try:
                as_usual = usual in (None, way) or reply is WORKING
                await self._plainer_if_refused(way, reply if as_usual else await self._explained(reply))
            except SlackFailure as failure:
                level = logging.INFO if isinstance(failure, (ViewExpired, ChannelClosed)) else logging.WARNING
                log.log(level, "answer_refused", way=way.__name__.strip("_"), code=failure.code)
                if isinstance(failure, PASSING):
                    again.append(way)
            else:
                return None
        return again

    async def _explained(self, reply: Reply) -> Reply:
        request = self._request
        if request.in_direct_message:
            return reply  # it is the same conversation
        words = await self._asked() if self._asked is not None else request.text
        return elsewhere(reply, words, request.channel_id)

    @staticmethod
    async def _plainer_if_refused(way: Way, reply: Reply) -> None:
        try:
            await way(reply)
        except ContentRefused as refused:
            log.warning("blocks_refused", code=refused.code, reasons=refused.reasons)
            await way(Reply(reply.text, visibility=reply.visibility, replaces=reply.replaces))

    # ---------------------------------------------------------------------------------------- the ways

    async def _by_address(self, reply: Reply) -> None:
        replace = self._request.on_private_reply and (reply.replaces or self._replaced or reply is WORKING)
        await self._slack.respond(
            self._request.response_url or "",
            text=reply.text,
            blocks=reply.blocks or None,
            replace_original=replace,
            thread_ts=self._request.thread_ts,
        )
        self._replaced = replace and reply is WORKING

    async def _by_address_in_channel(self, reply: Reply) -> None:
        await self._slack.respond(
            self._request.response_url or "",
            text=reply.text,
            blocks=reply.blocks or None,
            in_channel=True,
            thread_ts=self._request.thread_ts,
        )

    async def _by_post(self, reply: Reply) -> None:
        await self._slack.post(
            self._request.channel_id, reply.text, reply.blocks or None, thread_ts=self._request.thread_ts
        )

    async def _in_view(self, reply: Reply) -> None:
        await self._slack.update_view(self._request.view_id or "", answer_view(reply))

    async def _in_conversation(self, reply: Reply) -> None:
        if self._posted_ts is not None:
            await self._slack.update(
                self._request.channel_id, self._posted_ts, reply.text, reply.blocks or None
            )
            return
        posted = await self._slack.post(
            self._request.channel_id, reply.text, reply.blocks or None, thread_ts=self._request.thread_ts
        )
        if reply is WORKING:
            self._posted_ts = posted.ts

    async def _ephemerally(self, reply: Reply) -> None:
        await self._slack.ephemeral(
            self._request.channel_id,
            self._request.user.id,
            reply.text,
            reply.blocks or None,
            thread_ts=self._request.thread_ts,
        )

    async def _by_direct_message(self, reply: Reply) -> None:
        await self._slack.direct_message(self._request.user.id, reply.text, reply.blocks or None)
