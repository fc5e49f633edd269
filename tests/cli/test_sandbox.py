"""`sandbox` as a newcomer starts it: a page, people who act as themselves, and again on a kept database."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.cli.conftest import Cli, start
from tests.cli.test_run import free_port

OPEN_SECONDS = 60.0
ANSWER_SECONDS = 60.0


@asynccontextmanager
async def sandbox(folder: Path, *words: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Its page, until Ctrl-C."""
    process = await start(
        folder, "sandbox", "--quiet", "--port", str(free_port()), *words, settings={"PORT": "not used"}
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            async for line in process.stdout:
                if line.startswith(b"Open "):
                    break
            else:
                pytest.fail("the sandbox ended before it was open")
        async with aiohttp.ClientSession(line.decode().removeprefix("Open ").strip()) as page:
            yield page
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), ANSWER_SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def is_told(page: aiohttp.ClientSession, user: str, line: str, words: str) -> None:
    """Somebody asks in #war-room, and is told this privately."""
    act = {"user": user, "channel": "G0PRIV", "text": line}
    async with page.post("/do/slack/command", json=act) as answer:
        assert answer.status == 200, await answer.text()
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        async with page.get("/view/channel/G0PRIV", params={"user": user}) as answer:
            said = [str(one["text"]) for one in (await answer.json())["messages"] if one["ephemeral_to"]]
        if any(words in one for one in said):
            return
        assert time.monotonic() < deadline, f"{user} was told {said}, not {words!r}"
        await asyncio.sleep(0.05)


async def test_people_are_linked_when_it_opens_and_again_on_a_kept_database(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for _ in range(2):
        async with sandbox(tmp_path, "--data", str(kept)) as page:
            await is_told(page, "U0ALICE", "whoami", "act as Alice Anderson in PagerDuty, linked")
            await is_told(page, "U0CAROL", "whoami", "act as Carol Chen")
            await is_told(page, "U0UMA", "whoami", "not linked")


async def test_people_can_be_known_by_their_email_instead(tmp_path: Path) -> None:
    async with sandbox(tmp_path, "--people", "email") as page:
        await is_told(page, "U0UMA", "whoami", "act as Uma Ueda")


async def test_other_verbs_reach_it_by_the_settings_it_writes_down(tmp_path: Path, process: Cli) -> None:
    kept = tmp_path / "kept"
    async with sandbox(tmp_path, "--data", str(kept)):
        by = ("--env-file", str(kept / "sandbox.env"))
        webhooks = await process("webhooks", *by, "list")
        event = await process("event", *by, "trigger", "Disk full on db-1")
        lists = await process("safelist", *by, "--state", str(kept / "safelist.json"), "--format", "json")
    assert webhooks.status == 0, webhooks.err
    assert "account  on" in webhooks.out
    assert event.status == 0, event.err
    assert json.loads(lists.out)["webhooks"]["fresh"] is True, lists.err
