"""An answer that could not be given where its question was asked: it says what was asked, and where."""

from __future__ import annotations

from bot.declaration import Reply
from bot.render.blocks import context
from bot.render.limits import reply
from bot.render.text import line


def elsewhere(answer: Reply, words: str, channel_id: str = "") -> Reply:
    """`words`: what was asked for, as its asker knows it; `channel_id`: where, when that is another place."""
    place = f" in <#{channel_id}>" if channel_id else ""
    lead = f"You asked for “{line(words, 120)}”{place}."
    blocks = [context(lead), *(dict(block) for block in answer.blocks)] if answer.blocks else []
    text = f"{lead} {answer.text}"
    return reply(text, blocks, visibility=answer.visibility, replaces=answer.replaces)
