"""One friendly message to whoever goes on call unlinked, and no second one: whoever asks, however often."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from bot.accounts.members import Members
from bot.command import reminding
from bot.command.day_before import LEASE, DayBefore
from bot.command.reminding import Reminders
from bot.command.rotas import Rotas
from bot.errors import PagerDutyUnavailable, SlackFailure, StoreUnavailable
from bot.model import OnCall, Person, Reference, SlackProfile, SlackUser
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.world import acme
from bot.slack.client import Slack
from bot.slack.connection import open_session
from bot.slack.workspaces import Workspaces
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.notices import Notices
from bot.store.schema import migrate
from tests.stories.slack_eyes import Place, Seen
from tests.stories.waiting import until as eventually
from tests.stories.waiting import until_async

TEAM = "T0ACME"
BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
UMA, BOB, GUS = (
    Reference("PUMA007", "Uma Ueda"),
    Reference("PBOB002", "Bob Brown"),
    Reference("PGUEST5", "Gus Guest"),
)
ALICE, STRAY = Reference("PALICE1", "Alice Anderson"), Reference("PSTRAY9", "Nora Nowhere")
PRIMARY, ROTA = Reference("PEPCHK", "Checkout primary"), Reference("PSCHCHK", "Checkout rota")
MATCHED = {"PUMA007": "U0UMA", "PBOB002": "U0BOB", "PGUEST5": "U0GUEST", "PALICE1": "U0ALICE"}


def berlin(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(tzinfo=BERLIN).astimezone(UTC)


@dataclass(frozen=True)
class Offered:
    url: str
    ticket: str


@dataclass
class World:
    """PagerDuty's rotas and users, who is linked, and the time; one for all replicas."""

    now: datetime = field(default_factory=lambda: berlin("2026-10-25T10:05"))
    shifts: list[OnCall] = field(default_factory=list)
    linked: dict[str, str] = field(default_factory=lambda: {"PALICE1": "U0ALICE"})
    zones: dict[str, str] = field(default_factory=dict)
    offered: list[SlackUser] = field(default_factory=list)
    without_zone: set[str] = field(default_factory=set)
    is_away: bool = False
    asked: int = 0

    async def on_calls(self, *, since: datetime | None = None, until: datetime | None = None) -> list[OnCall]:
        self.asked += 1
        if self.is_away:
            raise PagerDutyUnavailable("PagerDuty did not answer.")
        assert since is not None
        assert until is not None
        return [
            one
            for one in self.shifts
            if (one.start is None or one.start < until) and (one.end is None or one.end > since)
        ]

    async def slack_ids(self, team_id: str, person_ids: Sequence[str]) -> Mapping[str, str]:
        return {one: MATCHED[one] for one in person_ids if one in MATCHED and team_id == TEAM}

    async def links(self, team_id: str) -> Mapping[str, str]:
        assert team_id == TEAM
        return self.linked

    async def users(self) -> Sequence[Person]:
        return [Person(one, one, time_zone=zone) for one, zone in self.zones.items()]

    async def offer(self, user: SlackUser, intent_id: int | None = None, *, seconds: float) -> Offered:
        assert intent_id is None
        assert seconds > 2 * 86_400
        self.offered.append(user)
        return Offered(f"https://pager.example.com/pagerduty/link?ticket={len(self.offered)}", "t")

    def shift(self, who: Reference, start: str, days: float = 7, **more: int) -> None:
        begins = berlin(start)
        level = more.get("level", 1)
        self.shifts.append(OnCall(who, PRIMARY, level, ROTA, begins, begins + days * DAY))


@dataclass
class Replica:
    """One process."""

    rotas: Rotas
    reminders: Reminders
    loop: DayBefore
    database: Database

    async def asked(self) -> reminding.Reminded:
        """What *Remind them* does."""
        return await self.reminders.remind_all(await self.rotas.look(TEAM))


