"""The database is locked or stopped: nothing is pretended, and everything goes on when it is back."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.store.frozen import Relay
from tests.stories.office import InProcess, Office
from tests.stories.waiting import until, until_async


@dataclass
class Outage:
    """A store that can be taken away and given back."""

    office: Office
    begin: Callable[[], Awaitable[None]]
    end: Callable[[], Awaitable[None]]


@pytest.fixture
async def locked_sqlite(empty_sqlite_office: Office, tmp_path: Path) -> AsyncIterator[Outage]:
    """Somebody holds SQLite's file for writing."""
    office = empty_sqlite_office
    other = sqlite3.connect(tmp_path / "pagerline.db", isolation_level=None)

    async def begin() -> None:
        other.execute("BEGIN IMMEDIATE")

    async def end() -> None:
        other.execute("ROLLBACK")

    async with InProcess(office):
        yield Outage(office, begin, end)
        other.close()


@pytest.fixture
async def stopped_postgresql(empty_postgresql_office: Office) -> AsyncIterator[Outage]:
    """PostgreSQL drops its connections and takes none."""
    office = empty_postgresql_office
    relay = Relay(office.database_url)
    await relay.start()
    office.database_url = relay.url
    async with InProcess(office):
        yield Outage(office, relay.shut, relay.reopen)
    await relay.stop()


@pytest.fixture(params=["locked_sqlite", "stopped_postgresql"])
def outage(request: pytest.FixtureRequest) -> Outage:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Outage)
    return found


async def test_it_says_so_refuses_and_goes_on(outage: Outage) -> None:
    office = outage.office
    office.inspection.expects("webhook_store_away")
    await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")

    await message.press("Add note", by="U0CAROL")
    await office.carol.form()

    await outage.begin()
    refused = await office.slack.command("U0BOB", "C0CHECK", f"ack {incident.number}")
    assert "I cannot remember anything right now, so nothing was done" in str(refused.body)
    await message.press("Acknowledge", by="U0ALICE")
    await office.checkout.expect_private("U0ALICE", "cannot remember")
    unsent = await office.slack.submit("U0CAROL", values={"text": "Looking"})
    assert "cannot remember" in unsent.body["errors"]["text"]
    office.pagerduty.act(incident.id, "priority", by="PBOB002", value="PPRIO01")

    def turned_away() -> bool:
        return any(one.direction == "out" and one.status == 503 for one in office.pagerduty.journal)

    await until(turned_away, "the webhook was not refused")
    async with aiohttp.ClientSession() as session:

        async def unready() -> bool:
            async with session.get(f"{office.bot_url}/health/ready") as answer:
                return answer.status == 503

        if office.database_url.startswith("postgresql"):
            await until_async(unready, "health does not know")
        async with session.get(f"{office.bot_url}/health/live") as answer:
            assert answer.status == 200
    assert office.truth(incident).status == "triggered"

    await outage.end()
    await office.slack.submit("U0CAROL", values={"text": "Looking"})
    await until(lambda: office.truth(incident).notes, "the form could not be sent again")
    await message.expect("*P1*")
    await message.press("Acknowledge", by="U0ALICE")
    await message.expect("Acknowledged", "Alice Anderson")
    await office.trigger("Queue stuck")
    await office.checkout.expect_message("Queue stuck")
