"""A store, a fake PagerDuty, and what reads from one into the other; its fixtures are asked for by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.delivery.rereader import Rereader
from bot.delivery.sweep import Sweep
from bot.model import Status
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.directory import Directory
from bot.pagerduty.http import PagerDutyHttp, open_session
from bot.pagerduty.levels import Levels
from bot.sandbox.pagerduty import FakePagerDuty, Incident
from bot.sandbox.world import acme
from bot.store.batcher import Batcher
from bot.store.cursors import Cursors
from bot.store.database import Database
from bot.store.incidents import Incidents
from bot.store.leases import Leases
from bot.store.wake import Wake
from tests.store.news import an_event, an_incident
from tests.store.seeding import opened

SERVICE = "PSVCCHK"


@dataclass
class Reading:
    """A store, a fake PagerDuty, and what reads from one into the other."""

    database: Database
    fake: FakePagerDuty
    incidents: Incidents
    rereader: Rereader
    sweep: Sweep
    time: Time

    def pass_time(self, seconds: float) -> None:
        """For the database as for PagerDuty."""
        self.time.passed += timedelta(seconds=seconds)
        self.database.clock_offset += seconds

    def another(self) -> Sweep:
        """The sweep of a second replica."""
        return Sweep(
            self.incidents,
            self.rereader._reader,
            Leases(self.database, "second"),
            Cursors(self.database),
            seconds=300,
        )

    async def hears_of(self, incident: Incident, kind: str = "triggered", seconds: float = 0.0) -> None:
        """A webhook told something; it marks the incident stale."""
        seen = replace(an_incident(incident.id), number=incident.number, title=incident.title)
        await self.incidents.accept(an_event(kind, seconds, seen))

    async def status(self, incident: Incident) -> Status | None:
        known = await self.incidents.find(incident.id)
        return None if known is None else known.status

    def reads(self) -> list[str]:
        """The paths of all reads of one incident so far."""
        return [one.path for one in self.fake.journal if one.path.startswith("/incidents/Q")]


@dataclass
class Time:
    """What PagerDuty takes for now."""

    passed: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.passed


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def pagerduty(time: Time) -> AsyncIterator[FakePagerDuty]:
    fake = FakePagerDuty(acme(), clock=time)
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def reading(database_url: str, pagerduty: FakePagerDuty, time: Time) -> AsyncIterator[Reading]:
    async with opened(database_url) as database, open_session() as session:
        batcher, wake = Batcher(database), Wake(database)
        incidents = Incidents(database, batcher, wake)
        client = PagerDuty(PagerDutyHttp(session, pagerduty.origin), AccountKey(SecretStr(pagerduty.api_key)))
        directory = Directory(client)
        levels = Levels(directory, client)
        yield Reading(
            database,
            pagerduty,
            incidents,
            Rereader(incidents, client, levels, wake, poll_seconds=0.1),
            Sweep(
                incidents, client, Leases(database, "first"), Cursors(database), seconds=300, levels=levels
            ),
            time,
        )
        await directory.close()
        await batcher.close()
        await wake.close()
