"""When the database goes away after PagerDuty has done what it was asked for: that is no failure of the act,
and is never told as one. What can wait is left to the next webhook or sweep; the outcome is tried again.

Used by the desks (bot/command/hand.py), by the one path of every command (bot/command/run.py) and by what was
interrupted (intents.py); bot/delivery/setbacks.py writes down by `kept` what Slack has done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import structlog

from bot.errors import StoreUnavailable

log = structlog.get_logger("pagerline.command")

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

KEEPING_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to write an outcome down: an intent that stays open is reported once more."""


@contextmanager
def healed_later(what: str) -> Iterator[None]:
    """Goes on without `what` when the database is away."""
    try:
        yield
    except StoreUnavailable as error:
        log.warning("left_to_the_sweep", what=what, error=str(error))


async def kept(
    write: Callable[[], Awaitable[T]],
    *,
    pauses: Sequence[float] = KEEPING_PAUSES,
    sleep: Sleep = asyncio.sleep,
) -> T:
    """Written down, tried again while the database is away. Raises StoreUnavailable in the end."""
    for pause in pauses:
        try:
            return await write()
        except StoreUnavailable:
            await sleep(pause)
    return await write()
