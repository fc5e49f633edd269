"""Waiting for something to become true: a story never sleeps for a fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_EVERY = 0.01  # seconds
PATIENCE = 40.0  # seconds; far beyond what any of this takes, so that only a fault reaches it


async def until(
    look: Callable[[], T | None], what: Callable[[], str] | str, *, within: float = PATIENCE
) -> T:
    """What `look` returns once that is something (not None, False or empty); fails with `what` after `within`
    seconds.
    """
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {within:g} s: {what if isinstance(what, str) else what()}")
        await asyncio.sleep(LOOK_EVERY)


async def until_async(
    look: Callable[[], Awaitable[T | None]], what: str, *, within: float = PATIENCE, every: float = 0.05
) -> T:
    """The same for a look that must ask somebody."""
    deadline = time.monotonic() + within
    while True:
        found = await look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {within:g} s: {what}")
        await asyncio.sleep(every)
