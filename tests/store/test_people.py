"""Who is who in Slack and PagerDuty."""

from __future__ import annotations

import asyncio

from bot.model import SlackUser
from bot.store.database import Database
from bot.store.people import Match, People
from tests.store.conftest import store_on

TEAM = "T0ACME"


def match(user: str, person: str, team: str = TEAM) -> Match:
    return Match(SlackUser(team, user), person, f"Name of {person}", f"{person.lower()}@acme.example")


async def test_people_are_found_both_ways(database: Database) -> None:
    people = People(database)
    assert await people.replace_all(TEAM, [match("U1", "P1"), match("U2", "P2")]) == 2
    assert await people.slack_ids(TEAM, ["P1", "P2", "P3"]) == {"P1": "U1", "P2": "U2"}
    assert await people.slack_ids(TEAM, []) == {}
    assert await people.person_id(SlackUser(TEAM, "U2")) == "P2"
    assert await people.person_id(SlackUser(TEAM, "U9")) is None


async def test_workspaces_are_kept_apart(database: Database) -> None:
    people = People(database)
    await people.replace_all(TEAM, [match("U1", "P1")])
    await people.replace_all("T2", [match("U1", "P9", "T2")])
    assert await people.slack_ids(TEAM, ["P1", "P9"]) == {"P1": "U1"}
    assert await people.person_id(SlackUser("T2", "U1")) == "P9"


async def test_replacing_forgets_whoever_left(database: Database) -> None:
    people = People(database)
    await people.replace_all(TEAM, [match("U1", "P1"), match("U2", "P2")])
    await people.replace_all(TEAM, [match("U2", "P1")])
    assert await people.slack_ids(TEAM, ["P1", "P2"]) == {"P1": "U2"}
    await people.replace_all(TEAM, [])
    assert await people.slack_ids(TEAM, ["P1"]) == {}


async def test_two_that_share_an_id_do_not_fail_the_rest(database: Database) -> None:
    people = People(database)
    assert await people.replace_all(TEAM, [match("U1", "P1"), match("U1", "P2"), match("U3", "P3")]) == 2
    assert await people.person_id(SlackUser(TEAM, "U1")) == "P2"


async def test_one_match_takes_the_place_of_both_older_ones(database: Database) -> None:
    people = People(database)
    await people.replace_all(TEAM, [match("U1", "P1"), match("U2", "P2")])
    await people.remember(match("U1", "P2"))
    assert await people.slack_ids(TEAM, ["P1", "P2"]) == {"P2": "U1"}


async def test_a_large_workspace_fits(database: Database) -> None:
    people = People(database)
    everybody = [match(f"U{number}", f"P{number}") for number in range(1200)]
    assert await people.replace_all(TEAM, everybody) == 1200
    assert await people.person_id(SlackUser(TEAM, "U1199")) == "P1199"


async def test_two_replicas_may_match_at_once(database_url: str) -> None:
    async with store_on(database_url) as first, store_on(database_url) as second:
        everybody = [match(f"U{number}", f"P{number}") for number in range(40)]
        for _ in range(5):
            await asyncio.gather(
                *(People(one.database).replace_all(TEAM, everybody) for one in (first, second))
            )
        found = await People(first.database).slack_ids(TEAM, [one.person_id for one in everybody])
        assert len(found) == len(everybody)
