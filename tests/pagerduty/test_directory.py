"""The directory: asked once, kept warm, there when PagerDuty is not; who is on call is never old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from pydantic import SecretStr

from bot.errors import PagerDutyFailure
from bot.pagerduty.cache import USABLE
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.directory import FRESH, ON_CALL_FRESH, Directory, lists_changed_by
from bot.pagerduty.http import AccountKey, PagerDutyHttp
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from tests.stories.waiting import until


@dataclass
class Account:
    fake: FakePagerDuty
    now: float = 1000.0
    lookups: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    directory: Directory = field(init=False)

    def cache_lookup(self, cache: str, outcome: str) -> None:
        self.lookups.append(f"{cache} {outcome}")

    def cache_forgotten(self, cache: str) -> None:
        self.forgotten.append(cache)

    def asked(self, path: str) -> int:
        return sum(one.path == path for one in self.fake.journal)


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    fake = FakePagerDuty(acme())
    origin = await fake.start()
    async with aiohttp.ClientSession() as session:
        office = Account(fake)
        http = PagerDutyHttp(session, origin, call_seconds=2)
        office.directory = Directory(
            PagerDuty(http, AccountKey(SecretStr(fake.api_key))), clock=lambda: office.now, figures=office
        )
        yield office
        await office.directory.close()
    await fake.stop()


async def test_many_who_ask_at_once_are_one_call(account: Account) -> None:
    found = await asyncio.gather(*(account.directory.services() for _ in range(20)))
    assert account.asked("/services") == 1
    assert all(names == found[0] for names in found)
    await account.directory.services()
    assert account.asked("/services") == 1


async def test_an_old_list_is_served_while_a_newer_one_is_fetched(account: Account) -> None:
    before = await account.directory.services()
    account.now += FRESH + 1
    assert await account.directory.services() == before
    assert account.asked("/services") <= 2
    await until(lambda: account.asked("/services") == 2, "the list was not renewed")


async def test_names_outlive_an_outage(account: Account) -> None:
    before = await account.directory.services()
    account.now += USABLE + 1
    account.fake.outage("error", status=404)
    assert await account.directory.services() == before
    with pytest.raises(PagerDutyFailure):
        await account.directory.teams()


async def test_who_is_on_call_is_at_most_a_minute_old_and_never_stale(account: Account) -> None:
    await account.directory.on_calls(policies=["PEPCHK"])
    account.now += ON_CALL_FRESH - 1
    await account.directory.on_calls(policies=["PEPCHK"])
    assert account.asked("/oncalls") == 1
    account.now += 2
    await account.directory.on_calls(policies=["PEPCHK"])
    assert account.asked("/oncalls") == 2
    account.now += ON_CALL_FRESH + 1
    account.fake.outage("error", status=404)
    with pytest.raises(PagerDutyFailure):
        await account.directory.on_calls(policies=["PEPCHK"])


async def test_who_is_on_call_is_not_kept_past_the_end_of_a_shift(account: Account) -> None:
    account.fake.control.rotate("PSCHCHK", hand_over_in=timedelta(seconds=20).total_seconds())
    await account.directory.on_calls(policies=["PEPCHK"])
    account.now += 21
    await account.directory.on_calls(policies=["PEPCHK"])
    assert account.asked("/oncalls") == 2


async def test_a_person_is_found_by_login_e_mail_whatever_its_case(account: Account) -> None:
    found = await account.directory.user_by_email("ALICE@acme.example")
    assert found is not None
    assert found.id == "PALICE1"
    assert await account.directory.user_by_email("dana@acme.example") is None
    assert await account.directory.user_by_email("dana@acme.example") is None
    assert account.asked("/users") == 2, "the list, and one look for the unknown one"


async def test_priorities_are_ranked_most_severe_first(account: Account) -> None:
    assert account.directory.ranks() == {}
    await account.directory.warm()
    names = [one.name for one in await account.directory.priorities()]
    assert names == ["P1", "P2", "P3", "P4", "P5"]
    assert sorted(account.directory.ranks().values()) == [0, 1, 2, 3, 4]


async def test_what_changed_in_pagerduty_is_asked_for_anew(account: Account) -> None:
    await account.directory.warm()
    account.directory.forget("services", "policies")
    await account.directory.services()
    await account.directory.teams()
    assert (account.asked("/services"), account.asked("/teams")) == (2, 1)
    assert account.forgotten == ["services", "policies"]


async def test_what_changed_outlives_an_outage_too(account: Account) -> None:
    before = await account.directory.services()
    account.fake.outage("error", status=404)
    account.directory.forget("services")
    assert await account.directory.services() == before


async def test_what_changes_while_it_is_read_is_read_again(account: Account) -> None:
    account.fake.outage("slow", seconds=0.2)
    reading = asyncio.create_task(account.directory.services())
    await until(lambda: account.directory._cache._fetching, "nothing was fetched")
    account.directory.forget("services")
    account.fake.outage("off")
    await account.directory.services()
    await reading
    await account.directory.services()
    assert account.asked("/services") == 2


async def test_who_is_on_call_is_dropped_whomever_was_asked_about(account: Account) -> None:
    await account.directory.on_calls(policies=["PEPCHK"])
    await account.directory.on_calls(schedules=["PSCHCHK"])
    assert account.directory.on_calls_if_warm("PEPCHK")
    account.directory.forget("on_calls")
    assert account.directory.on_calls_if_warm("PEPCHK") is None
    await account.directory.on_calls(schedules=["PSCHCHK"])
    assert account.asked("/oncalls") == 3


async def test_lookups_are_counted_by_how_they_were_answered(account: Account) -> None:
    await account.directory.warm()
    assert account.lookups == []  # nobody waited
    await account.directory.services()
    account.now += FRESH + 1
    await account.directory.services()
    await account.directory.on_calls(policies=["PEPCHK"])
    await until(lambda: account.asked("/services") == 2, "the list was not renewed")
    account.fake.outage("error", status=404)
    with pytest.raises(PagerDutyFailure):
        await account.directory.on_calls(policies=["PEPLOG"])
    await account.directory.user_by_email("alice@acme.example")
    assert account.lookups == [
        "services hit",
        "services stale",
        "on_calls miss",
        "on_calls failed",
        "users stale",
    ]


@pytest.mark.parametrize(
    ("path", "lists"),
    [
        ("/services/{id}", ("services",)),
        ("/v3/schedules/{id}/rotations", ("schedules", "on_calls")),
        ("/schedules/{id}/overrides/{id}", ("schedules", "on_calls")),
        ("/escalation_policies", ("policies", "services", "on_calls")),
        ("/incidents/{id}/notes", ()),
        ("/{id}", ()),
    ],
)
def test_a_write_tells_which_lists_it_changes(path: str, lists: tuple[str, ...]) -> None:
    assert lists_changed_by(path) == lists
