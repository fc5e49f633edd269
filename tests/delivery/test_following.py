"""The account's log instead of a webhook: every change told once, and read from PagerDuty."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.delivery.following import LogFollower, as_event
from bot.model import LogEntry, Status
from bot.store.cursors import Cursors
from bot.store.leases import Leases
from tests.delivery.reading_scene import SERVICE, Reading
from tests.store.seeding import NOON


def follower(scene: Reading, holder: str = "first") -> LogFollower:
    database = scene.database
    return LogFollower(
        scene.incidents, scene.rereader._reader, Leases(database, holder), Cursors(database), seconds=5
    )


async def follow(scene: Reading) -> int:
    """A period later; what became doubtful is read."""
    scene.pass_time(6)
    new = await follower(scene).once()
    scene.pass_time(1)
    for stale in await scene.incidents.take_stale(10):
        await scene.rereader.read(stale)
    assert new is not None
    return new


async def test_what_happens_in_pagerduty_is_known_and_told(reading: Reading) -> None:
    await follow(reading)
    incident = reading.fake.trigger(SERVICE, "Disk full")
    assert await follow(reading) == 1
    assert await reading.status(incident) is Status.TRIGGERED
    reading.fake.act(incident.id, "acknowledge", by="PBOB002")
    reading.fake.act(incident.id, "note", by="PBOB002", text="Looking at it")
    assert await follow(reading) == 2
    assert await reading.status(incident) is Status.ACKNOWLEDGED
    reading.fake.act(incident.id, "resolve", by="PBOB002")
    assert await follow(reading) == 1
    assert await reading.status(incident) is Status.RESOLVED
    told = [(one.kind, one.by, one.text) for one in await reading.incidents.story(incident.id)]
    assert told == [
        ("triggered", None, None),
        ("acknowledged", "Bob Brown", None),
        ("annotated", "Bob Brown", "Looking at it"),
        ("resolved", "Bob Brown", None),
    ]


async def test_what_was_read_is_not_told_again(reading: Reading) -> None:
    await follow(reading)
    reading.fake.trigger(SERVICE, "Disk full")
    assert await follow(reading) == 1
    assert await follow(reading) == 0


async def test_one_replica_reads_each_period(reading: Reading) -> None:
    assert await follower(reading, "first").once() is not None
    assert await follower(reading, "second").once() is None
    reading.pass_time(6)
    assert await follower(reading, "second").once() is not None


async def test_while_pagerduty_is_away_nothing_is_passed_over(reading: Reading) -> None:
    await follow(reading)
    incident = reading.fake.trigger(SERVICE, "Disk full")
    reading.fake.outage("down", paths=("/log_entries",))
    reading.pass_time(6)
    with pytest.raises(Exception, match="PagerDuty"):
        await follower(reading).once()
    reading.pass_time(600)
    reading.fake.outage("off")
    assert await follow(reading) >= 1
    assert await reading.status(incident) is not None


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("escalate", "incident.escalated"),
        ("snooze", "incident.snooze"),
        ("something_new", "incident.something_new"),
        ("notify", None),
        ("assign", None),
    ],
)
def test_what_an_entry_tells(kind: str, type_: str | None) -> None:
    entry = LogEntry("R1", kind, "", NOON + timedelta(minutes=1), incident_id="Q1")
    event = as_event(entry)
    assert (event.type if event else None) == type_
    assert as_event(LogEntry("R2", kind, "", NOON)) is None
