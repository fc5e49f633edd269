"""A second workspace installs the bot, works beside the first, goes and comes back; nothing crosses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Select, select

from bot.sandbox.labs import TEAM
from bot.sandbox.slack.installing import Organisation
from bot.sandbox.visitor import Visitor
from bot.store.database import Database
from bot.store.people_tables import people, workspaces
from bot.store.tables import messages
from tests.stories.office import InProcess, settled
from tests.stories.two_workspaces import TwoOffices, two_offices
from tests.stories.waiting import until, until_async


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[TwoOffices]:
    async with two_offices(database_url) as office:
        yield office


@pytest.fixture
async def office(empty: TwoOffices) -> AsyncIterator[TwoOffices]:
    """With a bot; #checkout of Acme follows Checkout, and nobody has installed anything."""
    async with InProcess(empty):
        await empty.carol.asks("subscribe Checkout", empty.checkout, "Checkout")
        yield empty


async def test_a_second_workspace_installs_the_bot_and_its_people_act_as_themselves(
    office: TwoOffices,
) -> None:
    assert "Installed Workspace Acme Labs" in await office.install()
    await office.invite_to_robots()
    await office.robots.expect_message("Hello")
    await office.lab_bob.asks("subscribe Checkout", office.robots, "Checkout")
    incident = await office.trigger("Disk full")
    at_acme = await office.checkout.expect_message("Disk full")
    at_labs = await office.robots.expect_message("Disk full")
    await at_labs.press("Acknowledge", by="U0ALICE")  # Bob, there
    await at_labs.expect("Acknowledged", "Bob Brown")
    await at_acme.expect("Acknowledged", "Bob Brown")
    (entry,) = [one for one in office.truth(incident).log if one.type == "acknowledge"]
    assert entry.agent is not None
    assert entry.agent.id == "PBOB002"
    await at_acme.press("Resolve", by="U0ALICE")  # Alice, here
    await at_acme.expect("Resolved", "Alice Anderson")
    await at_labs.expect("Resolved", "Alice Anderson")


async def test_who_somebody_is_depends_on_the_workspace(office: TwoOffices) -> None:
    await office.labs_are_set_up()
    await office.lab_bob.asks("whoami", office.robots, "bob@acme.example")
    await office.alice.asks("whoami", office.checkout, "alice@acme.example")
    incident = await office.trigger("Disk full")
    message = await office.robots.expect_message("Disk full")
    await message.answers("Acknowledge", "U0BOB", "dana@acme.example")  # Bob's id at Acme is Dana's at Labs
    await message.answers("Acknowledge", "U0CAROL", "Your PagerDuty role is Observer")
    assert office.truth(incident).status == "triggered"

    async def matched() -> set[tuple[str, str, str]]:
        rows = await _all(office, select(people.c.team_id, people.c.user_id, people.c.person_id))
        return {row for row in rows if row[1] == "U0ALICE"}

    async def both() -> bool:
        return await matched() == {("T0ACME", "U0ALICE", "PALICE1"), (TEAM, "U0ALICE", "PBOB002")}

    await until_async(both, "people are not matched in each workspace for itself")


async def test_what_one_workspace_follows_the_other_neither_sees_nor_changes(office: TwoOffices) -> None:
    await office.labs_are_set_up()
    await office.carol.asks("subscribe Search", office.checkout, "Search")
    told = await office.lab_bob.asks("subscriptions", office.robots, "Checkout")
    assert "Search" not in told.words
    await office.lab_bob.asks("unsubscribe checkout", office.robots, "no longer follows")
    await office.carol.asks("subscriptions", office.checkout, "Checkout")
    await office.labs.archive("C0CHECK")
    await office.labs.archive("C0CHECK", undo=True)
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await settled(office)
    assert office.robots.about("Disk full") == []
    await message.press("Acknowledge", by="U0ALICE")
    await message.expect("Acknowledged", "Alice Anderson")