@dataclass
class Rig:
    world: World
    slack: FakeSlack
    one: Replica
    other: Replica

    def messages(self, user: str) -> list[Seen]:
        """What stands in somebody's direct messages."""
        return Place(self.slack, self.slack.workspace.direct_messages(user).id).messages()


async def replica(stack: AsyncExitStack, world: World, slack: FakeSlack, url: str, **clock: float) -> Replica:
    database = await Database.open(url, **clock)
    stack.push_async_callback(database.close)
    session = open_session(2.0)
    stack.push_async_callback(session.close)
    client = Slack(session, SecretStr(slack.bot_token), base_url=f"{slack.acting.origin}/api/", team_id=TEAM)
    workspaces = Workspaces([client])
    rotas = Rotas(world, world, world.links, lambda: world.now)
    members = Members(workspaces)

    async def member(user: SlackUser) -> SlackProfile:
        profile = await members.member(user)
        return replace(profile, time_zone=None) if user.id in world.without_zone else profile

    reminders = Reminders(Notices(database), workspaces, world, world, member, clock=lambda: world.now)
    return Replica(
        rotas,
        reminders,
        DayBefore(rotas, reminders, workspaces, Leases(database, secrets.token_hex(4))),
        database,
    )


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        slack, world = FakeSlack(acme()), World()
        await slack.start()
        stack.push_async_callback(slack.stop)
        one = await replica(stack, world, slack, database_url)
        await migrate(one.database)
        yield Rig(world, slack, one, await replica(stack, world, slack, database_url))


# ------------------------------------------------------------------------------------------ by themselves


