"""The calls of a storm: pages posted, edited, taken away, news, and the fold at its end.

As bot/delivery/posting.py for an incident's own message, with turns from bot/store/page_turns.py. What is
rendered are the rows as they were when the turn began; what was rendered is written down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bot.delivery.desk import Desk, TooLate
from bot.delivery.editing import edit
from bot.delivery.setbacks import Hold, Kind, held, undone
from bot.errors import SlackFailure
from bot.model import Channel
from bot.render.limits import Rendered
from bot.render.storm import Trend, render_fold, render_news, render_page
from bot.slack.client import Posted
from bot.slack.failures import MessageGone
from bot.slack.marks import Mark
from bot.store.rows import Message
from bot.store.turns import Begun, NotNow, Turn


class Pages:
    """Writes a storm's messages. `verb`: the command behind a page's buttons, None for none."""

    def __init__(self, desk: Desk, *, verb: str | None) -> None:
        self._desk = desk
        self._verb = verb

    async def new(self, channel: Channel, absorbs: Sequence[int], take: int) -> Hold | None:
        """Post a page with the rows of those it absorbs and `take` of the unseen ones."""
        return await self._post(channel, lambda: self._desk.page_turns.begin_page(channel, absorbs, take))

    async def again(self, message: Message) -> Hold | None:
        """Post a page whose post came to nothing."""
        return await self._post(message.channel, lambda: self._desk.page_turns.begin_again(message))

    async def news(self, channel: Channel) -> Hold | None:
        """Post what changed and no edit has shown yet."""
        return await self._post(channel, lambda: self._desk.page_turns.begin_news(channel))

    async def edit(self, message: Message, *, settled: datetime | None = None) -> Hold | None:
        """Write a page's rows as they are, when it shows something else or has `settled`."""
        began = self._desk.clock()
        turn = await self._desk.page_turns.begin_edit(message, settled=settled)
        if not isinstance(turn, Turn):
            return _not_now(turn, Kind.EDITS, message.channel)
        rendered = self._page(turn)

        async def made(turn: Turn) -> None:
            await self._desk.outcomes.updated(turn, rendered.hash)

        return await edit(self._desk, turn, rendered, began, kind="page_update", made=made)

    async def fold(self, channel: Channel) -> Hold | None:
        """Make the newest page the summary of the storm."""
        began = self._desk.clock()
        turn = await self._desk.page_turns.begin_fold(channel)
        if not isinstance(turn, Turn):
            return _not_now(turn, Kind.EDITS, channel)
        assert turn.tally is not None
        incidents = [row.incident for row in turn.rows]
        rendered = render_fold(incidents, turn.tally.since, turn.tally.at)
        return await edit(self._desk, turn, rendered, began, kind="fold", made=self._desk.outcomes.folded)

    async def delete(self, message: Message) -> Hold | None:
        """Take away a page whose rows stand elsewhere now."""
        desk, channel = self._desk, message.channel
        began = desk.clock()
        turn = await desk.page_turns.begin_delete(message)
        if not isinstance(turn, Turn):
            return _not_now(turn, Kind.DELETES, channel)
        assert turn.message.ts is not None
        try:
            desk.in_time(began)
            await desk.slack(turn).delete(channel.id, turn.message.ts)
        except TooLate:
            await desk.outcomes.failed(turn, pause=False)
            return None
        except MessageGone:
            pass  # as it should be
        except SlackFailure as failure:
            return await desk.setbacks.meet(turn, failure, kind="page_delete")
        await desk.setbacks.saved(lambda: desk.outcomes.deleted(turn))
        desk.setbacks.count("page_delete", "ok")
        return None

    # ------------------------------------------------------------------------------------------ both ways

    async def _post(self, channel: Channel, begin: Callable[[], Awaitable[Begun]]) -> Hold | None:
        desk = self._desk
        began = desk.clock()
        turn = await begin()
        if not isinstance(turn, Turn):
            return _not_now(turn, Kind.POSTS, channel)
        kind = turn.message.kind
        rendered = self._news(turn) if kind == "news" else self._page(turn)
        mark = Mark(kind, turn.message.id)
        slack = desk.slack(turn)

        async def send(looks: Rendered) -> Posted:
            return await slack.post(channel.id, looks.text, looks.blocks, mark=mark)

        try:
            desk.in_time(began)
            posted = await desk.write(turn, rendered, send)
        except TooLate:
            await desk.outcomes.failed(turn, pause=False)
            return None
        except SlackFailure as failure:
            return await desk.setbacks.meet(turn, failure, kind=kind)
        assert posted is not None
        kept = await desk.setbacks.saved(lambda: desk.outcomes.posted(turn, posted.ts, looks=rendered.hash))
        desk.setbacks.count(kind, "ok" if kept else "extra")
        if not kept:
            await desk.delete_extra(turn, posted.ts)
        return None

    def _page(self, turn: Turn) -> Rendered:
        tally = turn.tally
        assert tally is not None
        trend = Trend(
            since=tally.since,
            at=tally.at,
            triggered=tally.triggered,
            acknowledged=tally.acknowledged,
            resolved=tally.resolved,
            opened_lately=tally.opened_lately,
            acknowledged_lately=tally.acknowledged_lately,
            resolved_lately=tally.resolved_lately,
        )
        return render_page([row.incident for row in turn.rows], trend, verb=self._verb)

    def _news(self, turn: Turn) -> Rendered:
        return render_news([row.incident for row in turn.rows], turn.began_at)


def _not_now(turn: NotNow | None, kind: Kind, channel: Channel) -> Hold:
    if turn is None:
        return undone(kind, channel.team_id, channel.id)
    return held(turn, kind, channel.team_id, channel.id)
