"""The bot's admins and who may subscribe: by id, by user group, each in their own workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from bot.accounts.permissions import Permissions
from bot.model import SlackUser
from bot.slack.client import Slack
from bot.slack.connection import open_session
from bot.slack.failures import ScopeMissing
from bot.slack.workspaces import Workspaces

HOME, OTHER = "T0ACME", "T0OTHER"
ALICE, CAROL = SlackUser(HOME, "U0ALICE"), SlackUser(HOME, "U0CAROL")


class GroupedSlack(Slack):
    """A workspace that knows its user groups by heart, or refuses to tell."""

    def knows(self, **groups: list[str]) -> None:
        self.groups = groups
        self.refuses = False
        self.asked = 0

    async def usergroup_members(self, group_id: str) -> list[str]:
        self.asked += 1
        if self.refuses:
            raise ScopeMissing("missing_scope", method="usergroups.users.list")
        return self.groups[group_id]


@dataclass
class Bench:
    session: ClientSession
    now: float = 0.0
    slacks: dict[str, GroupedSlack] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for team in (HOME, OTHER):
            base = "http://127.0.0.1:1/api/"
            slack = GroupedSlack(self.session, SecretStr("xoxb-1"), base_url=base, team_id=team)
            slack.knows(S0ADMINS=["U0CAROL"] if team == HOME else ["U0THERE"])
            self.slacks[team] = slack

    def permissions(self, *admins: str, subscribers: tuple[str, ...] = ("everyone",)) -> Permissions:
        return Permissions(
            Workspaces(self.slacks.values()), admins=admins, subscribers=subscribers, timer=lambda: self.now
        )


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    session = open_session()
    yield Bench(session)
    await session.close()


async def test_by_id_and_by_group(bench: Bench) -> None:
    known = bench.permissions("U0ALICE", "S0ADMINS")
    assert await known.is_admin(ALICE)
    assert await known.is_admin(CAROL)
    assert not await known.is_admin(SlackUser(HOME, "U0BOB"))
    assert await known.admin_ids(HOME) == ["U0ALICE", "U0CAROL"]
    assert await known.admins() == [ALICE, CAROL]


async def test_nobody_is_an_admin_until_one_is_named(bench: Bench) -> None:
    assert not await bench.permissions().is_admin(ALICE)
    assert await bench.permissions().admins() == []


async def test_a_bare_id_means_nobody_in_another_workspace(bench: Bench) -> None:
    known = bench.permissions("U0ALICE", "S0ADMINS", f"{OTHER}:S0ADMINS", f"{OTHER}:U0DANA")
    for stranger in ("U0ALICE", "U0CAROL"):
        assert not await known.is_admin(SlackUser(OTHER, stranger))
    assert await known.admin_ids(OTHER) == ["U0THERE", "U0DANA"]
    assert not await known.is_admin(SlackUser(HOME, "U0DANA"))
    assert await bench.permissions("T0NOWHERE:U0ALICE").admins() == []


async def test_who_is_in_a_group_is_asked_every_five_minutes(bench: Bench) -> None:
    known, slack = bench.permissions("S0ADMINS"), bench.slacks[HOME]
    for _ in range(3):
        assert await known.is_admin(CAROL)
    assert slack.asked == 1
    slack.groups = {"S0ADMINS": []}
    bench.now = 299.0
    assert await known.is_admin(CAROL)
    bench.now = 301.0
    assert not await known.is_admin(CAROL)
    assert slack.asked == 2


async def test_a_group_that_cannot_be_read_has_nobody_in_it(bench: Bench) -> None:
    known, slack = bench.permissions("S0ADMINS", "U0ALICE"), bench.slacks[HOME]
    assert await known.is_admin(CAROL)
    bench.now, slack.refuses = 301.0, True
    assert not await known.is_admin(CAROL)
    assert await known.is_admin(ALICE)
    assert slack.asked == 2  # and Slack is left alone for a while
    bench.now, slack.refuses = 340.0, False
    assert await known.is_admin(CAROL)


@pytest.mark.parametrize(
    ("subscribers", "may", "may_not"),
    [
        (("everyone",), ["U0BOB", "U0CAROL"], []),
        (("admins",), ["U0CAROL"], ["U0BOB"]),
        (("U0BOB",), ["U0BOB", "U0CAROL"], ["U0ALICE"]),
        (("S0PEOPLE",), ["U0ALICE", "U0CAROL"], ["U0BOB"]),
        ((), ["U0CAROL"], ["U0BOB"]),
    ],
)
async def test_who_may_subscribe(
    bench: Bench, subscribers: tuple[str, ...], may: list[str], may_not: list[str]
) -> None:
    bench.slacks[HOME].groups["S0PEOPLE"] = ["U0ALICE"]
    known = bench.permissions("U0CAROL", subscribers=subscribers)
    assert [one for one in may if not await known.may_subscribe(SlackUser(HOME, one))] == []
    assert [one for one in may_not if await known.may_subscribe(SlackUser(HOME, one))] == []
