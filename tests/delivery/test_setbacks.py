"""What Slack refuses: deleted messages, closed channels, dead tokens, content; and what becomes of each."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.command.coming_and_going import ComingAndGoing
from bot.model import Channel
from bot.render.incident import render_incident
from bot.sandbox.slack.journal import Exchange
from bot.slack.client import Slack
from bot.slack.workspaces import Workspaces
from bot.store.installs import Install, Installs
from bot.store.sealing import Sealer
from tests.delivery.office import BUTTONS, Office, words
from tests.store.seeding import CHECKOUT, SEARCH, a_line, acknowledged, an_incident, resolved
from tests.stories.waiting import until, until_async


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: what is told here is Slack's part (tests/store has the other)."""
    return sqlite_url


class TestDeletedByAPerson:
    async def test_it_is_posted_again_once(self, office: Office) -> None:
        await office.has(an_incident())
        await office.delivery.drain()
        await office.fake.delete_message(CHECKOUT.id, office.standing()[0].ts)
        await office.becomes(acknowledged(an_incident()))
        await office.delivery.drain()
        (again,) = office.standing()
        assert "Acknowledged" in words(again)

        await office.fake.delete_message(CHECKOUT.id, again.ts)
        await office.becomes(an_incident())
        await office.delivery.drain()
        await office.becomes(acknowledged(an_incident()))
        await office.delivery.drain()
        assert office.standing() == []
        assert len(office.calls("chat.postMessage")) == 2

    async def test_not_when_it_is_over(self, office: Office) -> None:
        await office.has(an_incident())
        await office.delivery.drain()
        await office.fake.delete_message(CHECKOUT.id, office.standing()[0].ts)
        await office.becomes(resolved(an_incident()))
        await office.delivery.drain()
        assert office.standing() == []
        await office.becomes(an_incident())  # reopened: now it matters again
        await office.delivery.drain()
        assert len(office.standing()) == 1

    async def test_not_when_it_is_over_before_slack_takes_it(self, office: Office) -> None:
        await office.has(an_incident())
        await office.delivery.drain()
        await office.fake.delete_message(CHECKOUT.id, office.standing()[0].ts)
        office.fake.fault("chat.postMessage", "error", error="some_new_rule", count=99)
        await office.becomes(acknowledged(an_incident()))
        await office.delivery.drain()
        assert len(office.calls("chat.postMessage")) > 1
        office.fake.faults.clear()
        await office.becomes(resolved(an_incident()))
        office.database.clock_offset += 60
        await office.delivery.drain()
        assert office.standing() == []
        await office.becomes(an_incident())  # reopened: now it matters again
        await office.delivery.drain()
        assert len(office.standing()) == 1

    async def test_its_lines_follow_it(self, office: Office) -> None:
        row = await office.has(an_incident())
        await office.delivery.drain()
        await office.fake.delete_message(CHECKOUT.id, office.standing()[0].ts)
        await office.seed.line(row, a_line())
        await office.delivery.drain()
        (again,) = office.standing()
        assert [line.text.split()[0] for line in office.thread(again.ts)] == ["Reopened"]


