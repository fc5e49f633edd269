"""What time does: escalation level by level, acknowledgement timeouts, snoozes that end, loops, handovers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import World, acme
from tests.sandbox.pagerduty.conftest import Receiver, running, until


def with_loops(loops: int) -> World:
    world = acme()
    return replace(world, policies=tuple(replace(policy, loops=loops) for policy in world.policies))


async def test_an_unacknowledged_incident_climbs_to_the_last_level(
    fast: FakePagerDuty, receiver: Receiver
) -> None:
    fast.subscribe_webhook(receiver.url)
    incident = fast.trigger("Checkout", "boom")
    await until(lambda: incident.level == 3)
    events = await receiver.expect(3)
    assert receiver.types() == ["incident.triggered", "incident.escalated", "incident.escalated"]
    assert [e["data"]["assignees"][0]["summary"] for e in events] == [
        "Alice Anderson",
        "Bob Brown",
        "Carol Chen",
    ]
    assert events[1]["agent"] is None
    assert [e.type for e in incident.log if e.type == "escalate"] == ["escalate"] * 2
    assert incident.escalate_at is None, "there is no further level"


async def test_the_next_escalation_is_announced_at_a_true_time(pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    assert incident.escalate_at is not None
    assert timedelta(minutes=9) < incident.escalate_at - datetime.now(UTC) <= timedelta(minutes=10)


async def test_an_acknowledgement_stops_the_climb_until_it_times_out(
    fast: FakePagerDuty, receiver: Receiver
) -> None:
    fast.subscribe_webhook(receiver.url)
    incident = fast.trigger("Checkout", "boom")
    fast.act(incident.id, "acknowledge", "PALICE1")
    await until(lambda: incident.status == "triggered")
    events = await receiver.expect(3)
    assert receiver.types()[:3] == ["incident.triggered", "incident.acknowledged", "incident.unacknowledged"]
    assert events[2]["agent"] is None
    await until(lambda: incident.level == 2, "the climb going on")


async def test_a_snooze_wakes_up_triggered(fast: FakePagerDuty, receiver: Receiver) -> None:
    fast.subscribe_webhook(receiver.url, events=["incident.unacknowledged"])
    incident = fast.trigger("Checkout", "boom")
    fast.act(incident.id, "snooze", "PALICE1", seconds=300)
    assert incident.acknowledgements
    [event] = await receiver.expect(1)
    assert event["data"]["status"] == "triggered"


async def test_low_urgency_does_not_climb_and_resolves_by_itself() -> None:
    async with running(FakePagerDuty(acme(), speed=60_000)) as pagerduty:
        incident = pagerduty.trigger("Métriques", "slow")
        assert (incident.urgency, incident.escalate_at) == ("low", None)
        await until(lambda: not incident.is_open)
        assert incident.changed_by is None


async def test_a_policy_with_loops_begins_again(receiver: Receiver) -> None:
    async with running(FakePagerDuty(with_loops(1), speed=6000)) as pagerduty:
        incident = pagerduty.trigger("Checkout", "boom")
        await until(lambda: incident.level == 3 and incident.loops == 1)
        kinds = [entry.type for entry in incident.log]
        assert kinds.count("repeat_escalation_path") == 1
        await until(lambda: incident.escalate_at is None)


async def test_levels_without_anyone_are_skipped(fast: FakePagerDuty) -> None:
    fast.control.rotate("PSCHCHK", people=[])
    incident = fast.trigger("Checkout", "boom")
    assert [a.user for a in incident.assignments] == ["PBOB002"]
    assert incident.level == 2


async def test_time_never_acts_on_a_resolved_incident(fast: FakePagerDuty) -> None:
    first, second = fast.storm(2, ["Checkout"])
    fast.act(first.id, "resolve", "PALICE1")
    await until(lambda: second.level == 3)
    assert (first.level, first.status) == (1, "resolved")
