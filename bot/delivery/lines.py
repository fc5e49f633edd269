"""Thread lines: the news below a message, each posted once and in order; and late mentions of assignees."""

from __future__ import annotations

import structlog

from bot.delivery.desk import Desk, TooLate, calls_for_somebody
from bot.delivery.setbacks import Hold, Kind, held, undone
from bot.errors import SlackFailure
from bot.model import Status
from bot.render.limits import Rendered
from bot.render.thread import render_call, render_line
from bot.slack.client import Posted
from bot.slack.failures import MessageGone
from bot.slack.marks import Mark
from bot.store.rows import ThreadLine, Uncalled
from bot.store.turns import NotNow, Turn

log = structlog.get_logger("pagerline.delivery")


class Lines:
    """Posts into the threads of living messages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def post(self, line: ThreadLine) -> Hold | None:
        """Post one line; broadcast to the channel when it is news nobody may miss."""
        desk = self._desk
        began = desk.clock()
        turn = await desk.turns.begin_line(line)
        if turn is None:
            return undone(Kind.POSTS, line.channel.team_id, line.channel.id)
        if isinstance(turn, NotNow):
            return held(turn, Kind.POSTS, line.channel.team_id, line.channel.id)
        mark = Mark("line", line.message_id, line.incident_id, event=line.event_id)
        try:
            rendered = await self._render(turn, line)
            desk.in_time(began)
            # In a storm the channel has pages and news; broadcasts would only push them up.
            loud = line.story.broadcast and not line.quiet
            posted = await self._send(turn, rendered, mark, broadcast=loud)
        except TooLate:
            await desk.outcomes.failed(turn, pause=False)
            return None
        except SlackFailure as failure:
            return await desk.setbacks.meet(turn, failure, kind="line")
        kept = await desk.setbacks.saved(lambda: desk.outcomes.posted(turn, posted.ts))
        desk.setbacks.count("line", "ok" if kept else "extra")
        if not kept:
            await desk.delete_extra(turn, posted.ts)
        return None

    async def call(self, uncalled: Uncalled) -> Hold | None:
        """Mention the assignees in the thread once it is known who they are in Slack; else None."""
        desk = self._desk
        message = uncalled.message
        if not await desk.mentions(message.channel.team_id, uncalled.incident.assignees):
            return None
        began = desk.clock()
        turn = await desk.turns.begin_call(message)
        if turn is None:
            return None
        if isinstance(turn, NotNow):
            return held(turn, Kind.POSTS, message.channel.team_id, message.channel.id)
        try:
            ids = await desk.mentions(message.channel.team_id, turn.incident.assignees)
            if ids and calls_for_somebody(message, turn.incident):
                desk.in_time(began)
                mark = Mark("call", message.id, message.incident_id)
                await self._send(turn, render_call(turn.incident, ids), mark)
        except TooLate:
            await desk.outcomes.failed(turn, pause=False)
            return None
        except SlackFailure as failure:
            return await desk.setbacks.meet(turn, failure, kind="call")
        await desk.setbacks.saved(lambda: desk.outcomes.called(turn))
        desk.setbacks.count("call", "ok")
        return None

    async def _render(self, turn: Turn, line: ThreadLine) -> Rendered:
        """Whom a line calls is mentioned only while there is still something to take."""
        calls = turn.message.mention and turn.incident.status is Status.TRIGGERED
        people = line.story.calls if calls else ()
        return render_line(line.story, turn.incident, await self._desk.mentions(line.channel.team_id, people))

    async def _send(self, turn: Turn, rendered: Rendered, mark: Mark, *, broadcast: bool = False) -> Posted:
        """Raises MessageGone when the thread's message is: Slack posts into the channel then; undone."""
        slack = self._desk.slack(turn)
        channel, parent = turn.message.channel, turn.message.ts

        async def send(looks: Rendered) -> Posted:
            return await slack.post(
                channel.id, looks.text, looks.blocks, thread_ts=parent, broadcast=broadcast, mark=mark
            )

        posted = await self._desk.write(turn, rendered, send)
        assert posted is not None
        if posted.thread_ts is None:
            await self._desk.delete_extra(turn, posted.ts)
            raise MessageGone("thread_not_found", method="chat.postMessage")
        return posted
