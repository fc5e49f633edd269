"""Killed or frozen at the worst moments: nothing missing, nothing stale, nothing double once recovered."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.stories.office import Office, OwnProcess
from tests.stories.slack_eyes import Seen
from tests.stories.waiting import until

# Look-ups wait for the call timeout and 15 s more; stories shorten the waits, never the rule.
PERIODS: dict[str, Any] = {"shutdown_seconds": 5.0}


async def taken(office: Office) -> None:
    """Until the fault that was laid has been met."""
    await until(lambda: not office.slack.faults.waiting or None, "the bot never made the call")


async def one_true_message(office: Office, title: str, *wanted: str) -> Seen:
    """Exactly one message about it stands there in the end, and it is true."""

    def look() -> Seen | None:
        found = office.checkout.about(title)
        if len(found) != 1:
            return None
        said = found[0].words
        return found[0] if all(one in said for one in wanted) else None

    return await until(look, lambda: f"in the end: {[one.words for one in office.checkout.about(title)]}")


@asynccontextmanager
async def following(office: Office, folder: Path) -> AsyncIterator[OwnProcess]:
    process = OwnProcess(office, folder, **PERIODS)
    try:
        await process.start()
        process.connect()
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        yield process
        await office.inspection.before_the_bot_stops()
    finally:
        await process.kill()


@pytest.fixture
async def bot(empty_office: Office, tmp_path: Path) -> AsyncIterator[OwnProcess]:
    """A bot in a process of its own, with #checkout following Checkout."""
    async with following(empty_office, tmp_path) as process:
        yield process


@pytest.fixture
async def sqlite_bot(empty_sqlite_office: Office, tmp_path: Path) -> AsyncIterator[OwnProcess]:
    """The same once, where the database has no part in the story."""
    async with following(empty_sqlite_office, tmp_path) as process:
        yield process


async def test_killed_before_the_post(empty_office: Office, bot: OwnProcess) -> None:
    office = empty_office
    office.slack.fault("chat.postMessage", "hang", seconds=30, carried_out=False)
    await office.trigger("Disk full")
    await taken(office)
    await bot.kill()
    await bot.start()
    await one_true_message(office, "Disk full", "Triggered")


async def test_killed_between_the_post_and_remembering_it(empty_office: Office, bot: OwnProcess) -> None:
    office = empty_office
    office.slack.fault("chat.postMessage", "hang", seconds=30)
    incident = await office.trigger("Disk full")
    await taken(office)
    await office.checkout.expect_message("Disk full")
    await bot.kill()
    await bot.start()
    office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    await one_true_message(office, "Disk full", "Acknowledged", "Bob Brown")
    assert office.slack.doubles() == []


async def test_killed_between_the_post_and_remembering_it_without_the_history_scope(
    empty_office: Office, bot: OwnProcess
) -> None:
    office = empty_office
    office.slack.history_scope(granted=False)
    office.slack.fault("chat.postMessage", "hang", seconds=30)
    incident = await office.trigger("Disk full")
    await taken(office)
    await bot.kill()
    await bot.start()
    office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")

    def true_one() -> bool | None:
        return any("Acknowledged" in one.words for one in office.checkout.about("Disk full")) or None

    await until(true_one, "no message became true")


async def test_killed_after_the_edit(empty_office: Office, bot: OwnProcess) -> None:
    office = empty_office
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    office.slack.fault("chat.update", "hang", seconds=30)
    office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    await taken(office)
    await bot.kill()
    office.pagerduty.act(incident.id, "resolve", by="PBOB002")
    await bot.start()
    await one_true_message(office, "Disk full", "Resolved", "Bob Brown")


async def test_a_post_that_was_carried_out_but_whose_answer_was_lost(office: Office) -> None:
    office.slack.fault("chat.postMessage", "drop_after")
    incident = await office.trigger("Disk full")
    await taken(office)
    office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    await one_true_message(office, "Disk full", "Acknowledged")


async def test_killed_between_intent_and_act(empty_office: Office, bot: OwnProcess) -> None:
    office = empty_office
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    office.pagerduty.outage("slow", paths=("/incidents",), methods=("GET",), seconds=30)
    await message.press("Acknowledge", by="U0ALICE")
    await bot.kill()
    office.pagerduty.outage("off")
    await bot.start()
    # Never begun and young: done by whoever comes; begun: checked and told. Either way Alice hears of it.
    await office.checkout.expect_private("U0ALICE", f"#{incident.number}")


async def test_a_stop_finishes_what_was_accepted(empty_sqlite_office: Office, sqlite_bot: OwnProcess) -> None:
    office, bot = empty_sqlite_office, sqlite_bot
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    office.pagerduty.outage("slow", paths=("/incidents",), seconds=0.5, count=2)
    await message.press("Acknowledge", by="U0ALICE")
    assert await bot.stop() == 0
    assert office.truth(incident).status == "acknowledged"
    await office.checkout.expect_private("U0ALICE", f"Acknowledged #{incident.number}")


async def test_no_secret_stands_in_the_log(empty_sqlite_office: Office, sqlite_bot: OwnProcess) -> None:
    office, bot = empty_sqlite_office, sqlite_bot
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.press("Acknowledge", by="U0ALICE")
    await message.expect("Acknowledged")
    office.inspection.expects("slack_token_bad")
    office.slack.token("token_revoked")
    office.pagerduty.outage("down")
    await office.alice.types("list", office.checkout)
    await bot.stop()
    log = bot.log.read_text()
    assert [secret for secret in bot.secrets() if secret in log] == []


async def test_a_frozen_replica_returns_past_its_lease(
    empty_postgresql_office: Office, tmp_path: Path
) -> None:
    office = empty_postgresql_office
    second = OwnProcess(office, tmp_path, **PERIODS)
    async with following(office, tmp_path) as first:
        office.slack.fault("chat.postMessage", "hang", seconds=0.5)
        incident = await office.trigger("Disk full")
        await taken(office)
        first.signal(signal.SIGSTOP)
        try:
            await second.start()
            second.connect()
            office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
            await one_true_message(office, "Disk full", "Acknowledged")
            first.signal(signal.SIGCONT)
            office.pagerduty.act(incident.id, "resolve", by="PBOB002")
            await one_true_message(office, "Disk full", "Resolved")
        finally:
            await second.kill()
