"""Who may act, and as whom: every refusal of e-mail mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from pydantic import SecretStr

from bot.accounts.by_email import AccountsByEmail
from bot.accounts.members import Allowed, Members
from bot.errors import NotAllowed, NotLinked
from bot.model import Person, SlackProfile, SlackUser
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.http import PagerDutyHttp, open_session
from bot.slack.client import Slack
from bot.slack.connection import open_session as open_slack_session
from bot.slack.failures import UserUnreachable
from bot.slack.workspaces import Workspaces

ALICE = SlackUser("T0ACME", "U0ALICE")
PROFILE = SlackProfile(ALICE, "alice", "alice@acme.example", email_confirmed=True, home_team="T0ACME")
PERSON = Person("PALICE1", "Alice Anderson", "Alice@acme.example", "limited_user")


class KnownSlack(Slack):
    """A workspace that knows its people by heart and counts how often it is asked."""

    def knows(self, *profiles: SlackProfile) -> None:
        self.profiles = {one.user.id: one for one in profiles}
        self.asked = 0

    async def profile(self, user_id: str) -> SlackProfile:
        self.asked += 1
        await asyncio.sleep(0)
        if user_id not in self.profiles:
            raise UserUnreachable("user_not_found", method="users.info")
        return self.profiles[user_id]


@dataclass
class SmallPagerDuty:
    """Users by e-mail, any case."""

    people: list[Person] = field(default_factory=lambda: [PERSON])

    async def user_by_email(self, email: str) -> Person | None:
        wanted = email.casefold()
        return next((one for one in self.people if (one.email or "").casefold() == wanted), None)


@dataclass
class Bench:
    slack: KnownSlack
    users: SmallPagerDuty
    account: PagerDuty
    now: float = 0.0

    def accounts(self, **kinds: bool) -> AccountsByEmail:
        members = Members(Workspaces([self.slack]), allowed=Allowed(**kinds), timer=lambda: self.now)
        return AccountsByEmail(members, self.users, self.account)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    slack_session, session = open_slack_session(), open_session()
    slack = KnownSlack(
        slack_session, SecretStr("xoxb-1"), base_url="http://127.0.0.1:1/api/", team_id="T0ACME"
    )
    slack.knows(PROFILE)
    http = PagerDutyHttp(session, "http://127.0.0.1:1")
    yield Bench(slack, SmallPagerDuty(), PagerDuty(http, AccountKey(SecretStr("k" * 20))))
    await slack_session.close()
    await session.close()


async def test_somebody_with_one_address_in_both_acts_as_themselves(bench: Bench) -> None:
    acting = await bench.accounts().act_as(ALICE, "incidents.write")
    assert (acting.person, acting.kind, acting.profile) == (PERSON, "email", PROFILE)
    assert acting.pagerduty.sender == "Alice@acme.example"
    assert bench.accounts().reader().sender is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"is_guest": True}, "guest"),
        ({"is_stranger": True}, "another organisation"),
        ({"home_team": "T0OTHER"}, "another organisation"),
        ({"is_bot": True}, "Bots"),
        ({"is_deleted": True}, "deactivated"),
    ],
)
async def test_whoever_is_no_full_member_is_refused(
    bench: Bench, change: dict[str, bool | str], words: str
) -> None:
    bench.slack.knows(replace(PROFILE, **change))  # type: ignore[arg-type]
    with pytest.raises(NotAllowed, match=words):
        await bench.accounts().act_as(ALICE, "incidents.write")
    with pytest.raises(NotAllowed, match=words):
        await bench.accounts().member(ALICE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"email": None}, "users:read.email"),
        ({"email_confirmed": False}, "not confirmed"),
        ({"email": "nobody@acme.example"}, "No PagerDuty user logs in as nobody@acme.example"),
        ({"email": "alice@acme.example.evil.example"}, "No PagerDuty user"),
    ],
)
async def test_whoever_pagerduty_does_not_know_is_not_linked(
    bench: Bench, change: dict[str, str], words: str
) -> None:
    bench.slack.knows(replace(PROFILE, **change))  # type: ignore[arg-type]
    with pytest.raises(NotLinked, match=words):
        await bench.accounts().act_as(ALICE, "incidents.write")
    assert (await bench.accounts().member(ALICE)).user == ALICE  # looking is allowed


@pytest.mark.parametrize(
    "role", ["observer", "read_only_user", "read_only_limited_user", "restricted_access", "new_role", None]
)
async def test_roles_that_may_not_respond_are_refused_by_us(bench: Bench, role: str | None) -> None:
    bench.users.people = [replace(PERSON, role=role)]
    with pytest.raises(NotAllowed, match=r"role is .*incidents\.write"):
        await bench.accounts().act_as(ALICE, "incidents.write")


@pytest.mark.parametrize("role", ["owner", "admin", "user", "limited_user"])
async def test_roles_that_may_respond_act(bench: Bench, role: str) -> None:
    bench.users.people = [replace(PERSON, role=role)]
    assert (await bench.accounts().act_as(ALICE, "incidents.write")).person.role == role


async def test_settings_widen_per_kind(bench: Bench) -> None:
    bench.slack.knows(replace(PROFILE, is_guest=True))
    guest = await bench.accounts(guests=True).act_as(ALICE, "incidents.write")
    assert guest.person == PERSON
    bench.slack.knows(replace(PROFILE, is_stranger=True, home_team="T0OTHER"))
    stranger = await bench.accounts(strangers=True).act_as(ALICE, "incidents.write")
    assert stranger.person == PERSON
    with pytest.raises(NotAllowed):
        await bench.accounts(guests=True).act_as(ALICE, "incidents.write")
    for kind, change in (("bots", {"is_bot": True}), ("deactivated", {"is_deleted": True})):
        bench.slack.knows(replace(PROFILE, **change))  # type: ignore[arg-type]
        assert (await bench.accounts(**{kind: True}).act_as(ALICE, "incidents.write")).person == PERSON
        with pytest.raises(NotAllowed):
            await bench.accounts(guests=True, strangers=True).act_as(ALICE, "incidents.write")


async def test_unknown_people_and_workspaces_are_refused(bench: Bench) -> None:
    with pytest.raises(NotAllowed, match="profile"):
        await bench.accounts().member(SlackUser("T0ACME", "U0NOBODY"))
    with pytest.raises(NotAllowed, match="not connected"):
        await bench.accounts().member(SlackUser("T0ELSE", "U0ALICE"))


async def test_a_profile_is_asked_once_a_minute(bench: Bench) -> None:
    accounts = bench.accounts()
    await asyncio.gather(*(accounts.member(ALICE) for _ in range(5)))
    assert bench.slack.asked == 1
    bench.now = 59.0
    await accounts.member(ALICE)
    assert bench.slack.asked == 1
    bench.slack.profiles = {"U0ALICE": replace(PROFILE, is_guest=True)}
    bench.now = 61.0
    with pytest.raises(NotAllowed):
        await accounts.member(ALICE)


async def test_a_refusal_by_slack_is_asked_again(bench: Bench) -> None:
    accounts = bench.accounts()
    bench.slack.profiles = {}
    with pytest.raises(NotAllowed):
        await accounts.member(ALICE)
    bench.slack.profiles = {"U0ALICE": PROFILE}
    assert await accounts.member(ALICE) == PROFILE