class TestAClosedChannel:
    @pytest.mark.parametrize("how", ["archived", "removed"])
    async def test_its_subscribers_are_told_once_and_it_goes_on_afterwards(
        self, running: Office, how: str
    ) -> None:
        await running.follows(CHECKOUT, made_by="U0ALICE")
        await running.has(an_incident("Q1"))
        message = await running.first()
        await (running.fake.archive if how == "archived" else running.fake.kick)(CHECKOUT.id)
        await running.becomes(acknowledged(an_incident("Q1")))
        told = await until(lambda: running.direct("U0ALICE") or None, "nobody was told")
        assert f"<#{CHECKOUT.id}>" in words(told[0])
        assert ("archived" if how == "archived" else "not a member") in words(told[0])
        (broken,) = await running.subscriptions.of_channel(CHECKOUT)
        assert broken.broken_since is not None

        await running.has(an_incident("Q2"))
        await running.has(an_incident("Q3"), SEARCH)
        await running.first(SEARCH)
        assert len(running.direct("U0ALICE")) == 1
        assert "Acknowledged" not in words(message)

        if how == "archived":
            await running.fake.archive(CHECKOUT.id, undo=True)
        else:
            await running.fake.invite(CHECKOUT.id)
        await running.subscriptions.mend(CHECKOUT)
        running.delivery.look_at_everything()
        await until(lambda: "Acknowledged" in words(message), "it did not go on")
        # All three: the channel follows everything, so what is in the other channel came to match meanwhile.
        await until(lambda: len(running.standing()) == 3, "what was missed did not come")
        (mended,) = await running.subscriptions.of_channel(CHECKOUT)
        assert mended.broken_since is None

    async def test_a_lost_invitation_is_noticed(self, running: Office) -> None:
        general = Channel(CHECKOUT.team_id, "C0GENERAL")
        await running.follows(general)
        await running.has(an_incident(), general)
        await until(lambda: bool(running.direct("U0ALICE")), "nobody was told")
        running.fake.workspace.channels[general.id].members.append("U0PAGER")
        await running.first(general)

    async def test_where_posting_is_restricted_it_is_tried_again_and_told_once(self, running: Office) -> None:
        await running.follows(CHECKOUT, made_by="U0ALICE")
        running.fake.fault(
            "chat.postMessage", "error", error="restricted_action", channel=CHECKOUT.id, count=10_000
        )
        await running.has(an_incident())
        await until(lambda: bool(running.direct("U0ALICE")), "nobody was told")
        await until(lambda: len(_refused(running)) > 3, "it was not tried again")
        assert len(running.direct("U0ALICE")) == 1

        running.fake.faults.clear()
        await running.first()
        running.fake.fault(
            "chat.postMessage", "error", error="restricted_action", channel=CHECKOUT.id, count=10_000
        )
        await running.has(an_incident("Q2"))
        await until(lambda: len(running.direct("U0ALICE")) == 2, "nobody was told of the second time")
        tried = len(_refused(running))
        await until(lambda: len(_refused(running)) > tried + 3, "it was not tried again")
        assert len(running.direct("U0ALICE")) == 2

    async def test_a_restart_does_not_tell_of_the_same_restriction_again(self, office: Office) -> None:
        await office.follows(CHECKOUT, made_by="U0ALICE")
        office.fake.fault(
            "chat.postMessage", "error", error="restricted_action", channel=CHECKOUT.id, count=10_000
        )
        await office.has(an_incident())
        await office.delivery.drain()
        for _ in range(2):
            assert await office.messages.closed_channels() == [CHECKOUT]
            tried = len(_refused(office))
            await (await _started(office)).look()
            await office.delivery.drain()
            assert len(_refused(office)) > tried, "the start did not have it tried again"
        assert len(office.direct("U0ALICE")) == 1

    async def test_a_maker_who_cannot_be_told_stops_nothing(self, running: Office) -> None:
        general = Channel(CHECKOUT.team_id, "C0GENERAL")
        await running.follows(general, made_by="U0NOBODY")
        await running.has(an_incident("Q1"), general)
        await running.has(an_incident("Q2"), CHECKOUT)
        await running.first(CHECKOUT)

        async def closed() -> bool:
            return await running.messages.closed_channels() == [general]

        await until_async(closed, "the channel was not closed")


class TestABadToken:
    async def test_delivery_stops_says_so_and_goes_on_when_it_works_again(self, running: Office) -> None:
        running.fake.token(dead="token_revoked")
        await running.has(an_incident("Q1"))
        (problem,) = await until(lambda: running.delivery.health() or None, "health is silent")
        assert "token_revoked" in problem
        assert "reinstall the app there" in problem
        await running.has(an_incident("Q2"))
        tries = len(running.calls("chat.postMessage"))
        running.fake.token(dead=None)
        await until(lambda: len(running.standing()) == 2, "it did not go on")
        assert running.delivery.health() == []
        assert tries == 1


