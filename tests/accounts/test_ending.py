"""Links that end, links that must not end, and a bot that is killed or frozen in the middle."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.accounts.tokens import ENDED, LEASE_SECONDS, STORE_SECONDS, WAIT_SECONDS
from bot.errors import NotLinked, PagerDutyUnavailable, StoreUnavailable
from bot.model import Person
from bot.pagerduty import oauth
from bot.pagerduty.oauth import Granted
from bot.store.accounts import AccountStore
from bot.store.sealing import Sealer
from tests.accounts.replicas import ALICE, DAY, KEY, SIGN_IN, Replica, Site
from tests.stories.waiting import until


async def test_a_refused_refresh_ends_the_link_and_says_so(site: Site, one: Replica) -> None:
    await site.link(one)
    site.fake.oauth.refuse_refresh("PALICE1")
    site.let_pass(DAY - 60)
    with pytest.raises(NotLinked) as refused:
        await one.tokens.credentials(ALICE)
    assert str(refused.value) == ENDED
    ended = await one.accounts.ended(ALICE)
    assert ended
    assert (ended.person.id, ended.why) == ("PALICE1", "refused")
    assert one.outcomes == ["refused"]
    await one.tokens.close()
    assert one.ended == [(ALICE, "refused")]
    with pytest.raises(NotLinked, match="has ended"):
        await one.tokens.credentials(ALICE)
    assert len(one.ended) == 1


async def test_revoked_in_pagerduty_ends_at_the_next_act(site: Site, one: Replica) -> None:
    await site.link(one)
    client = await one.as_(ALICE)
    site.fake.oauth.revoke_all_of("PALICE1")
    with pytest.raises(NotLinked, match="Link again"):
        await client.me()
    await one.tokens.close()
    assert one.ended == [(ALICE, "refused")]


async def test_an_ended_link_is_told_of_once_over_replicas(site: Site, one: Replica) -> None:
    two = await site.replica()
    await site.link(one)
    site.fake.oauth.refuse_refresh("PALICE1")
    site.let_pass(DAY)
    asked = (replica.tokens.credentials(ALICE) for replica in [one, two] * 5)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {str(answer) for answer in answers} == {ENDED}
    await one.tokens.close()
    await two.tokens.close()
    assert one.ended + two.ended == [(ALICE, "refused")]


async def test_linking_again_makes_it_all_good(site: Site, one: Replica) -> None:
    await site.link(one)
    site.fake.oauth.revoke_all_of("PALICE1")
    site.let_pass(DAY)
    with pytest.raises(NotLinked):
        await one.tokens.credentials(ALICE)
    await site.link(one)
    assert (await (await one.as_(ALICE)).me()).id == "PALICE1"
    assert await one.accounts.ended(ALICE) is None


async def test_a_link_without_a_refresh_token_ends_with_its_access_token(site: Site, one: Replica) -> None:
    granted = await site.granted("PALICE1")
    alone = Granted(granted.access, None, granted.scopes, granted.expires_in)
    await one.accounts.link(ALICE, Person("PALICE1", "Alice Anderson"), alone)
    site.let_pass(DAY - 60)
    assert (await one.tokens.credentials(ALICE)).secret == granted.access
    site.let_pass(60)
    with pytest.raises(NotLinked, match="has ended"):
        await one.tokens.credentials(ALICE)
    ended = await one.accounts.ended(ALICE)
    assert ended
    assert ended.why == "expired"


# ---------------------------------------------------------------------------------------------- no answer


@pytest.mark.parametrize("mode", ["down", "drop_before", "limited"])
async def test_without_an_answer_the_old_token_goes_on_until_its_end(
    site: Site, one: Replica, mode: str
) -> None:
    await site.link(one)
    first = await one.tokens.credentials(ALICE)
    site.fake.outage(mode, paths=SIGN_IN)  # type: ignore[arg-type]
    site.let_pass(DAY - 60)
    site.asked()
    assert await one.tokens.credentials(ALICE) == first
    assert site.asked() == 1
    assert await one.tokens.credentials(ALICE) == first  # not asked again at each command
    assert site.asked() == 0
    site.let_pass(60)
    with pytest.raises(PagerDutyUnavailable):
        await one.tokens.credentials(ALICE)
    assert await one.accounts.living(ALICE)
    site.fake.outage("off")
    assert (await one.tokens.credentials(ALICE)).secret != first.secret


async def test_a_lost_answer_ends_the_link_at_the_next_try_and_not_before(site: Site, one: Replica) -> None:
    await site.link(one)
    first = await one.tokens.credentials(ALICE)
    site.fake.outage("drop_after", paths=SIGN_IN, count=1)
    site.let_pass(DAY - 60)
    assert await one.tokens.credentials(ALICE) == first
    site.let_pass(60)
    with pytest.raises(NotLinked, match="has ended"):
        await one.tokens.credentials(ALICE)


async def test_our_own_sign_in_being_wrong_ends_nobodys_link(site: Site, one: Replica) -> None:
    await site.link(one)
    wrong = await site.replica(client_secret="mistyped-made-up")
    site.let_pass(DAY)
    with pytest.raises(PagerDutyUnavailable, match="PAGERDUTY_CLIENT_SECRET"):
        await wrong.tokens.credentials(ALICE)
    assert wrong.outcomes == ["misconfigured"]
    with capture_logs() as logs, pytest.raises(PagerDutyUnavailable):
        await wrong.tokens.credentials(ALICE)
    assert [line for line in logs if line["log_level"] == "error"] == []  # it was said
    await one.tokens.credentials(ALICE)


# ------------------------------------------------------------------------------- killed, frozen, overtaken


def test_the_periods_fit_into_each_other() -> None:
    assert oauth.CALL_SECONDS + STORE_SECONDS < LEASE_SECONDS < WAIT_SECONDS


async def test_killed_between_the_answer_and_our_commit(site: Site, one: Replica) -> None:
    """The lease stays behind, and the old refresh token is used up."""
    survivor = await site.replica()
    account = await site.link(one)
    site.let_pass(DAY)
    assert await one.leases.take("token:T0ACME:U0ALICE", LEASE_SECONDS)
    pair = one.accounts.opened(account)
    assert pair.refresh
    await one.oauth.refresh(pair.refresh)  # and here it was killed

    asking = asyncio.ensure_future(survivor.tokens.credentials(ALICE))
    await asyncio.sleep(0)
    assert not asking.done()
    site.let_pass(LEASE_SECONDS + 1)
    with pytest.raises(NotLinked) as refused:
        await asking
    assert str(refused.value) == ENDED


async def test_waiting_for_another_replica_has_an_end(site: Site, one: Replica) -> None:
    account = await site.link(one)
    assert await one.leases.take("token:T0ACME:U0ALICE", 3600)
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    waiting = one.new_tokens(timer=lambda: now, sleep=sleep)
    with pytest.raises(PagerDutyUnavailable, match="Try again in a minute"):
        await waiting.renew(account)
    assert WAIT_SECONDS <= now < WAIT_SECONDS + 1
    assert site.refreshes() == 0


async def test_whoever_gives_up_waiting_does_not_stop_the_renewal(site: Site, one: Replica) -> None:
    await site.link(one)
    site.fake.outage("late", paths=SIGN_IN, seconds=0.2)
    site.let_pass(DAY)
    asking = asyncio.ensure_future(one.tokens.credentials(ALICE))
    await until(lambda: site.refreshes() == 1, "PagerDuty was not asked")
    asking.cancel()
    await one.tokens.close()
    assert one.outcomes == ["renewed"]
    assert (await (await one.as_(ALICE)).me()).id == "PALICE1"


class AwayFor(AccountStore):
    """The database is away when a new pair is to be stored."""

    times = 0

    async def renew(self, *what: object) -> bool:
        if self.times > 0:
            self.times -= 1
            raise StoreUnavailable("The database is away.")
        return await super().renew(*what)  # type: ignore[arg-type]


async def test_a_new_pair_waits_for_the_database_to_come_back(site: Site, one: Replica) -> None:
    store = AwayFor(one.database, Sealer([KEY]))
    store.times, one.accounts = 3, store
    tokens = one.new_tokens(sleep=lambda seconds: asyncio.sleep(0))
    await site.link(one)
    site.let_pass(DAY)
    await tokens.credentials(ALICE)
    assert one.outcomes == ["renewed"]


async def test_a_database_that_stays_away_loses_the_pair_and_says_so(site: Site, one: Replica) -> None:
    store = AwayFor(one.database, Sealer([KEY]))
    store.times, one.accounts, now = 1000, store, 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    tokens = one.new_tokens(timer=lambda: now, sleep=sleep)
    await site.link(one)
    site.let_pass(DAY)
    with pytest.raises(StoreUnavailable):
        await tokens.credentials(ALICE)
    assert one.outcomes == ["lost"]
    assert now < LEASE_SECONDS


async def test_unlinked_while_pagerduty_answers_the_new_pair_is_revoked(site: Site, one: Replica) -> None:
    await site.link(one)
    site.fake.outage("late", paths=SIGN_IN, seconds=0.3, count=1)
    site.let_pass(DAY)
    asking = asyncio.ensure_future(one.tokens.credentials(ALICE))
    await until(lambda: site.refreshes() == 1, "PagerDuty was not asked")
    assert await one.accounts.remove(ALICE)
    with pytest.raises(NotLinked):
        await asking
    assert site.fake.oauth.tokens() == []
    assert one.ended == []


async def test_linked_anew_while_pagerduty_answers_nothing_is_revoked(site: Site, one: Replica) -> None:
    await site.link(one)
    site.fake.outage("late", paths=SIGN_IN, seconds=0.5, count=1)
    site.let_pass(DAY)
    asking = asyncio.ensure_future(one.tokens.credentials(ALICE))
    await until(lambda: site.refreshes() == 1, "PagerDuty was not asked")
    await site.link(one)
    newest = await one.accounts.living(ALICE)
    assert newest
    assert (await asking).secret == one.accounts.opened(newest).access
    assert site.fake.oauth.count("revoked") == 0


async def test_a_failing_listener_hinders_nobody(site: Site, one: Replica) -> None:
    async def fails(*what: object) -> None:
        raise RuntimeError("Slack is on fire")

    tokens = one.new_tokens(on_ended=fails)
    await site.link(one)
    site.fake.oauth.revoke_all_of("PALICE1")
    site.let_pass(DAY)
    with pytest.raises(NotLinked, match="has ended"):
        await tokens.credentials(ALICE)
    await tokens.close()
