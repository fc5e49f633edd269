"""Clients of workspaces that come and go while we run, found in what was installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from pydantic import SecretStr

from bot.errors import SlackFailure
from bot.model import SlackUser
from bot.sandbox.labs import TEAM, labs
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.installing import Organisation
from bot.sandbox.world import acme
from bot.slack.client import Slack
from bot.slack.workspaces import MISS_SECONDS, MOST_MISSES, Workspaces

FIRST = SecretStr("xoxb-one")


@dataclass(frozen=True)
class One:
    """A workspace and its token."""

    team_id: str
    token: SecretStr = FIRST
    by_organisation: bool = False


@dataclass
class Installed:
    """What stands in the table, and what it was asked."""

    rows: dict[str, One] = field(default_factory=dict)
    organisations: dict[str, One] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, one: One) -> None:
        self.rows[one.team_id] = one

    async def living(self) -> list[One]:
        return list(self.rows.values())

    async def find(self, team_id: str) -> One | None:
        self.asked.append(team_id)
        return self.rows.get(team_id)

    async def join(self, team_id: str, enterprise_id: str) -> One | None:
        self.put(One(team_id, self.organisations[enterprise_id].token, by_organisation=True))
        return self.rows[team_id]

    async def holding(self, key: str) -> One | None:
        return self.organisations.get(key)


class Desk:
    """Workspaces over such a table, with Acme's token in the settings; `now` is the timer."""

    def __init__(self, fake: FakeSlack, session: aiohttp.ClientSession) -> None:
        self.fake = fake
        self.session = session
        self.installed = Installed()
        self.now = 0.0
        self.own = self.connect("T0ACME", SecretStr(fake.bot_token))
        self.workspaces = Workspaces(
            [self.own], installed=self.installed, connect=self.connect, timer=lambda: self.now
        )

    def connect(self, team_id: str, token: SecretStr, *, by_organisation: bool = False) -> Slack:
        api = f"{self.fake.acting.origin}/api/"
        return Slack(self.session, token, base_url=api, team_id=team_id, by_organisation=by_organisation)


@pytest.fixture
async def desk(session: aiohttp.ClientSession) -> AsyncIterator[Desk]:
    fake = FakeSlack(acme())
    fake.add_workspace(labs(fake.world))
    await fake.start()
    yield Desk(fake, session)
    await fake.stop()


async def test_an_unknown_workspace_is_looked_up_once_and_then_known(desk: Desk) -> None:
    desk.installed.put(One(TEAM))
    assert desk.workspaces.for_team(TEAM) is None
    found = await desk.workspaces.find(TEAM)
    assert found is not None
    assert found is desk.workspaces.for_team(TEAM)
    assert await desk.workspaces.find(TEAM) is found
    assert desk.installed.asked == [TEAM]


async def test_one_that_is_not_there_is_not_asked_about_again_and_again(desk: Desk) -> None:
    for _ in range(5):
        assert await desk.workspaces.find("T0NONE") is None
    assert desk.installed.asked == ["T0NONE"]
    desk.now += MISS_SECONDS + 1
    await desk.workspaces.find("T0NONE")
    assert desk.installed.asked == ["T0NONE", "T0NONE"]


async def test_made_up_workspaces_cost_no_memory(desk: Desk) -> None:
    for number in range(MOST_MISSES + 10):
        await desk.workspaces.find(f"T{number}")
    assert len(desk.workspaces._missed) == MOST_MISSES


async def test_a_look_finds_what_came_what_went_and_what_has_a_new_token(desk: Desk) -> None:
    assert await desk.workspaces.find(TEAM) is None
    desk.installed.put(One(TEAM))
    assert await desk.workspaces.refresh() == {TEAM}
    first = await desk.workspaces.find(TEAM)
    assert await desk.workspaces.refresh() == frozenset()
    assert desk.workspaces.for_team(TEAM) is first
    desk.installed.put(One(TEAM, SecretStr("xoxb-two")))
    assert await desk.workspaces.refresh() == {TEAM}
    assert desk.workspaces.for_team(TEAM) is not first
    desk.installed.rows.clear()
    assert await desk.workspaces.refresh() == frozenset()
    assert desk.workspaces.for_team(TEAM) is None


async def test_the_settings_token_is_served_whatever_was_installed(desk: Desk) -> None:
    desk.installed.put(One("T0ACME", SecretStr("xoxb-other")))
    await desk.workspaces.refresh()
    assert desk.workspaces.for_team("T0ACME") is desk.own
    desk.workspaces.forget("T0ACME")
    assert desk.workspaces.for_team("T0ACME") is desk.own


