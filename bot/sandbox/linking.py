"""Linking a person by walking the bot's own pages: the button it gives them, consent, and what it asks then.

Nothing of the bot is known here but that its Link button opens an address, and that each page's first button
goes on.
"""

from __future__ import annotations

import asyncio
import time

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
    channel = slack.workspace.direct_messages(user).id
    before = {message.ts for message in slack.messages(channel, seen_by=user)}
    await slack.command(user, channel, words)
    message = await _offered(slack, user, channel, before, within)
    action, url = next(iter(url_buttons(message.blocks).items()))
    await slack.action(user, action, channel=channel, message=message.ts)
    async with Visitor(user) as browser:
        await (await browser.opens(url)).agrees()
        if browser.status != 200:
            raise NotLinked(f"{user} came to {browser.status}: {browser.words}")
        return browser.words


async def _offered(slack: FakeSlack, user: str, channel: str, before: set[str], within: float) -> Message:
    deadline = time.monotonic() + within
    while True:
        new = [one for one in slack.messages(channel, seen_by=user) if one.ts not in before]
        for message in new:
            if url_buttons(message.blocks):
                return message
        if time.monotonic() > deadline:
            said = "; ".join(message.text for message in new) or "nothing"
            raise NotLinked(f"{user} was offered no link; the bot said: {said}")
        await asyncio.sleep(LOOK_EVERY)
