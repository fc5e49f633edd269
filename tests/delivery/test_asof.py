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


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        pytest.param("rate_limit", {}, id="limited"),
        pytest.param("error", {"error": "service_unavailable"}, id="unreachable"),
        pytest.param("error", {"error": "update_failed"}, id="perhaps"),
    ],
)
async def test_a_note_whose_edit_failed_is_taken_back_at_a_later_look(
    outage: Outage, office: Office, mode: str, more: dict[str, object]
) -> None:
    outage.fails()
    await outage.notes.once()
    outage.answers()
    office.fake.fault("chat.update", mode, **more)
    await outage.notes.once()
    assert "does not answer" in said(office)[0]
    office.database.clock_offset += 5  # what Slack limits may go on
    await outage.notes.once()
    assert "answers again" in said(office)[0]
    assert outage.healed == 1
    assert await Notices(office.database).told("as-of:") == []


async def test_a_note_that_is_gone_is_not_looked_for_for_ever(outage: Outage, office: Office) -> None:
    outage.fails()
    await outage.notes.once()
    outage.answers()
    office.fake.fault("chat.update", "error", error="message_not_found")
    await outage.notes.once()
    assert await Notices(office.database).told("as-of:") == []


@pytest.mark.parametrize("stands", [True, False])
async def test_a_note_posted_without_an_answer_is_found_and_taken_back(
    outage: Outage, office: Office, stands: bool
) -> None:
    office.fake.fault("chat.postMessage", "drop_after" if stands else "drop_before")
    outage.fails()
    for _ in range(2):
        await outage.notes.once()
    assert len(said(office)) == int(stands)
    outage.answers()
    await outage.notes.once()
    office.database.clock_offset += 60  # it would have come by now
    await outage.notes.once()
    assert all("answers again" in one for one in said(office))
    assert await Notices(office.database).told("as-of:") == []
    outage.fails()
    await outage.notes.once()
    assert "does not answer" in said(office)[-1]
    assert len(said(office)) == int(stands) + 1
    assert office.fake.doubles() == []


async def test_without_the_history_scope_the_next_outage_is_told(outage: Outage, office: Office) -> None:
    office.fake.history_scope(granted=False)
    office.fake.fault("chat.postMessage", "drop_before")
    outage.fails()
    await outage.notes.once()
    outage.answers()
    await outage.notes.once()
    outage.fails()
    await outage.notes.once()
    assert len(said(office)) == 1


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        pytest.param("rate_limit", {}, id="limited"),
        pytest.param("error", {"error": "service_unavailable"}, id="unreachable"),
    ],
)
async def test_a_note_that_slack_did_not_take_is_said_at_a_later_look(
    outage: Outage, office: Office, mode: str, more: dict[str, object]
) -> None:
    office.fake.fault("chat.postMessage", mode, **more)
    outage.fails()
    await outage.notes.once()
    assert said(office) == []
    office.database.clock_offset += 5
    await outage.notes.once()
    assert len(said(office)) == 1
