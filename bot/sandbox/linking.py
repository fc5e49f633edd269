"""Linking a person by walking the bot's own pages: the button it gives them, consent, and what it asks then.

Nothing of the bot is known here but that its Link button opens an address, and that each page's first button
goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.pressing import url_buttons
from bot.sandbox.slack.state import Message
from bot.sandbox.visitor import Visitor

LOOK_EVERY = 0.02  # seconds
PATIENCE = 15.0  # seconds


class NotLinked(Exception):
    """The person could not be linked: says how far they came."""


async def link(slack: FakeSlack, user: str, *, words: str = "link", within: float = PATIENCE) -> str:
    """Ask for a Link button in the bot's conversation, press it and agree to everything.

    Returns what the last page says. Raises NotLinked when no button comes within so many seconds, or the last
    page is an error.
    """
    message = await _answered(slack, user, words, lambda one: bool(url_buttons(one.blocks)), within)
    action, url = next(iter(url_buttons(message.blocks).items()))
    await slack.action(user, action, channel=message.channel, message=message.ts)
    async with Visitor(user) as browser:
        await (await browser.opens(url)).agrees()
        if browser.status != 200:
            raise NotLinked(f"{user} came to {browser.status}: {browser.words}")
        return browser.words


async def unlink(slack: FakeSlack, user: str, *, words: str = "unlink", within: float = PATIENCE) -> str:
    """Let the bot forget a person; what it says. Raises NotLinked when it says nothing in time."""
    return (await _answered(slack, user, words, lambda _one: True, within)).text


async def _answered(
    slack: FakeSlack, user: str, words: str, wanted: Callable[[Message], bool], within: float
) -> Message:
    """The first new private reply like this to a command in the bot's own conversation."""
    channel = slack.workspace.direct_messages(user).id
    before = {message.ts for message in slack.messages(channel, seen_by=user)}
    await slack.command(user, channel, words)
    deadline = time.monotonic() + within
    while True:
        new = [one for one in slack.messages(channel, seen_by=user) if one.ts not in before]
        found = next((one for one in new if wanted(one)), None)
        if found is not None:
            return found
        if time.monotonic() > deadline:
            said = "; ".join(message.text for message in new) or "nothing"
            raise NotLinked(f"{user} asked to {words} and was told: {said}")
        await asyncio.sleep(LOOK_EVERY)