async def test_the_day_before_a_shift_one_message_says_when_and_how(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    assert await rig.one.loop.once() == 1
    (message,) = rig.messages("U0UMA")
    assert message.text.startswith(
        "You go on call Mon Oct 26, 09:00 (Europe/Berlin), level 1 of Checkout primary"
    )
    assert message.buttons == ["Link my PagerDuty account"]
    assert rig.world.offered == [SlackUser(TEAM, "U0UMA")]


async def test_once_over_all_replicas_rounds_and_restarts(rig: Rig, database_url: str) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.world.shift(UMA, "2026-10-26T09:00", level=2)
    sent = await asyncio.gather(*(one.loop.once() for one in (rig.one, rig.other) * 5))
    assert sum(sent) == 1
    async with AsyncExitStack() as stack:
        # A day later by the store's clock, so that only the shift's own day holds it back.
        restarted = await replica(stack, rig.world, rig.slack, database_url, clock_offset=90_000)
        rig.world.now = berlin("2026-10-26T08:59")
        assert await restarted.loop.once() == 0
    assert len(rig.messages("U0UMA")) == 1


async def test_neither_earlier_nor_after_it_began_nor_by_night(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    for told in ("2026-10-24T12:00", "2026-10-25T09:59", "2026-10-25T23:00", "2026-10-26T09:01"):
        rig.world.now = berlin(told)
        assert await rig.one.loop.once() == 0
    assert rig.messages("U0UMA") == []


async def test_a_bot_that_was_down_tells_it_later_the_same_day(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.world.now = berlin("2026-10-26T08:30")
    assert await rig.one.loop.once() == 1


async def test_each_by_their_own_clock(rig: Rig) -> None:
    rig.world.shift(BOB, "2026-11-02T09:00")  # Bob is in New York, where clocks go back on November 1st
    rig.world.now = datetime(2026, 11, 1, 14, 59, tzinfo=UTC)  # 09:59 there, since that night
    assert await rig.one.loop.once() == 0
    rig.world.now = datetime(2026, 11, 1, 15, 0, tzinfo=UTC)
    assert await rig.one.loop.once() == 1
    assert "Mon Nov 2, 03:00 (America/New_York)" in rig.messages("U0BOB")[0].text


async def test_where_slack_knows_no_zone_pagerduty_may(rig: Rig) -> None:
    rig.world.without_zone.add("U0UMA")
    rig.world.zones["PUMA007"] = "America/New_York"
    rig.world.shift(UMA, "2026-10-26T09:00")
    assert await rig.one.loop.once() == 0  # 05:05 there
    rig.world.now = berlin("2026-10-25T15:00")
    assert await rig.one.loop.once() == 1
    assert "04:00 (America/New_York)" in rig.messages("U0UMA")[0].text


async def test_who_is_always_on_call_is_told_once_and_never_again(rig: Rig, database_url: str) -> None:
    rig.world.shifts.append(OnCall(UMA, PRIMARY, 2))
    assert await rig.one.loop.once() == 1
    assert rig.messages("U0UMA")[0].text.startswith("You are on call, always, level 2")
    async with AsyncExitStack() as stack:
        next_week = await replica(stack, rig.world, rig.slack, database_url, clock_offset=8 * 86_400)
        rig.world.now += 8 * DAY
        assert await next_week.loop.once() == 0
    assert len(rig.messages("U0UMA")) == 1


async def test_office_hours_are_reminded_of_once_a_week_not_daily(rig: Rig, database_url: str) -> None:
    for day in range(26, 31):
        rig.world.shift(UMA, f"2026-10-{day}T09:00", 1 / 3)
    assert await rig.one.loop.once() == 1
    async with AsyncExitStack() as stack:
        for days in range(1, 6):
            rig.world.now += DAY
            later = await replica(stack, rig.world, rig.slack, database_url, clock_offset=days * 90_000)
            assert await later.loop.once() == 0


async def test_neither_the_linked_nor_who_is_not_in_slack_nor_who_may_not(rig: Rig) -> None:
    for one in (ALICE, STRAY, GUS):
        rig.world.shifts.append(OnCall(one, PRIMARY, 1, ROTA, rig.world.now + DAY, rig.world.now + 8 * DAY))
    assert await rig.one.loop.once() == 0
    assert rig.world.offered == []


async def test_what_slack_did_not_take_is_tried_again(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.slack.fault("chat.postMessage", "rate_limit", count=1)
    with pytest.raises(SlackFailure):
        await rig.one.loop.once()
    assert await rig.other.loop.once() == 1


async def test_who_cannot_be_written_to_holds_nobody_up(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.world.shift(BOB, "2026-10-26T17:00")
    rig.slack.fault("chat.postMessage", "error", error="cannot_dm_bot", count=1)
    rig.world.now = berlin("2026-10-25T18:00")
    assert await rig.one.loop.once() == 1
    assert await rig.other.loop.once() == 0


async def test_a_post_without_an_answer_is_not_sent_twice(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.slack.fault("chat.postMessage", "drop_after", count=1)
    await rig.one.loop.once()
    assert await rig.other.loop.once() == 0
    assert len(rig.messages("U0UMA")) == 1


async def test_the_loop_survives_an_outage_and_leaves_the_next_look_to_any(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    rig.world.is_away = True
    stop = asyncio.Event()
    running = asyncio.create_task(rig.one.loop.run(stop))
    await eventually(lambda: rig.world.asked == 1 or None, "PagerDuty was not asked")
    probe = Leases(rig.one.database, "probe")

    async def is_free() -> bool:
        return await probe.take(LEASE, 0.0) is not None

    await until_async(is_free, "the turn was not given back")
    rig.world.is_away = False
    other = asyncio.create_task(rig.other.loop.run(stop))
    await eventually(lambda: rig.messages("U0UMA") or None, "nobody looked again")
    stop.set()
    await asyncio.wait_for(asyncio.gather(running, other), 5)


async def test_of_two_loops_one_asks_pagerduty(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    stop = asyncio.Event()
    loops = [asyncio.create_task(one.loop.run(stop)) for one in (rig.one, rig.other)]
    await eventually(lambda: rig.messages("U0UMA") or None, "nobody was reminded")
    stop.set()
    await asyncio.wait_for(asyncio.gather(*loops), 5)
    assert rig.world.asked == 1


# ---------------------------------------------------------------------------------------- when an admin asks


async def test_remind_them_says_how_many_and_to_whom_not_and_why(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    rig.world.shifts += [OnCall(one, PRIMARY, 2) for one in (ALICE, GUS, STRAY)]
    outcome = await rig.one.asked()
    assert outcome.sent == ("Uma Ueda",)
    assert {one.name: one.why for one in outcome.not_sent} == {
        "Gus Guest": reminding.NOT_ALLOWED,
        "Nora Nowhere": reminding.NOT_IN_SLACK,
    }
    assert "Fri Oct 30, 09:00 (Europe/Berlin)" in rig.messages("U0UMA")[0].text


async def test_not_more_often_than_once_a_day(rig: Rig, database_url: str) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    both = await asyncio.gather(rig.one.asked(), rig.other.asked())
    assert sorted(len(outcome.sent) for outcome in both) == [0, 1]
    assert [one.why for outcome in both for one in outcome.not_sent] == [reminding.LATELY]
    async with AsyncExitStack() as stack:
        tomorrow = await replica(stack, rig.world, rig.slack, database_url, clock_offset=86_401)
        assert (await tomorrow.asked()).sent == ("Uma Ueda",)


async def test_who_was_asked_today_is_not_reminded_by_itself_too(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")
    await rig.one.asked()
    assert await rig.other.loop.once() == 0
    assert len(rig.messages("U0UMA")) == 1


async def test_slack_in_trouble_is_said_and_may_be_tried_again(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    rig.slack.fault("chat.postMessage", "rate_limit", count=1)
    assert [one.why for one in (await rig.one.asked()).not_sent] == [reminding.IN_TROUBLE]
    assert (await rig.one.asked()).sent == ("Uma Ueda",)


async def test_nothing_is_claimed_for_a_link_that_could_not_be_made(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-26T09:00")

    async def away(user: SlackUser, intent_id: int | None = None, *, seconds: float) -> Offered:
        raise StoreUnavailable("away")

    working, rig.world.offer = rig.world.offer, away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await rig.one.loop.once()
    rig.world.offer = working  # type: ignore[method-assign]
    assert await rig.one.loop.once() == 1


# ------------------------------------------------------------------------------------------------ the rotas


async def test_everybody_on_call_in_two_weeks_is_joined_with_their_link(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    rig.world.shift(STRAY, "2026-11-20T09:00")  # later than that
    rig.world.shift(BOB, "2026-10-20T09:00", 1)  # over
    rig.world.shifts.append(OnCall(ALICE, PRIMARY, 2))
    found = {
        one.person.name: (one.user and one.user.id, one.linked) for one in await rig.one.rotas.look(TEAM)
    }
    assert found == {"Alice Anderson": ("U0ALICE", True), "Uma Ueda": ("U0UMA", False)}


async def test_a_link_counts_before_an_email_address(rig: Rig) -> None:
    rig.world.shift(STRAY, "2026-10-30T09:00")
    rig.world.linked["PSTRAY9"] = "U0OLIVE"
    (stray,) = await rig.one.rotas.look(TEAM)
    assert (stray.user, stray.linked) == (SlackUser(TEAM, "U0OLIVE"), True)


async def test_matched_by_email_address_counts_as_linked_where_nobody_links(rig: Rig) -> None:
    rig.world.shift(UMA, "2026-10-30T09:00")
    rig.world.shifts.append(OnCall(STRAY, PRIMARY, 2))

    async def nobody_links(team_id: str) -> None:
        return None

    by_email = Rotas(rig.world, rig.world, nobody_links, lambda: rig.world.now)
    assert [(one.person.name, one.linked) for one in await by_email.look(TEAM)] == [
        ("Nora Nowhere", False),
        ("Uma Ueda", True),
    ]
