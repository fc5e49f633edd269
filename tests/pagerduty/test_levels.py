"""Where an incident stands on its policy, from who has it, whom the levels page, and what happened to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from pydantic import SecretStr

from bot.model import Incident, Level, LogEntry, OnCall, Policy, Reference, Rule
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.directory import Directory
from bot.pagerduty.http import AccountKey, PagerDutyHttp
from bot.pagerduty.levels import Levels, candidates, level_in_history, people_by_level
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme

ALICE, BOB, CAROL = (Reference(name[0].upper(), name) for name in ("alice", "bob", "carol"))
ROTA = Reference("S", "rota")
POLICY = Policy("E", "primary", (Rule((), (ROTA,), 10), Rule((BOB,), (), 10), Rule((CAROL,), (ROTA,), 10)))
HERE = Reference("E", "primary")
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def entries(*kinds: str) -> list[LogEntry]:
    return [LogEntry(str(n), kind, "", NOON + timedelta(minutes=n)) for n, kind in enumerate(kinds)]


def test_a_level_pages_the_users_it_names_and_whoever_is_on_call_for_its_schedules() -> None:
    shifts = [OnCall(ALICE, HERE, 1, ROTA), OnCall(ALICE, HERE, 3, ROTA), OnCall(BOB, HERE, 2)]
    other = [OnCall(CAROL, Reference("X", "other"), 1)]
    assert people_by_level(POLICY, shifts + other) == [(ALICE,), (BOB,), (CAROL, ALICE)]


@pytest.mark.parametrize(
    ("assignees", "expected"),
    [
        pytest.param([BOB], [2], id="on one level"),
        pytest.param([ALICE], [1], id="a level of nobody else is meant before one that pages others too"),
        pytest.param([CAROL], [3], id="part of a level"),
        pytest.param([CAROL, ALICE], [3], id="a whole level"),
        pytest.param([BOB, ALICE], [], id="no level pages both"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_the_levels_somebody_may_stand_on(assignees: list[Reference], expected: list[int]) -> None:
    assert candidates(assignees, [(ALICE,), (BOB,), (CAROL, ALICE)]) == expected


@pytest.mark.parametrize(
    ("kinds", "level"),
    [
        (("trigger", "assign"), 1),
        (("trigger", "assign", "notify", "escalate"), 2),
        (("trigger", "escalate", "escalate", "acknowledge"), 3),
        (("trigger", "escalate", "escalate", "escalate"), 1),
        (("trigger", "escalate", "delegate"), 1),
        ((), 1),
    ],
)
def test_the_level_its_history_tells(kinds: tuple[str, ...], level: int) -> None:
    assert level_in_history(entries(*kinds), 3) == level


@dataclass
class Account:
    fake: FakePagerDuty
    client: PagerDuty
    levels: Levels

    async def read(self, incident_id: str, *, ask: bool = True) -> Incident:
        return await self.levels.with_level((await self.client.incident(incident_id)).incident, ask=ask)


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    fake = FakePagerDuty(acme())
    origin = await fake.start()
    async with aiohttp.ClientSession() as session:
        client = PagerDuty(PagerDutyHttp(session, origin), AccountKey(SecretStr(fake.api_key)))
        directory = Directory(client)
        yield Account(fake, client, Levels(directory, client))
        await directory.close()
    await fake.stop()


def numbers(level: Level | None) -> tuple[int, int, tuple[str, ...]] | None:
    return (level.number, level.of, tuple(one.name for one in level.next)) if level else None


async def test_a_fresh_incident_is_at_level_1_and_the_next_is_named(account: Account) -> None:
    incident = account.fake.trigger("PSVCCHK", "Disk full")
    assert numbers((await account.read(incident.id)).level) == (1, 3, ("Bob Brown",))
    account.fake.act(incident.id, "escalate", by="PALICE1", level=3)
    assert numbers((await account.read(incident.id)).level) == (3, 3, ())


async def test_whoever_acknowledges_does_not_move_it(account: Account) -> None:
    incident = account.fake.trigger("PSVCCHK", "Disk full")
    account.fake.act(incident.id, "acknowledge", by="PBOB002")
    assert numbers((await account.read(incident.id)).level) == (1, 3, ("Bob Brown",))


async def test_without_asking_only_what_is_known_counts(account: Account) -> None:
    incident = account.fake.trigger("PSVCCHK", "Disk full")
    assert (await account.read(incident.id, ask=False)).level is None
    await account.read(incident.id)
    calls = len(account.fake.journal)
    assert numbers((await account.read(incident.id, ask=False)).level) == (1, 3, ("Bob Brown",))
    assert len(account.fake.journal) == calls + 1, "only the incident itself is read"


async def test_a_level_that_cannot_be_worked_out_is_not_known(account: Account) -> None:
    incident = account.fake.trigger("PSVCCHK", "Disk full")
    reading = await account.client.incident(incident.id)
    account.fake.outage("error", status=400)
    assert (await account.levels.with_level(reading.incident, ask=True)).level is None
