"""Who is who, kept up to date."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from bot.command.people import PeopleSync, matched
from bot.model import Person, SlackProfile, SlackUser
from bot.slack.client import Slack
from bot.slack.connection import open_session
from bot.slack.failures import TokenBad
from bot.slack.workspaces import Workspaces
from bot.store.people import People
from tests.command.switchboard import Switchboard
from tests.stories.waiting import until


def profile(ident: str, email: str | None, **more: bool) -> SlackProfile:
    return SlackProfile(SlackUser("T0ACME", ident), ident.lower(), email, **more)  # type: ignore[arg-type]


def test_the_same_address_in_both_is_one_person() -> None:
    people = [
        Person("P1", "One", "One@acme.example"),
        Person("P2", "Two", "two@acme.example"),
        Person("P3", "X"),
    ]
    profiles = [
        profile("U1", "one@ACME.example"),
        profile("U2", None),
        profile("U3", "three@acme.example"),
        profile("U4", "two@acme.example", is_bot=True),
        profile("U5", "two@acme.example", is_deleted=True),
        profile("U6", "two@acme.example", is_stranger=True),
        profile("U7", "two@acme.example", email_confirmed=False),
    ]
    assert [(one.user.id, one.person_id) for one in matched(people, profiles)] == [("U1", "P1")]


async def nobody_is(_team_id: str) -> None:
    """Is linked."""


async def test_whoever_is_linked_is_who_they_linked_as(board: Switchboard) -> None:
    people = People(board.database)

    async def linked_in(_team_id: str) -> dict[str, str]:
        return {"PBOB002": "U0ALICE", "PGONE00": "U0CAROL"}

    await PeopleSync(board.directory, board.workspaces, people, linked_in).once()
    found = await people.slack_ids("T0ACME", ["PALICE1", "PBOB002", "PCAROL3"])
    assert found == {"PBOB002": "U0ALICE", "PCAROL3": "U0CAROL"}


async def test_everybody_known_in_both_is_found(board: Switchboard) -> None:
    people = People(board.database)
    sync = PeopleSync(board.directory, board.workspaces, people, nobody_is)
    assert await sync.once() == 6
    found = await people.slack_ids("T0ACME", ["PALICE1", "PBOB002", "PCAROL3"])
    assert found == {"PALICE1": "U0ALICE", "PBOB002": "U0BOB", "PCAROL3": "U0CAROL"}


async def test_it_survives_an_outage_and_stops_when_told(board: Switchboard) -> None:
    board.slack.fault("users.list", "error", error="fatal_error", count=3)
    stop = asyncio.Event()
    sync = PeopleSync(board.directory, board.workspaces, People(board.database), nobody_is)
    running = asyncio.create_task(sync.run(stop))
    await until(lambda: list(board.slack.journal) or None, "Slack was not asked")
    stop.set()
    await asyncio.wait_for(running, 30)


async def test_one_workspace_that_cannot_be_asked_does_not_keep_the_others_waiting(
    board: Switchboard,
) -> None:
    people = People(board.database)
    async with open_session(1.0) as session:
        api = f"{board.slack.acting.origin}/api/"
        nobody = Slack(session, SecretStr("xoxb-none"), base_url=api, team_id="T0AWAY")
        workspaces = Workspaces([nobody, *board.workspaces.all()])
        with pytest.raises(TokenBad):
            await PeopleSync(board.directory, workspaces, people, nobody_is).once()
    assert await people.slack_ids("T0ACME", ["PALICE1"]) == {"PALICE1": "U0ALICE"}


async def test_a_new_workspace_does_not_wait_for_the_hour_to_pass(board: Switchboard) -> None:
    stop = asyncio.Event()
    sync = PeopleSync(board.directory, board.workspaces, People(board.database), nobody_is)
    running = asyncio.create_task(sync.run(stop))
    await until(lambda: len(board.slack.journal.calls("users.list")) == 1, "Slack was not asked")
    sync.hurry()
    await until(lambda: len(board.slack.journal.calls("users.list")) == 2, "Slack was not asked again")
    stop.set()
    await asyncio.wait_for(running, 30)
