"""A flood of commands waits its turn; a few never wait."""

from __future__ import annotations

import asyncio

from bot.command.turns import Turns


async def test_a_burst_goes_at_once_and_the_rest_at_its_rate() -> None:
    turns = Turns(rate=1000, burst=20, clock=lambda: 100.0)
    await asyncio.wait_for(asyncio.gather(*(turns.wait() for _ in range(20))), 30)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(turns.wait() for _ in range(50)))
    assert loop.time() - began >= 0.045


async def test_quiet_time_fills_the_burst_again() -> None:
    now = 0.0
    turns = Turns(rate=0.001, burst=2, clock=lambda: now)
    for moment in (5000.0, 10_000.0):
        now = moment
        await asyncio.wait_for(asyncio.gather(turns.wait(), turns.wait()), 30)
