"""A link that ended by itself: whoever is on call hears of it at once, and once; nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.accounts.keeping_fresh import KeepFresh
from bot.command.ended_links import EndedLinks
from bot.errors import NotLinked, PagerDutyUnavailable
from bot.model import OnCall, Reference, SlackUser
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.world import acme
from bot.slack.client import Slack
from bot.slack.connection import open_session
from bot.slack.workspaces import Workspaces
from bot.store.notices import Notices
from tests.accounts.replicas import ALICE, DAY, TEAM, Replica, Site, site_on
from tests.stories.slack_eyes import Place, Seen

SHIFT = OnCall(Reference("PALICE1", "Alice Anderson"), Reference("PEPCHK", "Checkout primary"), 1)


@dataclass(frozen=True)
class Offered:
    url: str
    ticket: str


@dataclass
class World:
    """Who is on call, as PagerDuty tells it, and where people link."""

    on_call: set[str] = field(default_factory=lambda: {"PALICE1"})
    is_away: bool = False
    offered: list[SlackUser] = field(default_factory=list)

    async def on_calls(self, *, users: Sequence[str] = ()) -> Sequence[OnCall]:
        if self.is_away:
            raise PagerDutyUnavailable("PagerDuty did not answer.")
        return [SHIFT] if self.on_call & set(users) else []

    async def offer(self, user: SlackUser, intent_id: int | None = None, *, seconds: float) -> Offered:
        assert intent_id is None
        assert seconds >= 8 * 3600
        self.offered.append(user)
        return Offered(f"https://pager.example.com/pagerduty/link?ticket=t{len(self.offered)}", "t")


@dataclass
class Rig:
    site: Site
    world: World
    slack: FakeSlack
    one: Replica
    two: Replica
    ended: EndedLinks

    async def end(self, replica: Replica | None = None) -> None:
        """PagerDuty takes the link back, and a background round finds out."""
        self.site.fake.oauth.revoke_all_of("PALICE1")
        self.site.let_pass(DAY)
        one = replica or self.one
        await KeepFresh(one.tokens, one.accounts, one.leases, apart=0.0).once(asyncio.Event())
        await one.tokens.close()

    def messages(self) -> list[Seen]:
        return Place(self.slack, self.slack.workspace.direct_messages("U0ALICE").id).messages()


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack, site_on(database_url) as site:
        slack, world, session = FakeSlack(acme()), World(), open_session(2.0)
        await slack.start()
        stack.push_async_callback(slack.stop)
        stack.push_async_callback(session.close)
        base_url = f"{slack.acting.origin}/api/"
        workspaces = Workspaces([Slack(session, SecretStr(slack.bot_token), base_url=base_url, team_id=TEAM)])
        one, two = await site.replica(), await site.replica()
        ended, theirs = (
            EndedLinks(replica.accounts, world, world, workspaces, Notices(replica.database))
            for replica in (one, two)
        )
        one.tokens = one.new_tokens(on_ended=ended.tell)
        two.tokens = two.new_tokens(on_ended=theirs.tell)
        await site.link(one)
        yield Rig(site, world, slack, one, two, ended)


async def test_who_is_on_call_is_told_with_a_way_to_link(rig: Rig) -> None:
    await rig.end()
    (message,) = rig.messages()
    assert message.text.startswith("Your link to PagerDuty has ended, and you are on call.")
    assert message.text.endswith("Press the button, or type /pager link.")
    assert message.buttons == ["Link my PagerDuty account"]
    assert rig.world.offered == [ALICE]


async def test_who_is_not_on_call_hears_of_it_when_they_act(rig: Rig) -> None:
    rig.world.on_call.clear()
    await rig.end()
    assert rig.messages() == []
    with pytest.raises(NotLinked, match="has ended"):
        await rig.one.tokens.credentials(ALICE)


async def test_when_pagerduty_does_not_tell_who_is_on_call_they_are_told(rig: Rig) -> None:
    rig.world.is_away = True
    await rig.end()
    assert len(rig.messages()) == 1


async def test_once_for_each_link_that_ends(rig: Rig) -> None:
    await rig.end()
    with pytest.raises(NotLinked):
        await rig.two.tokens.credentials(ALICE)
    await rig.two.tokens.close()
    assert len(rig.messages()) == 1
    await rig.site.link(rig.one)
    await rig.end(rig.two)
    assert len(rig.messages()) == 2


async def test_nothing_is_said_of_a_link_that_was_made_again_meanwhile(rig: Rig) -> None:
    rig.site.fake.oauth.revoke_all_of("PALICE1")
    account = await rig.one.accounts.living(ALICE)
    assert account
    assert await rig.one.accounts.end(ALICE, "refused", account.generation)
    await rig.site.link(rig.one)
    await rig.ended.tell(ALICE, "refused")
    assert rig.messages() == []


async def test_what_slack_did_not_take_is_told_in_the_log_and_may_be_said_again(rig: Rig) -> None:
    rig.slack.fault("chat.postMessage", "error", error="cannot_dm_bot", count=1)
    with capture_logs() as logs:
        await rig.end()
    assert [line["event"] for line in logs].count("ended_link_not_told") == 1
    assert rig.messages() == []
    assert await Notices(rig.one.database).told("link ended:") == []
