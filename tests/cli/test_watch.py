"""`watch`: a line per change until it is stopped, through outages, and quietly gone when nobody reads."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.pagerduty.server import FakePagerDuty
from tests.cli.conftest import ended, environment, start
from tests.contract.pagerduty_openapi import available, check_exchange
from tests.stories.waiting import until

PATIENCE = 60.0  # seconds; a loaded machine starts a process in some

Watching = Callable[..., Awaitable[asyncio.subprocess.Process]]


async def has_looked(pagerduty: FakePagerDuty, since: int = 0) -> None:
    """At the log, after so many exchanges."""

    def asked() -> bool:
        return any(one.path == "/log_entries" for one in pagerduty.journal[since:])

    await until(asked, "nobody looked at the log", within=PATIENCE)


@pytest.fixture
async def watching(pagerduty: FakePagerDuty, tmp_path: Path) -> AsyncIterator[Watching]:
    """`watch` as a process that has looked once."""
    started: list[asyncio.subprocess.Process] = []
    settings = {"PAGERDUTY_API_KEY": pagerduty.api_key, "PAGERDUTY_API_URL": pagerduty.origin}

    async def run(*words: str) -> asyncio.subprocess.Process:
        before = len(pagerduty.journal)
        process = await start(tmp_path, "watch", "--every", "1", *words, settings=settings)
        started.append(process)
        await has_looked(pagerduty, before)
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode()


async def change(process: asyncio.subprocess.Process) -> Any:
    return json.loads(await line(process))


async def test_each_change_is_one_line_until_it_is_stopped(
    watching: Watching, pagerduty: FakePagerDuty
) -> None:
    old = pagerduty.trigger("PSVCCHK", "Old news")
    process = await watching("--json")
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    told = await change(process)
    assert (told["change"], told["incident"]["id"]) == ("triggered", incident.id)
    pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    told = await change(process)
    assert (told["change"], told["by"]["name"]) == ("acknowledged", "Bob Brown")
    assert told["incident"]["status"] == "acknowledged"
    pagerduty.act(old.id, "resolve", by="PBOB002")
    assert (await change(process))["change"] == "resolved"
    process.send_signal(signal.SIGTERM)
    outcome = await ended(process)
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    if available():
        assert [problem for one in pagerduty.journal for problem in check_exchange(one)] == []


async def test_only_what_is_watched(watching: Watching, pagerduty: FakePagerDuty) -> None:
    words = ("--service", "checkout", "--team", "payments", "--urgency", "high", "--status", "acknowledged")
    process = await watching(*words)
    other = pagerduty.trigger("PSVCMET", "Slow graphs")
    pagerduty.act(other.id, "acknowledge", by="PBOB002")
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    told = await line(process)
    assert "Disk full (Checkout, high, acknowledged)" in told
    process.send_signal(signal.SIGINT)
    outcome = await ended(process)
    assert (outcome.status, outcome.err) == (0, "")
    assert "Slow graphs" not in outcome.out


async def test_it_goes_on_after_an_outage_and_misses_nothing(
    watching: Watching, pagerduty: FakePagerDuty
) -> None:
    process = await watching("--json")
    pagerduty.outage("error", paths=["/log_entries"], status=500)
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE * 2):
        assert "I go on trying." in (await process.stderr.readline()).decode()
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    pagerduty.outage("off")
    async with asyncio.timeout(PATIENCE):
        assert (await process.stderr.readline()).decode() == "PagerDuty answers again.\n"
    assert (await change(process))["incident"]["id"] == incident.id
    process.send_signal(signal.SIGTERM)
    outcome = await ended(process)
    assert (outcome.status, outcome.out) == (0, "")


async def test_what_happened_before_is_told_where_it_is_asked_for(
    watching: Watching, pagerduty: FakePagerDuty
) -> None:
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    process = await watching("--json", "--since", "1h")
    assert (await change(process))["incident"]["id"] == incident.id


async def test_a_reader_that_goes_away_ends_it_quietly(pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    reads, writes = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "watch", "--json", "--every", "1"),
        cwd=tmp_path,
        env=environment({"PAGERDUTY_API_KEY": pagerduty.api_key, "PAGERDUTY_API_URL": pagerduty.origin}),
        stdout=writes,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(writes)
    await has_looked(pagerduty)
    os.close(reads)
    pagerduty.trigger("PSVCCHK", "Disk full")
    async with asyncio.timeout(PATIENCE):
        _, complaint = await process.communicate()
    assert (process.returncode, complaint) == (0, b"")


async def test_a_key_that_is_let_in_no_more_ends_it(watching: Watching, pagerduty: FakePagerDuty) -> None:
    process = await watching("--json")
    pagerduty.outage("error", paths=["/log_entries"], status=401)
    outcome = await ended(process)
    assert outcome.status == 1
    assert "PAGERDUTY_API_KEY" in outcome.err
    assert json.loads(outcome.out)["error"]["status"] == 401
