"""An edit of a message that stands: an incident's own, or a page of a storm.

Called by bot/delivery/posting.py and pages.py with a turn that has begun.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.delivery.desk import Desk, TooLate
from bot.delivery.setbacks import Hold
from bot.errors import SlackFailure
from bot.render.limits import Rendered
from bot.slack.failures import DROPPED, OutcomeUnknown
from bot.store.turns import Turn


async def edit(
    desk: Desk,
    turn: Turn,
    rendered: Rendered,
    began: float,
    *,
    kind: str,
    made: Callable[[Turn], Awaitable[None]],
) -> Hold | None:
    """Make the edit of the turn that was begun at `began`, and end the turn: with `made` when it was. Returns
    what the loop is to leave alone.
    """
    try:
        try:
            await _send(desk, turn, rendered, began)
        except OutcomeUnknown as failure:
            if failure.code != DROPPED:
                raise
            # As happens to a connection that was idle. What went over it may still be carried out, on top.
            turn = replace(turn, in_doubt=True)
            await _send(desk, turn, rendered, began)
    except TooLate:
        await desk.outcomes.failed(turn, pause=False)
        return None
    except SlackFailure as failure:
        return await desk.setbacks.meet(turn, failure, kind=kind)
    await desk.setbacks.saved(lambda: made(turn))
    desk.setbacks.count(kind, "ok")
    return None


async def _send(desk: Desk, turn: Turn, rendered: Rendered, began: float) -> None:
    channel, ts, slack = turn.message.channel, turn.message.ts, desk.slack(turn)
    assert ts is not None

    async def send(looks: Rendered) -> None:
        await slack.update(channel.id, ts, looks.text, looks.blocks, repeatable=False)

    desk.in_time(began)
    await desk.write(turn, rendered, send)
