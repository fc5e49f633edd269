"""Side loops: stopped together, begun again when they fail, and never dead in silence."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.background import Background, rest, rest_until


async def test_a_loop_runs_until_it_is_told_to_stop() -> None:
    seen: list[str] = []

    async def loop(stop: asyncio.Event) -> None:
        seen.append("began")
        await stop.wait()
        seen.append("ended")

    background = Background()
    background.start("walk", loop)
    await asyncio.sleep(0)
    await background.stop(1)
    assert seen == ["began", "ended"]
    assert background.complaints() == []


async def test_a_failing_loop_begins_again_and_is_complained_of(caplog: pytest.LogCaptureFixture) -> None:
    tries = 0
    again = asyncio.Event()

    async def loop(stop: asyncio.Event) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("a bug")
        again.set()
        await stop.wait()

    caplog.set_level(logging.ERROR)
    background = Background()
    background.start("walk", loop)
    async with asyncio.timeout(30):
        await again.wait()
    assert background.complaints() == ["walk failed and was begun again; the log says why"]
    await background.stop(1)


async def test_a_loop_that_ends_by_itself_is_begun_again_after_a_pause() -> None:
    tries = 0

    async def loop(stop: asyncio.Event) -> None:
        nonlocal tries
        tries += 1

    background = Background()
    background.start("walk", loop)
    for _ in range(20):
        await asyncio.sleep(0)
    assert tries == 1
    assert background.complaints() == ["walk failed and was begun again; the log says why"]
    await background.stop(1)


async def test_a_loop_that_does_not_listen_is_cancelled() -> None:
    async def deaf(stop: asyncio.Event) -> None:
        del stop
        await asyncio.sleep(60)

    background = Background()
    background.start("deaf", deaf)
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await background.stop(0.01)


async def test_a_rest_ends_with_its_hint_or_with_the_loop_and_leaves_nothing_behind() -> None:
    stop, hint = asyncio.Event(), asyncio.Event()
    for event in (hint, stop):
        asyncio.get_running_loop().call_soon(event.set)
        async with asyncio.timeout(30):
            await rest_until(stop, rest(hint, 3600))
        assert event.is_set()
        hint.clear()
    assert [one for one in asyncio.all_tasks() if one.get_name() == "rest"] == []