async def test_a_form_opens_for_and_acts_as_whoever_asked_for_it(office: TwoOffices) -> None:
    await office.labs_are_set_up()
    await office.lab_bob.types("trigger Robots run wild", office.robots)
    await office.lab_bob.form()
    assert office.slack.views.top("U0ALICE") is None, "Alice asked for nothing"
    assert await office.lab_bob.is_offered("field:service", "checkou") == ["Checkout"]
    assert (await office.lab_bob.fills(service="PSVCCHK")).status == 200
    await office.robots.expect_private("U0ALICE", "Triggered")
    await office.robots.expect_message("Robots run wild")
    (first, *_) = office.find("Robots run wild").log
    assert first.agent is not None
    assert first.agent.id == "PBOB002"
    assert office.checkout.private("U0ALICE") == []


async def test_a_press_on_a_forged_copy_of_the_others_message_touches_nothing_there(
    office: TwoOffices,
) -> None:
    """The same channel id, the same ts, the same metadata: only the workspace tells them apart."""
    await office.labs_are_set_up()
    incident = await office.trigger("Disk full")
    at_acme = await office.checkout.expect_message("Disk full")
    at_labs = await office.robots.expect_message("Disk full")
    theirs, here = office.slack.workspace.channels["C0CHECK"], office.labs.workspace.channels["C0CHECK"]
    forged = replace(theirs.messages[at_acme.ts])
    here.add(forged)
    rows = select(messages.c.team_id, messages.c.ts).order_by(messages.c.team_id)
    known = [("T0ACME", at_acme.ts), (TEAM, at_labs.ts)]

    async def recorded() -> bool:
        return await _all(office, rows) == known

    await until_async(recorded, "the posts were not recorded")
    copy = next(one for one in office.robots.about("Disk full") if one.ts == at_acme.ts)
    await copy.press("Acknowledge", by="U0ALICE")
    await at_labs.expect("Acknowledged", "Bob Brown")
    await at_acme.expect("Acknowledged", "Bob Brown")
    assert at_acme.ts in theirs.messages
    assert at_acme.ts in here.messages, "it is no extra of ours: nobody deletes it"
    assert await recorded()
    (entry,) = [one for one in office.truth(incident).log if one.type == "acknowledge"]
    assert entry.agent is not None
    assert entry.agent.id == "PBOB002"
    office.labs_inspection.expects("doubles")
    here.discard(forged)


async def test_a_thread_means_its_incident_only_in_its_own_workspace(office: TwoOffices) -> None:
    await office.labs_are_set_up()
    await office.lab_bob.asks("unsubscribe checkout", office.robots, "no longer follows")
    await office.trigger("Disk full")
    await office.trigger("Disk slow")
    at_acme = await office.checkout.expect_message("Disk full")
    await office.checkout.expect_message("Disk slow")
    place = office.labs.workspace.channels["C0CHECK"]
    place.add(replace(office.slack.workspace.channels["C0CHECK"].messages[at_acme.ts], metadata=None))
    await office.lab_bob.mentions("ack", office.robots, thread_ts=at_acme.ts)
    await office.robots.expect_private("U0ALICE", "No incident is open here")
    assert office.find("Disk full").status == "triggered"


async def test_uninstalled_it_says_nothing_more_and_after_a_reinstall_it_goes_on(office: TwoOffices) -> None:
    await office.labs_are_set_up()
    await office.trigger("Disk full")
    message = await office.robots.expect_message("Disk full")
    await office.labs.uninstall()

    async def erased() -> bool:
        rows = await _all(office, select(workspaces).where(workspaces.c.team_id == TEAM))
        return rows[0].bot_token is None and rows[0].broken_since is not None

    await until_async(erased, "the token was not erased")
    calls = len(office.labs.journal.calls("chat.postMessage"))
    await office.trigger("Disk slow")
    await office.checkout.expect_message("Disk slow")
    office.pagerduty.act(office.find("Disk full").id, "resolve", by="PBOB002")
    await (await office.checkout.expect_message("Disk full")).expect("Resolved")
    assert len(office.labs.journal.calls("chat.postMessage")) == calls

    assert "200 Pagerline Installed" in await office.install()
    await office.invite_to_robots()
    await message.expect("Resolved")
    await office.robots.expect_message("Disk slow")
    await office.lab_bob.asks("subscriptions", office.robots, "Checkout")


async def test_old_news_of_an_uninstall_does_not_end_a_reinstall(office: TwoOffices) -> None:
    await office.labs_are_set_up()
    await office.labs.uninstall()
    await office.install()
    await office.labs.repeat("app_uninstalled")
    await office.invite_to_robots()
    await office.lab_bob.asks("subscriptions", office.robots, "Checkout")


