"""Tokens: fresh when needed, renewed once however many ask, and a clean end when PagerDuty says no."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from bot.accounts import tokens as accounts_tokens
from bot.accounts.tokens import NEVER, UNREADABLE
from bot.errors import NotLinked, PagerDutyUnauthorized, UserError
from bot.model import Person
from bot.pagerduty.oauth import Granted
from bot.store.sealing import new_key
from tests.accounts.replicas import ALICE, BOB, DAY, Replica, Site

# --------------------------------------------------------------------------------------------- the warm path


async def test_a_linked_person_acts_by_their_own_token_without_a_call(site: Site, one: Replica) -> None:
    await site.link(one)
    site.asked()
    token = await one.tokens.credentials(ALICE)
    assert site.asked() == 0
    assert token.label == "T0ACME:U0ALICE"
    assert (await (await one.as_(ALICE)).me()).id == "PALICE1"


async def test_whoever_never_linked_is_told_to(one: Replica) -> None:
    with pytest.raises(NotLinked) as refused:
        await one.tokens.credentials(ALICE)
    assert str(refused.value) == NEVER


async def test_what_another_replica_unlinked_acts_no_more(site: Site, one: Replica) -> None:
    other = await site.replica()
    await site.link(one)
    await one.tokens.credentials(ALICE)
    assert await other.accounts.remove(ALICE)
    with pytest.raises(NotLinked, match="not linked to PagerDuty yet"):
        await one.tokens.credentials(ALICE)


# --------------------------------------------------------------------------------------- before it ends


async def test_a_token_is_renewed_shortly_before_its_end(site: Site, one: Replica) -> None:
    old = (await site.link(one)).generation
    first = await one.tokens.credentials(ALICE)
    site.let_pass(DAY - 200)
    assert await one.tokens.credentials(ALICE) == first
    site.let_pass(100)
    second = await one.tokens.credentials(ALICE)
    assert second.secret != first.secret
    assert second.budget == first.budget
    assert site.refreshes() == 1
    assert one.outcomes == ["renewed"]
    living = await one.accounts.living(ALICE)
    assert living
    assert living.generation == old + 1
    assert living.seconds_left == pytest.approx(DAY)
    assert "incidents.write" in living.scopes


async def test_a_token_long_over_is_renewed_as_long_as_its_refresh_token_lives(
    site: Site, one: Replica
) -> None:
    await site.link(one)
    site.let_pass(20 * DAY)
    assert (await (await one.as_(ALICE)).me()).id == "PALICE1"
    site.let_pass(29 * DAY)
    assert (await (await one.as_(ALICE)).me()).id == "PALICE1"


async def test_twenty_commands_on_two_replicas_make_one_refresh(site: Site, one: Replica) -> None:
    two = await site.replica()
    await site.link(one)
    site.let_pass(DAY + 60)
    replicas = [one, two] * 10
    tokens = await asyncio.gather(*(replica.tokens.credentials(ALICE) for replica in replicas))
    assert len({token.secret for token in tokens}) == 1
    assert site.refreshes() == 1
    assert site.fake.oauth.count("refused") == 0
    assert sorted(one.outcomes + two.outcomes) == ["renewed"]


async def test_twenty_refused_calls_on_two_replicas_make_one_refresh(site: Site, one: Replica) -> None:
    two = await site.replica()
    await site.link(one)
    clients = [await replica.as_(ALICE) for replica in [one, two] * 10]
    site.fake.access.expire("PALICE1")  # whatever was promised
    people = await asyncio.gather(*(client.me() for client in clients))
    assert {person.id for person in people} == {"PALICE1"}
    assert site.refreshes() == 1
    assert site.fake.oauth.count("refused") == 0


async def test_each_person_has_their_own_turn(site: Site, one: Replica) -> None:
    await site.link(one, ALICE)
    await site.link(one, BOB)
    site.let_pass(DAY + 60)
    alice, bob = await asyncio.gather(one.tokens.credentials(ALICE), one.tokens.credentials(BOB))
    assert alice.secret != bob.secret
    assert site.fake.oauth.count("refresh", "PBOB002") == 1


# ----------------------------------------------------------------------------------------- after a 401


async def test_a_token_that_another_replica_renewed_is_read_again_not_refreshed(
    site: Site, one: Replica
) -> None:
    two = await site.replica()
    await site.link(one)
    stale = await one.as_(ALICE)
    site.fake.access.expire("PALICE1")
    account = await two.accounts.living(ALICE)
    assert account
    await two.tokens.renew(account)
    assert (await stale.me()).id == "PALICE1"
    assert site.refreshes() == 1


async def test_a_401_that_a_new_token_does_not_mend_is_told_after_one_refresh(
    site: Site, one: Replica
) -> None:
    await site.link(one)
    client = await one.as_(ALICE)
    site.fake.outage("error", paths=["/users/me"], status=401, code=2006)
    with pytest.raises(PagerDutyUnauthorized):
        await client.me()
    assert site.refreshes() == 1
    assert await one.accounts.living(ALICE)


async def test_an_act_begun_as_one_person_never_goes_on_as_another(site: Site, one: Replica) -> None:
    await site.link(one)
    client = await one.as_(ALICE)
    await one.accounts.remove(ALICE)
    site.fake.access.expire("PALICE1")
    site.let_pass(1)
    await one.accounts.link(ALICE, Person("PBOB002", "Bob Brown"), await site.granted("PBOB002"))
    with pytest.raises(UserError, match="another PagerDuty user"):
        await client.me()


# ---------------------------------------------------------------------------------------------- the keys


async def test_without_the_key_that_sealed_it_a_link_is_asked_for_again(site: Site, one: Replica) -> None:
    await site.link(one)
    other = await site.replica(new_key())
    with pytest.raises(NotLinked) as refused:
        await other.tokens.credentials(ALICE)
    assert str(refused.value) == UNREADABLE
    assert await one.accounts.ended(ALICE) is None  # the key may come back
    await one.tokens.credentials(ALICE)
    await site.link(other)
    await other.tokens.credentials(ALICE)


def test_what_is_said_ends_with_what_to_do() -> None:
    said = {name: text for name, text in vars(accounts_tokens).items() if name.isupper() and " " in str(text)}
    assert len(said) == 6
    for text in said.values():
        assert any(word in text for word in ("Link", "Ask", "Try again")), text


def test_no_token_in_a_repr() -> None:
    granted = Granted(SecretStr("planted-a"), SecretStr("planted-r"), frozenset(), 1.0)
    assert "planted" not in repr(granted)
