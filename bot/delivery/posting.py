"""An incident's message itself: posted once, then edited in place, as its incident is by then."""

from __future__ import annotations

from datetime import datetime

import structlog

from bot.delivery.desk import Desk, TooLate, calls_for_somebody
from bot.delivery.editing import edit
from bot.delivery.setbacks import Hold, Kind, held, undone
from bot.errors import SlackFailure
from bot.render.incident import render_incident
from bot.render.limits import Rendered
from bot.slack.client import Posted
from bot.slack.marks import Mark
from bot.store.rows import Message
from bot.store.turns import NotNow, Turn

log = structlog.get_logger("pagerline.delivery")


class Poster:
    """Makes the calls of `Post` and `Update` (bot/delivery/reconcile.py)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def post(self, message: Message) -> Hold | None:
        """Post a message that stands nowhere; what the loop is to leave alone afterwards."""
        desk = self._desk
        began = desk.clock()
        turn = await desk.turns.begin_post(message)
        if turn is None:
            return undone(Kind.POSTS, message.channel.team_id, message.channel.id)
        if isinstance(turn, NotNow):
            return held(turn, Kind.POSTS, message.channel.team_id, message.channel.id)
        try:
            rendered, mentions = await self._first(turn)
            desk.in_time(began)
            mark = Mark("incident", message.id, message.incident_id, mentioned=mentions)
            slack = desk.slack(turn)

            async def send(looks: Rendered) -> Posted:
                return await slack.post(message.channel.id, looks.text, looks.blocks, mark=mark)

            posted = await desk.write(turn, rendered, send)
        except TooLate:
            await desk.outcomes.failed(turn, pause=False)
            return None
        except SlackFailure as failure:
            return await desk.setbacks.meet(turn, failure, kind="post")
        assert posted is not None
        kept = await desk.setbacks.saved(
            lambda: desk.outcomes.posted(turn, posted.ts, looks=rendered.hash, mentioned=mentions)
        )
        desk.setbacks.count("post", "ok" if kept else "extra")
        if not kept:
            await desk.delete_extra(turn, posted.ts)
        return None

    async def _first(self, turn: Turn) -> tuple[Rendered, bool]:
        """How the first post looks, and whether it mentions somebody."""
        desk = self._desk
        ids = (
            await desk.mentions(turn.message.channel.team_id, turn.incident.assignees)
            if calls_for_somebody(turn.message, turn.incident)
            else {}
        )
        rendered = render_incident(turn.incident, desk.buttons, mentions=ids, mention_assignee=bool(ids))
        return rendered, bool(ids)

    async def update(
        self, message: Message, *, for_a_click: bool, settled: datetime | None = None
    ) -> Hold | None:
        """Edit a message that shows an older revision, or has `settled`; equal renders are not sent."""
        desk = self._desk
        began = desk.clock()
        turn = await desk.turns.begin_update(message, for_a_click=for_a_click, settled=settled)
        kind = Kind.CLICKS if for_a_click else Kind.EDITS
        if turn is None:
            return undone(kind, message.channel.team_id, message.channel.id)
        if isinstance(turn, NotNow):
            return held(turn, kind, message.channel.team_id, message.channel.id)
        rendered = render_incident(turn.incident, desk.buttons)

        async def made(turn: Turn) -> None:
            await desk.outcomes.updated(turn, rendered.hash)

        if rendered.hash != turn.shown_hash:
            return await edit(desk, turn, rendered, began, kind="update", made=made)
        await desk.setbacks.saved(lambda: made(turn))
        desk.setbacks.count("update", "equal")
        return None
