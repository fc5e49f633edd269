"""Tokens of people who are away: renewed in the background, by one replica, without pressing PagerDuty."""

from __future__ import annotations

import asyncio

from bot.accounts.keeping_fresh import PATIENCE, PERIOD, KeepFresh
from bot.model import Person, SlackUser
from tests.accounts.replicas import ALICE, BOB, DAY, SIGN_IN, TEAM, Replica, Site
from tests.stories.waiting import until


def keeper(replica: Replica, **periods: float) -> KeepFresh:
    return KeepFresh(replica.tokens, replica.accounts, replica.leases, **({"apart": 0.0} | periods))


async def once(replica: Replica) -> int:
    return await keeper(replica).once(asyncio.Event())


async def many(site: Site, replica: Replica, how_many: int) -> list[SlackUser]:
    """Links of people who all consented as Alice: who is behind a token matters to nobody here."""
    found = []
    for number in range(how_many):
        user = SlackUser(TEAM, f"U0MANY{number}")
        person = Person(f"PMANY{number}", f"Person {number}")
        await replica.accounts.link(user, person, await site.granted("PALICE1", replica.oauth))
        found.append(user)
    return found


async def test_two_months_of_holiday_unlink_nobody(site: Site, one: Replica) -> None:
    await site.link(one)
    for _ in range(60):
        site.let_pass(DAY * 0.8)
        assert await once(one) == 1
    token = await one.tokens.credentials(ALICE)
    assert token.secret.get_secret_value() in site.fake.access.tokens()
    assert one.ended == []


async def test_what_is_fresh_is_left_alone(site: Site, one: Replica) -> None:
    await site.link(one)
    site.let_pass(DAY * 0.7)
    site.asked()
    assert await once(one) == 0
    assert site.asked() == 0


async def test_one_replica_does_it_in_a_period(site: Site, one: Replica) -> None:
    two = await site.replica()
    await site.link(one)
    await site.link(one, BOB)
    site.let_pass(DAY * 0.8)
    assert sorted(await asyncio.gather(once(one), once(two))) == [0, 2]
    assert site.refreshes() == 2
    site.let_pass(PERIOD)
    site.asked()
    assert await once(two) == 0
    assert site.asked() == 0


async def test_an_ended_link_does_not_stop_the_others(site: Site, one: Replica) -> None:
    await site.link(one)
    await site.link(one, BOB)
    site.fake.oauth.refuse_refresh("PALICE1")
    site.let_pass(DAY * 0.8)
    assert await once(one) == 1
    await one.tokens.close()
    assert one.ended == [(ALICE, "refused")]
    assert await one.accounts.living(BOB)


async def test_a_pagerduty_that_does_not_answer_is_left_in_peace_until_the_next_round(
    site: Site, one: Replica
) -> None:
    people = await many(site, one, PATIENCE + 4)
    site.let_pass(DAY * 0.8)
    site.fake.outage("down", paths=SIGN_IN)
    site.asked()
    assert await once(one) == 0
    assert site.asked() == PATIENCE
    site.fake.outage("off")
    site.let_pass(PERIOD)
    assert await once(one) == len(people)


async def test_somebody_whose_renewal_always_fails_stops_nobody_else(site: Site, one: Replica) -> None:
    people = await many(site, one, 6)
    account = await one.accounts.living(people[0])
    assert account
    poisoned = one.accounts.opened(account)
    assert poisoned.refresh
    site.let_pass(DAY * 0.8)
    fields = {"refresh_token": poisoned.refresh.get_secret_value()}
    site.fake.outage("down", paths=SIGN_IN, fields=fields)
    assert await once(one) == 5


async def test_renewals_are_apart(site: Site, one: Replica) -> None:
    await many(site, one, 3)
    site.let_pass(DAY * 0.8)
    stop = asyncio.Event()
    running = asyncio.ensure_future(keeper(one, apart=3600.0).once(stop))
    await until(lambda: one.outcomes, "nobody was renewed")
    stop.set()
    assert await running == 1


async def test_the_loop_goes_round_until_it_is_stopped(site: Site, one: Replica) -> None:
    await site.link(one)
    site.let_pass(DAY * 0.8)
    stop = asyncio.Event()
    running = asyncio.ensure_future(keeper(one, period=0.02).run(stop))
    await until(lambda: len(one.outcomes) == 1, "the first round did not come")
    site.let_pass(DAY * 0.8)

    def a_second_later() -> bool:
        site.let_pass(1)
        return len(one.outcomes) == 2

    await until(a_second_later, "the second round did not come")
    stop.set()
    await running
