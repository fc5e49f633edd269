"""The sample world is consistent: every id that is pointed at exists, and no id is used twice."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from bot.sandbox.world import World, acme


def _all_ids(world: World) -> Iterable[str]:
    for person in world.people:
        yield person.slack_id
        if person.pagerduty_id:
            yield person.pagerduty_id
    for group in (
        world.channels,
        world.services,
        world.policies,
        world.schedules,
        world.teams,
        world.priorities,
        world.groups,
    ):
        yield from (thing.id for thing in group)


def test_no_id_is_used_twice() -> None:
    ids = list(_all_ids(acme()))
    assert len(ids) == len(set(ids))


def test_everything_pointed_at_exists() -> None:
    world = acme()
    ids = set(_all_ids(world))
    for service in world.services:
        assert {service.policy, *service.teams} <= ids
    for policy in world.policies:
        assert {target.id for rule in policy.rules for target in rule.targets} | set(policy.teams) <= ids
    for schedule in world.schedules:
        assert {*schedule.people, *schedule.teams} <= ids
    for group in world.groups:
        assert set(group.people) <= ids
    for team in world.teams:
        assert {member.person for member in team.members} <= ids


def test_routing_keys_have_the_length_the_events_api_demands() -> None:
    keys = [service.routing_key for service in acme().services]
    assert {len(key) for key in keys} == {32}
    assert len(set(keys)) == len(keys)


def test_every_time_zone_is_a_real_one() -> None:
    world = acme()
    for name in {person.tz for person in world.people} | {schedule.tz for schedule in world.schedules}:
        assert ZoneInfo(name).key == name


def test_each_awkward_kind_of_slack_user_is_present() -> None:
    assert {person.kind for person in acme().people} == {
        "full",
        "admin",
        "guest",
        "stranger",
        "bot",
        "deleted",
    }
