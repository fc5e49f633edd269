"""Who may do what: settings before a handler runs, PagerDuty's own answer with one's own token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.command.intents import Recovery
from bot.model import Channel, SlackUser
from bot.store.intent_steps import NewIntent
from bot.store.people_tables import audit, intents
from tests.command.switchboard import Switchboard, switchboard
from tests.stories.slack_eyes import Place

Open = Callable[..., AbstractAsyncContextManager[Switchboard]]
NOBODY = "U0DANA"  # whom PagerDuty does not know


@pytest.fixture
def opened(sqlite_url: str) -> Open:
    return partial(switchboard, sqlite_url)


@pytest.fixture
async def linked(opened: Open) -> AsyncIterator[Switchboard]:
    async with opened(mode="oauth") as board:
        for user in ("U0ALICE", "U0BOB", "U0CAROL", "U0OLIVE"):
            await board.links.link(user)
        yield board


# ----------------------------------------------------------------------------------------- PagerDuty's answer


async def test_a_role_that_may_not_is_told_on_what_and_whom_to_ask(linked: Switchboard) -> None:
    incident = await linked.breaks("Disk full")
    said = await linked.types(f"resolve {incident.number}", by="U0OLIVE")
    assert "PagerDuty says your role on Checkout cannot resolve. Ask Alice Anderson, on call for it" in said
    assert linked.truth(incident).status == "triggered"
    assert linked.counted.commands[-1][2] == "pagerduty_refused"


async def test_a_role_on_a_team_counts_in_the_same_way(linked: Switchboard) -> None:
    incident = await linked.breaks("Disk full")
    linked.pagerduty.roles.set_on_team("PALICE1", "PTEAMPY", "observer")
    said = await linked.types(f"note {incident.number} Watching", by="U0ALICE")
    assert "your role on Checkout cannot add a note" in said
    assert "Alice Anderson, on call" not in said  # she is the one who asks
    assert "PagerDuty admin" in said


async def test_of_several_those_that_are_allowed_are_done(linked: Switchboard) -> None:
    mine = await linked.breaks("Disk full")
    other = await linked.breaks("Queue stuck", service="PSVCSEA")
    linked.pagerduty.roles.set_on_team("PALICE1", "PTEAMPY", "observer")
    said = await linked.types(f"ack {mine.number} {other.number}")
    assert "Your role on Checkout does not allow it" in said
    assert linked.truth(mine).status == "triggered"
    assert linked.truth(other).status == "acknowledged"


async def test_triggering_names_the_service(linked: Switchboard) -> None:
    said = await linked.types("trigger checkout Cards fail", by="U0OLIVE")
    assert "your role on Checkout cannot trigger an incident. Ask Alice Anderson" in said


# -------------------------------------------------------------------------------------------------- settings


async def test_subscribing_may_be_kept_to_some(opened: Open) -> None:
    async with opened(subscribers=("admins", "U0BOB"), admins=("U0CAROL",)) as board:
        for user, may in (("U0ALICE", False), ("U0BOB", True), ("U0CAROL", True)):
            for line in ("subscribe checkout", "unsubscribe checkout"):
                said = await board.types(line, by=user)
                assert ("SUBSCRIBERS" in said) is not may
        assert "nothing yet" in await board.types("subscriptions")


async def test_who_may_not_subscribe_gets_no_form(opened: Open) -> None:
    async with opened(subscribers=("U0BOB",), admins=()) as board:
        assert "SUBSCRIBERS" in await board.types("subscribe")
        assert board.slack.views.top("U0ALICE") is None


async def test_a_user_group_names_subscribers_and_admins(opened: Open) -> None:
    async with opened(subscribers=("S0ONCALL",), admins=("S0ONCALL",)) as board:
        [group] = [one for one in board.slack.workspace.usergroups.values() if one.id == "S0ONCALL"]
        group.users = ["U0BOB"]
        assert "SUBSCRIBERS" in await board.types("subscribe checkout")
        assert "follows" in await board.types("subscribe checkout", by="U0BOB")
        assert "team-links" in await board.types("help", by="U0BOB")


async def test_commands_for_admins_are_theirs_and_only_they_see_them(opened: Open) -> None:
    async with opened() as board:
        assert "ADMINS" in await board.types("team-links")
        assert "team-links" not in await board.types("help")
        assert "team-links" in await board.types("help", by="U0CAROL")


async def test_looking_things_up_may_be_kept_to_people_with_a_seat(opened: Open) -> None:
    async with opened(lookups=False) as board:
        assert "No PagerDuty user logs in" in await board.types("oncall checkout", by=NOBODY)
        assert "Alice Anderson" in await board.types("oncall checkout", by="U0BOB")
        assert "command" in await board.types("help", by=NOBODY)
    async with opened() as board:
        assert "Alice Anderson" in await board.types("oncall checkout", by=NOBODY)


async def test_with_a_seat_and_no_link_looking_needs_none(opened: Open) -> None:
    async with opened(mode="oauth", lookups=False) as board:
        assert "Alice Anderson" in await board.types("oncall checkout", by="U0BOB")
        assert "not linked" in await board.types("oncall checkout", by=NOBODY)


# --------------------------------------------------------------------------------- triggering without a seat


@pytest.mark.parametrize("mode", ["email", "oauth"])
async def test_without_a_seat_an_event_is_sent_and_the_incident_told(opened: Open, mode: str) -> None:
    async with opened(trigger=True, mode=mode) as board:
        told = await board.types("trigger checkout Cards fail", by=NOBODY)
        taken, made = (told.index(words) for words in ("took in", "#1"))
        assert taken < made
        [incident] = board.pagerduty.state.incidents.values()
        assert incident.title == "Cards fail"
        assert "U0DANA" in str(incident.alerts[0].details)
        async with board.database.read() as connection:
            [row] = (await connection.execute(select(audit))).all()
        assert (row.identity, row.person_id, row.outcome, row.status) == ("events", None, "done", 202)


async def test_asked_twice_by_slack_it_is_one_alert(opened: Open) -> None:
    async with opened(trigger=True) as board:
        board.pagerduty.outage("drop_after", paths=["/v2/enqueue"], count=1)
        await board.types("trigger checkout Cards fail", by=NOBODY)
        assert len(board.pagerduty.state.incidents) == 1


async def test_killed_after_the_event_was_sent_it_is_told_and_not_sent_again(opened: Open) -> None:
    async with opened(trigger=True) as board:
        await board.types("trigger checkout Cards fail", by=NOBODY)
        async with board.database.write() as connection:  # as if nobody had come to write down the end
            lapsed = {"state": "started", "holder": "dead", "lease_until": 0.0}
            await connection.execute(update(intents).values(lapsed))
        await Recovery(board.runner).round()
        await board.settle()
        assert "It was done" in board.newest(NOBODY).text
        assert len(board.pagerduty.state.incidents) == 1


@pytest.mark.parametrize("mode", ["email", "oauth"])
async def test_by_default_nobody_triggers_without_a_seat(opened: Open, mode: str) -> None:
    async with opened(mode=mode) as board:
        said = await board.types("trigger checkout Cards fail", by=NOBODY)
        assert "No PagerDuty user logs in" in said or "not linked" in said
        assert not board.pagerduty.state.incidents


async def test_with_a_seat_one_triggers_as_oneself(opened: Open) -> None:
    async with opened(mode="oauth", trigger=True) as board:
        assert "not linked" in await board.types("trigger checkout Cards fail", by="U0BOB")
        assert not board.pagerduty.state.incidents


async def test_nothing_else_is_done_without_a_seat(opened: Open) -> None:
    async with opened(trigger=True) as board:
        incident = await board.breaks("Disk full")
        assert "No PagerDuty user logs in" in await board.types(f"ack {incident.number}", by=NOBODY)


async def test_who_is_not_answered_reads_no_incident_by_any_verb(opened: Open) -> None:
    async with opened() as board:
        incident = await board.breaks("Secret outage")
        for line in ("list", "show", "more", "notes", "oncall", "share oncall"):
            said = await board.types(f"{line} {incident.number}", by="U0STRANG")
            assert "another organisation" in said
            assert board.slack.views.top("U0STRANG") is None
            assert "Secret" not in said


async def test_nor_by_an_act_that_a_crash_left_behind(opened: Open) -> None:
    async with opened() as board:
        incident = await board.breaks("Secret outage")
        for user in ("U0STRANG", "U0GUEST", "U0ALICE"):
            new = NewIntent(
                key=f"slash:{user}",
                user=SlackUser("T0ACME", user),
                surface="slash",
                verb="ack",
                words=f"ack {incident.number}",
                channel_id="C0CHECK",
            )
            assert await board.services.intents.store(new)
        async with board.database.write() as connection:  # as if nobody had come to run them in time
            await connection.execute(update(intents).values(holder="dead", lease_until=0.0, expires_at=0.0))
        await Recovery(board.runner).round()
        await board.settle()
        told = {user: board.newest(user).words for user in ("U0STRANG", "U0GUEST", "U0ALICE")}
        assert all("not done" in words for words in told.values())
        assert [user for user, words in told.items() if "Secret" in words] == ["U0ALICE"]


async def test_nor_by_being_asked_to_link(opened: Open) -> None:
    async with opened(mode="oauth", lookups=False) as board:
        incident = await board.breaks("Secret outage")
        assert "Secret" not in await board.types(f"ack {incident.number}", by=NOBODY)
        assert "Secret" in await board.types(f"ack {incident.number}", by="U0BOB")


# ------------------------------------------------------------------------------------------ private channels


async def test_what_a_private_channel_follows_is_shown_only_inside_it(opened: Open) -> None:
    async with opened() as board:
        private = next(one.id for one in board.slack.workspace.channels.values() if one.kind == "private")
        await board.follows(private, "PSVCCHK")
        secret = await board.subscriptions.of_channel(Channel("T0ACME", private))
        assert len(secret) == 1
        lines = ("subscriptions", "unsubscribe", "unsubscribe checkout", "oncall", "list", "help", "whoami")
        for line in lines:
            assert private not in await board.types(line)
            assert "Unsubscribe" not in board.newest().buttons
        assert "follows nothing" in await board.types("subscriptions")
        direct: Any = board.slack.workspace.direct_messages("U0ALICE")
        await board.alice.writes("subscriptions", Place(board.slack, direct.id))
        await board.settle()
        assert "Checkout" not in Place(board.slack, direct.id).messages()[-1].words
        assert await board.subscriptions.of_channel(Channel("T0ACME", private)) == secret