class TestRefusedContent:
    async def test_the_incident_is_shown_plainly(self, office: Office) -> None:
        office.fake.fault("chat.postMessage", "error", error="invalid_blocks")
        await office.has(an_incident())
        await office.delivery.drain()
        (message,) = office.standing()
        assert message.blocks == []
        assert message.text == render_incident(an_incident(), BUTTONS).text

        office.fake.fault("chat.update", "error", error="msg_blocks_too_long")
        await office.becomes(acknowledged(an_incident()))
        await office.delivery.drain()
        assert "cknowledged" in message.text
        await office.becomes(resolved(an_incident()))
        await office.delivery.drain()
        assert message.blocks != []

    async def test_what_is_refused_altogether_waits_and_stops_nothing(self, office: Office) -> None:
        # More often than it is tried while a busy machine drains the other channel.
        office.fake.fault("chat.postMessage", "error", error="some_new_rule", channel=CHECKOUT.id, count=99)
        row = await office.has(an_incident("Q1"), CHECKOUT)
        await office.has(an_incident("Q2"), SEARCH)
        await office.delivery.drain()
        assert len(office.standing(SEARCH)) == 1
        assert (await office.seed.row(row)).next_try_at is not None
        office.fake.faults.clear()
        await until_async(lambda: _due_again(office), "it is never tried again")
        await office.delivery.drain()
        assert len(office.standing(CHECKOUT)) == 1

    async def test_a_line_that_is_always_refused_does_not_keep_back_the_next(self, office: Office) -> None:
        row = await office.has(an_incident())
        await office.delivery.drain()
        office.fake.fault("chat.postMessage", "error", error="some_new_rule")
        await office.seed.line(row, a_line("reopened"), tries=8)
        await office.seed.line(row, a_line("escalated"))
        await office.delivery.drain()
        (line,) = office.thread(office.standing()[0].ts)
        assert line.text.startswith("Escalated")


async def _started(office: Office) -> ComingAndGoing:
    """What a process begins with that finds the workspace installed."""
    installs = Installs(office.database, Sealer([Fernet.generate_key().decode()]), welcome={CHECKOUT.team_id})
    await installs.save(
        Install(
            CHECKOUT.team_id, "Acme", SecretStr(office.fake.bot_token), bot_user_id="U0PAGER", bot_id="B0"
        )
    )

    def connect(team_id: str, token: SecretStr, *, by_organisation: bool = False) -> Slack:
        return office.slack

    async def wait(seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return False

    return ComingAndGoing(
        Workspaces(installed=installs, connect=connect),
        installs,
        office.subscriptions,
        connect=connect,
        closed_channels=office.messages.closed_channels,
        hint=office.delivery.look_at_everything,
        wait=wait,
        changed=office.delivery.look_at_everything,
        install_url="",
    )


def _refused(office: Office) -> list[Exchange]:
    posts = office.calls("chat.postMessage")
    return [one for one in posts if "restricted_action" in str(one.as_json())]


async def _due_again(office: Office) -> bool:
    return bool(await office.messages.due(0))


async def test_slack_away_costs_nothing_but_time(office: Office) -> None:
    office.fake.fault("chat.postMessage", "error", error="service_unavailable", count=3)
    await office.has(an_incident())
    await office.delivery.drain()
    assert len(office.standing()) == 1
    assert office.calls("conversations.history") == []


async def test_a_workspace_we_are_not_in_is_left_alone(office: Office) -> None:
    elsewhere = Channel("T0OTHER", "C0THEIRS")
    await office.seed.incident(an_incident())
    await office.seed.message("Q1", elsewhere)
    await office.delivery.drain()
    assert office.fake.workspace.posted == []
