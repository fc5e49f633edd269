"""A 401 to somebody's own token: its owner is asked once for a newer one, and the call goes on with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from pydantic import SecretStr

from bot.errors import NotLinked, PagerDutyUnauthorized, PagerDutyUnavailable
from bot.model import Status
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey, UserToken
from bot.pagerduty.http import PagerDutyHttp
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme

LABEL = "T0ACME:U0ALICE"
DEAD = SecretStr("pdus+_0Xlong-over")


@dataclass
class Owner:
    """Whose token it is: gives what comes next, or raises it."""

    answers: list[UserToken | Exception] = field(default_factory=list)
    asked: int = 0
    takes: float = 0.0
    clock: float = 0.0

    async def renew(self) -> UserToken:
        self.asked += 1
        self.clock += self.takes
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def token(self, secret: SecretStr = DEAD) -> UserToken:
        return UserToken(secret, LABEL, self.renew)


@dataclass
class Bench:
    fake: FakePagerDuty
    session: aiohttp.ClientSession
    owner: Owner = field(default_factory=Owner)

    def client(self, token: UserToken | None = None) -> PagerDuty:
        http = PagerDutyHttp(self.session, self.fake.origin, timer=lambda: self.owner.clock)
        return PagerDuty(http, token or self.owner.token())

    def good(self) -> UserToken:
        return self.owner.token(SecretStr(self.fake.bearer("PALICE1")))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    fake = FakePagerDuty(acme())
    await fake.start()
    async with aiohttp.ClientSession() as session:
        yield Bench(fake, session)
    await fake.stop()


async def test_a_read_goes_on_with_the_newer_token(bench: Bench) -> None:
    bench.owner.answers = [bench.good()]
    assert (await bench.client().me()).id == "PALICE1"
    assert bench.owner.asked == 1


async def test_a_write_is_done_once_as_its_person(bench: Bench) -> None:
    incident = bench.fake.trigger("Checkout", "Disk full")
    bench.owner.answers = [bench.good()]
    (reading,) = await bench.client().set_status([incident.id], Status.ACKNOWLEDGED)
    assert [one.by.name for one in reading.incident.acknowledgements or ()] == ["Alice Anderson"]
    writes = [one.status for one in bench.fake.journal if one.method == "PUT"]
    assert writes == [401, 200]


async def test_a_second_401_is_the_answer(bench: Bench) -> None:
    bench.owner.answers = [bench.owner.token(SecretStr("pdus+_0Xalso-over"))]
    with pytest.raises(PagerDutyUnauthorized):
        await bench.client().me()
    assert (bench.owner.asked, len(bench.fake.journal)) == (1, 2)


@pytest.mark.parametrize("token", [AccountKey(DEAD), UserToken(DEAD, LABEL)])
async def test_where_there_is_nobody_to_ask_it_is_an_answer_at_once(
    bench: Bench, token: AccountKey | UserToken
) -> None:
    with pytest.raises(PagerDutyUnauthorized):
        await PagerDuty(bench.client().http, token).me()
    assert len(bench.fake.journal) == 1


@pytest.mark.parametrize("why", [NotLinked("Link again."), PagerDutyUnavailable("PagerDuty is away.")])
async def test_what_the_owner_raises_is_passed_on(bench: Bench, why: Exception) -> None:
    bench.owner.answers = [why]
    with pytest.raises(type(why)) as raised:
        await bench.client().me()
    assert raised.value is why


async def test_an_ended_link_does_not_hide_that_a_write_may_have_happened(bench: Bench) -> None:
    incident = bench.fake.trigger("Checkout", "Disk full")
    client = bench.client(bench.good())
    bench.owner.answers = [NotLinked("Link again.")] * 5
    bench.fake.outage("drop_after", methods=["PUT"], count=1)
    bench.fake.outage("error", methods=["GET"], status=401, code=2006)
    with pytest.raises(PagerDutyUnavailable) as failed:
        await client.set_status([incident.id], Status.ACKNOWLEDGED)
    assert failed.value.maybe_done


async def test_the_renewals_time_is_not_the_calls(bench: Bench) -> None:
    bench.owner.takes, bench.owner.answers = 60.0, [bench.good()]
    assert (await bench.client().me()).id == "PALICE1"


def test_a_persons_tokens_share_one_budget_and_show_nothing() -> None:
    owner = Owner()
    old, new = owner.token(), owner.token(SecretStr("another"))
    assert old.budget == new.budget != AccountKey(DEAD).budget
    assert UserToken(DEAD).budget != UserToken(SecretStr("another")).budget
    assert old == UserToken(DEAD, LABEL)
    assert "pdus" not in repr(old)
    assert AccountKey(DEAD).label == "account"