async def test_a_stranger_workspace_is_turned_away_and_its_token_given_back(empty: TwoOffices) -> None:
    async with InProcess(empty, slack_workspaces=()):
        said = await empty.install()
        assert said.startswith("403")
        assert f"Ask whoever runs this bot to add {TEAM} to SLACK_WORKSPACES" in said
        assert empty.labs.tokens.dead == "token_revoked"
        answer = await empty.labs.command("U0ALICE", "C0CHECK", "list")
        assert "not connected to me" in answer.body
        stored = await _all(empty, select(workspaces.c.team_id))
        assert [row.team_id for row in stored] == ["T0ACME"]


async def test_without_a_token_in_the_settings_it_starts_and_waits_for_installs(empty: TwoOffices) -> None:
    async with InProcess(empty, slack_bot_token=None):
        async with Visitor() as somebody:
            await somebody.opens(f"{empty.bot_url}/health/ready")
            assert f"No workspace has installed me yet: open {empty.bot_url}/slack/install" in somebody.words
        await empty.labs_are_set_up()
        await empty.trigger("Disk full")
        await empty.robots.expect_message("Disk full")
        assert "not connected to me" in (await empty.slack.command("U0ALICE", "C0CHECK", "list")).body
    async with InProcess(empty, slack_bot_token=None):
        await empty.lab_bob.asks("subscriptions", empty.robots, "Checkout")


async def test_a_websocket_serves_both_workspaces(sqlite_url: str) -> None:
    async with two_offices(sqlite_url) as office, AsyncExitStack() as stack:
        token = SecretStr(office.slack.app_token)
        await stack.enter_async_context(InProcess(office, slack_app_token=token))
        await until(lambda: office.slack.delivery.sockets.connected, "no websocket was opened")
        await office.labs_are_set_up()
        await office.alice.asks("whoami", office.checkout, "alice@acme.example")
        await office.lab_bob.asks("whoami", office.robots, "bob@acme.example")


async def test_one_that_is_no_longer_named_is_no_longer_served(empty: TwoOffices) -> None:
    async with InProcess(empty):
        await empty.labs_are_set_up()
    async with InProcess(empty, slack_workspaces=()):
        answer = await empty.labs.command("U0ALICE", "C0CHECK", "list")
        assert "not connected to me" in answer.body
        await empty.alice.asks("list", empty.checkout, "")


async def test_installed_through_one_replica_it_is_served_by_the_others(postgresql_url: str) -> None:
    async with two_offices(postgresql_url) as office, InProcess(office) as first, InProcess(office):
        assert "Installed Workspace" in await office.install(bot_url=f"http://127.0.0.1:{first.port}")
        await office.invite_to_robots()  # tells the second
        await office.robots.expect_message("Hello")
        await office.lab_bob.asks("subscribe Checkout", office.robots, "Checkout")
        await office.labs.uninstall()

        async def unknown() -> bool:
            office.connect(first.port)
            return "not connected" in str((await office.labs.command("U0ALICE", "C0CHECK", "list")).body)

        await until_async(unknown, "the first replica was not told")


async def test_an_organisation_installs_it_once_for_all_its_workspaces(empty: TwoOffices) -> None:
    """What the fake knows of Enterprise Grid; docs/workspaces.md says what was never tried with Slack."""
    empty.slack.installing.found(Organisation("E0ACME", "Acme Group"))
    async with InProcess(empty, slack_bot_token=None, slack_workspaces=("E0ACME",)):
        assert "Installed Organisation Acme Group" in await empty.install("the whole of Acme Group")
        await empty.lab_bob.asks("whoami", empty.robots, "bob@acme.example")
        await empty.alice.asks("whoami", empty.checkout, "alice@acme.example")
        await empty.invite_to_robots()
        await empty.lab_bob.asks("subscribe Checkout", empty.robots, "Checkout")
        await empty.trigger("Disk full")
        await empty.robots.expect_message("Disk full")
        assert empty.checkout.about("Disk full") == []


async def _all(office: TwoOffices, query: Select[Any]) -> list[Any]:
    database = await Database.open(office.database_url)
    try:
        async with database.read() as connection:
            return list((await connection.execute(query)).all())
    finally:
        await database.close()