async def test_without_installs_nothing_is_looked_up() -> None:
    workspaces = Workspaces()
    assert await workspaces.find("T0ACME") is None
    assert await workspaces.refresh() == frozenset()
    assert not workspaces.may_grow


async def test_an_id_in_a_setting_means_the_settings_workspace_unless_it_names_another(desk: Desk) -> None:
    desk.installed.put(One(TEAM))
    await desk.workspaces.refresh()
    assert desk.workspaces.locate("U0CAROL") == SlackUser("T0ACME", "U0CAROL")
    assert desk.workspaces.locate(f"{TEAM}:U0CAROL") == SlackUser(TEAM, "U0CAROL")
    assert desk.workspaces.locate("T0NONE:U0CAROL") is None
    installed_only = Workspaces(installed=desk.installed, connect=desk.connect)
    await installed_only.refresh()
    assert installed_only.locate("U0CAROL") is None, "an id alone may mean somebody else there"
    with pytest.raises(SlackFailure):
        await installed_only.direct_message("U0CAROL", "hello")


async def test_who_a_setting_names_is_written_to_where_they_are(desk: Desk) -> None:
    other = desk.fake.all[1]
    other.tokens.renew()
    desk.installed.put(One(TEAM, SecretStr(other.bot_token)))
    await desk.workspaces.refresh()
    await desk.workspaces.direct_message(f"{TEAM}:U0CAROL", "for Olive")
    await desk.workspaces.direct_message("U0CAROL", "for Carol")
    assert [one.body["text"] for one in other.journal.calls("chat.postMessage")] == ["for Olive"]
    assert [one.body["text"] for one in desk.fake.journal.calls("chat.postMessage")] == ["for Carol"]


# -------------------------------------------------------------------------------------------- organisations


async def organised(desk: Desk) -> None:
    """The organisation has installed it for all its workspaces."""
    desk.fake.installing.found(Organisation("E0ACME", "Acme Group"))
    code = desk.fake.installing.allow("E0ACME", "commands", "http://127.0.0.1:9/")
    granted = desk.fake.installing.exchange(code, "http://127.0.0.1:9/")
    desk.installed.organisations["E0ACME"] = One("E0ACME", SecretStr(granted["access_token"]))


async def test_a_workspace_of_an_organisation_joins_when_it_is_first_heard_of(desk: Desk) -> None:
    await organised(desk)
    assert await desk.workspaces.find(TEAM) is None, "nothing says that it belongs to the organisation"
    slack = await desk.workspaces.find(TEAM, "E0ACME")
    assert slack is not None
    assert (await slack.profile("U0ALICE")).email == "bob@acme.example"
    assert {one.user.team_id for one in await slack.users()} == {TEAM}


async def test_a_strangers_workspace_does_not_join_by_being_named(desk: Desk) -> None:
    """In a shared channel a press names the workspace of whoever pressed."""
    await organised(desk)
    assert await desk.workspaces.find("T0OTHER", "E0ACME") is None
    assert await desk.workspaces.find(TEAM, "E0NONE") is None
    assert desk.installed.rows == {}


async def test_while_slack_cannot_say_nobody_joins(desk: Desk) -> None:
    await organised(desk)
    for fake in desk.fake.all:
        fake.fault("auth.teams.list", "error", error="fatal_error", count=5)
    assert await desk.workspaces.find(TEAM, "E0ACME") is None
    desk.now += MISS_SECONDS + 1
    for fake in desk.fake.all:
        fake.faults.clear()
    assert await desk.workspaces.find(TEAM, "E0ACME") is not None


async def test_a_person_of_several_workspaces_is_at_home_in_each(desk: Desk) -> None:
    slack = desk.connect(TEAM, SecretStr("xoxb-one"))
    person = {"id": "W0ALICE", "team_id": "T0ACME", "name": "alice"}
    inside = {"enterprise_user": {"enterprise_id": "E0ACME", "teams": ["T0ACME", TEAM]}}
    assert slack._profile(person).home_team == "T0ACME"
    assert slack._profile(person | inside).home_team == TEAM
    elsewhere = {"enterprise_user": {"enterprise_id": "E0ACME", "teams": ["T0ACME"]}}
    assert slack._profile(person | elsewhere).home_team == "T0ACME"
