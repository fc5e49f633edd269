"""While PagerDuty does not answer, channels with open incidents are told once, and again when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bot.delivery.asof import AsOf
from bot.delivery.reach import FAILURES, SECONDS, Reach
from bot.slack.workspaces import Workspaces
from bot.store.batcher import Batcher
from bot.store.incidents import Incidents
from bot.store.leases import Leases
from bot.store.notices import Notices
from tests.delivery.office import Office, words
from tests.store.seeding import NOON, SEARCH, an_incident, resolved


@dataclass
class Outage:
    """PagerDuty as one replica sees it, and that replica's notes."""

    office: Office
    holder: str = "first"
    passed: float = 0.0
    healed: int = 0
    reach: Reach = field(init=False)
    notes: AsOf = field(init=False)

    def __post_init__(self) -> None:
        office = self.office
        self.reach = Reach(clock=self.now, timer=lambda: self.passed)
        database = office.database
        self.notes = AsOf(
            reach=self.reach,
            incidents=Incidents(database, Batcher(database), office.wake),
            notices=Notices(database),
            pace=office.pace,
            leases=Leases(database, self.holder),
            workspaces=Workspaces([office.slack]),
            heal=self.heal,
            clock=self.now,
        )

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def heal(self) -> None:
        self.healed += 1

    def fails(self, times: int = FAILURES) -> None:
        for _ in range(times):
            self.reach.called("GET", "/incidents", 503, 0.1)
        self.passed += SECONDS

    def answers(self) -> None:
        self.reach.called("GET", "/incidents", 200, 0.1)


def said(office: Office) -> list[str]:
    return [words(message) for message in office.standing() if "PagerDuty" in words(message)]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: the claims are proven in tests/store."""
    return sqlite_url


@pytest.fixture
async def outage(office: Office) -> Outage:
    await office.has(an_incident("Q1"))
    await office.delivery.drain()
    return Outage(office)


async def test_a_channel_with_open_incidents_is_told_once(outage: Outage, office: Office) -> None:
    await office.has(resolved(an_incident("Q2")), SEARCH)
    await office.delivery.drain()
    outage.fails()
    for _ in range(3):
        await outage.notes.once()
    (told,) = said(office)
    assert "as of" in told
    assert not any("does not answer" in words(one) for one in office.standing(SEARCH))


async def test_when_it_is_back_the_note_says_so_and_everything_is_read_anew(
    outage: Outage, office: Office
) -> None:
    outage.fails()
    await outage.notes.once()
    outage.answers()
    await outage.notes.once()
    (told,) = said(office)
    assert "answers again" in told
    assert outage.healed == 1
    outage.fails()
    await outage.notes.once()
    assert len(said(office)) == 2  # another outage is told again


async def test_a_hiccup_is_no_outage(outage: Outage, office: Office) -> None:
    outage.reach.called("GET", "/incidents", 0, 5.0)
    outage.passed += SECONDS
    await outage.notes.once()
    outage.fails(1)
    outage.reach.called("PUT", "/incidents", 429, 0.1)  # an answer
    await outage.notes.once()
    assert said(office) == []


async def test_a_replica_that_reaches_pagerduty_does_not_take_back_what_another_said(
    outage: Outage, office: Office
) -> None:
    other = Outage(office, "second")
    outage.fails()
    await outage.notes.once()
    await other.notes.once()
    assert "does not answer" in said(office)[0]
    office.database.clock_offset += 60  # the first one died
    await other.notes.once()
    assert "answers again" in said(office)[0]
