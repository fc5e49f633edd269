"""Whoever is not linked loses nothing: what they ask for is kept, and done as them once they have linked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.command.intents import Recovery
from bot.command.parked import Parked
from bot.command.run import Runner
from bot.command.tasks import TrackedTasks
from bot.model import SlackUser
from bot.store.intent_steps import NewIntent
from bot.store.intents import Intents
from bot.store.people_tables import audit, intents
from tests.command.linked import ASKED
from tests.command.switchboard import Switchboard, switchboard

BUTTON = "Link my PagerDuty account"


@pytest.fixture
async def board(database_url: str) -> AsyncIterator[Switchboard]:
    async with switchboard(database_url, mode="oauth") as opened:
        yield opened


async def links(board: Switchboard, user: str = "U0ALICE", **options: Any) -> None:
    await board.links.link_and_tell(board.runner, user, **options)


def replica(board: Switchboard, holder: str) -> Runner:
    """Another process on the same database."""
    known = {name: getattr(board.services, name) for name in board.services.__slots__}
    store = board.services.intents
    known["intents"] = Intents(board.database, store._batcher, store._sealer, holder=holder)
    return Runner(type(board.services)(**known), TrackedTasks())


async def rows(board: Switchboard, table: Any = intents) -> list[Any]:
    async with board.database.read() as connection:
        return list((await connection.execute(select(table).order_by(table.c.id))).all())


async def later(board: Switchboard, seconds: float) -> None:
    """Let time pass for what is kept, and for the leases."""
    async with board.database.write() as connection:
        await connection.execute(
            update(intents).values(
                expires_at=intents.c.expires_at - seconds, lease_until=intents.c.lease_until - seconds
            )
        )


async def recover(board: Switchboard, runner: Runner | None = None) -> None:
    runner = runner or board.runner
    await Recovery(runner).round()
    await runner.tasks.settle()


def agent(board: Switchboard, incident: Any) -> str:
    """By whom the last entry of its history was."""
    by = board.truth(incident).log[-1].agent
    assert by is not None
    return str(by.id)


async def test_a_press_is_kept_and_done_as_whoever_linked(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"show {incident.number}")
    await board.newest().press("Acknowledge", by="U0ALICE")
    await board.settle()
    asked = board.newest()
    assert "not linked" in asked.words
    assert "15 minutes" in asked.words
    assert "Disk full" in asked.words
    assert asked.buttons == [BUTTON]
    assert board.truth(incident).status == "triggered"
    assert board.counted.commands[-1] == ("ack", "button", "not_linked")
    await links(board)
    assert board.truth(incident).status == "acknowledged"
    assert agent(board, incident) == "PALICE1"
    assert "Acknowledged" in board.newest().text
    assert [row.state for row in await rows(board)] == ["done"]


async def test_the_button_opens_the_page_for_this_person_and_this_act(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}", by="U0BOB")
    [(user, intent_id)] = board.links.offers.made
    [kept] = await rows(board)
    assert (user.id, intent_id) == ("U0BOB", kept.id)
    block = next(one for one in board.newest("U0BOB")._message.blocks if one["type"] == "actions")
    [button] = block["elements"]
    assert (button["url"], button["value"]) == (
        "https://pager.example.com/pagerduty/link?ticket=ticket-1",
        "ticket-1",
    )


async def test_while_it_waits_the_reply_address_is_sealed_and_nobody_holds_it(board: Switchboard) -> None:
    await board.breaks("Disk full")
    await board.types("ack")
    [kept] = await rows(board)
    assert (kept.state, kept.holder, kept.lease_until) == ("linking", None, None)
    assert kept.response_url
    assert "http" not in kept.response_url
    await recover(board)
    assert [row.state for row in await rows(board)] == ["linking"]
    assert await rows(board, audit) == []


async def test_a_typed_line_a_mention_and_a_form_are_kept_too(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}")
    await board.alice.mentions(f"note {incident.number} Seen by mention", board.checkout)
    await board.settle()
    await board.types(f"note {incident.number}")
    await board.alice.fills(text="Written in a form,\nin two lines")
    await board.settle()
    assert board.truth(incident).status == "triggered"
    assert [row.surface for row in await rows(board) if row.state == "linking"] == [
        "slash",
        "mention",
        "form",
    ]
    await links(board)
    assert board.truth(incident).status == "acknowledged"
    assert [note.content for note in board.truth(incident).notes] == [
        "Seen by mention",
        "Written in a form,\nin two lines",
    ]
    assert board.checkout.messages()[-1].text != ""


async def test_two_are_done_in_the_order_they_were_asked_for(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"note {incident.number} first")
    await board.types(f"note {incident.number} second")
    await board.types(f"ack {incident.number}", by="U0BOB")
    await links(board)
    assert [note.content for note in board.truth(incident).notes] == ["first", "second"]
    assert board.truth(incident).status == "triggered"  # that is Bob's, who is not linked


async def test_replicas_do_it_once_whoever_hears_of_the_link(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"note {incident.number} once")
    others = [replica(board, name) for name in ("one", "two", "three")]
    await board.links.link("U0ALICE")
    await asyncio.gather(*(Parked(one).run_released() for one in others), recover(board))
    for one in others:
        await one.tasks.settle()
    assert [note.content for note in board.truth(incident).notes] == ["once"]
    assert [row.outcome for row in await rows(board, audit)] == ["done"]


async def test_a_lost_hint_is_made_up_for(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}")
    await board.links.link("U0ALICE")  # and the process died before it could say so
    await recover(board, replica(board, "another"))
    assert board.truth(incident).status == "acknowledged"


async def test_killed_between_release_and_run_it_is_run_by_another(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}")
    await board.links.link("U0ALICE")
    dead = replica(board, "dead")
    assert len(await dead.services.intents.release_linked()) == 1
    await recover(board)
    assert board.truth(incident).status == "triggered"  # the lease holds
    await later(board, 30)
    await recover(board)
    assert board.truth(incident).status == "acknowledged"
    assert [row.state for row in await rows(board)] == ["done"]


async def test_after_a_quarter_of_an_hour_it_is_told_and_can_be_done_now(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}")
    await later(board, 890)
    await recover(board)
    assert [row.state for row in await rows(board)] == ["linking"]
    await later(board, 20)
    await asyncio.gather(recover(board), recover(board, replica(board, "another")))
    told = [one for one in board.checkout.private("U0ALICE") if "waited 15 minutes" in one.words]
    assert len(told) == 1
    assert "Disk full" in told[0].words
    assert [row.state for row in await rows(board)] == ["expired"]
    await links(board)
    assert board.truth(incident).status == "triggered"
    await told[0].press("Do it now", by="U0ALICE")
    await board.settle()
    assert board.truth(incident).status == "acknowledged"


async def test_what_a_form_held_is_not_lost_when_it_expires(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"note {incident.number}")
    await board.alice.fills(text="A long story\nof two lines")
    await board.settle()
    await later(board, 910)
    await recover(board)
    await links(board)
    await board.newest().press("Do it now", by="U0ALICE")
    await board.settle()
    assert [note.content for note in board.truth(incident).notes] == ["A long story\nof two lines"]


async def test_when_the_world_moved_on_the_answer_says_so(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}")
    board.pagerduty.act(incident.id, "resolve", by="PBOB002")
    await links(board)
    assert "resolved already" in board.newest().words
    assert board.truth(incident).status == "resolved"


async def test_a_scope_that_was_not_granted_is_named_and_the_next_link_completes(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.links.link("U0ALICE", scopes=ASKED - {"incidents.write"})
    said = await board.types(f"ack {incident.number}")
    assert "the scope incidents.write was not granted" in said
    await recover(board)  # that link is older than what was asked for
    assert [row.state for row in await rows(board)] == ["linking"]
    await links(board)
    assert board.truth(incident).status == "acknowledged"


async def test_a_second_link_that_is_not_enough_does_not_go_round_for_ever(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}")
    await links(board, scopes=ASKED - {"incidents.write"})
    said = board.newest()
    assert "incidents.write was not granted" in said.words
    assert said.buttons == [BUTTON]
    assert "15 minutes" not in said.words
    assert [row.state for row in await rows(board)] == ["failed"]


async def test_a_link_that_ended_says_so_and_the_click_is_kept(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.links.link("U0ALICE")
    board.pagerduty.oauth.revoke_all_of("PALICE1")
    said = await board.types(f"ack {incident.number}")
    assert "has ended" in said
    assert [row.state for row in await rows(board)] == ["linking"]
    assert [row.outcome for row in await rows(board, audit)] == ["not_linked"]
    await links(board)
    assert board.truth(incident).status == "acknowledged"
    assert [row.outcome for row in await rows(board, audit)] == ["not_linked", "done"]


async def test_killed_before_the_button_was_seen_it_is_offered_by_another(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    new = NewIntent(
        key="slash:1",
        user=SlackUser("T0ACME", "U0ALICE"),
        surface="slash",
        verb="ack",
        words=f"ack {incident.number}",
        channel_id="C0CHECK",
    )
    assert await replica(board, "dead").services.intents.store(new)
    await later(board, 30)
    await recover(board)
    assert board.newest().buttons == [BUTTON]
    assert [row.state for row in await rows(board)] == ["linking"]


async def test_reading_needs_no_link_and_what_is_yours_offers_one(board: Switchboard) -> None:
    await board.breaks("Disk full")
    assert "Disk full" in await board.types("list")
    assert "not linked" in await board.types("list mine")
    assert board.newest().buttons == [BUTTON]
    assert await rows(board) == []


async def test_acts_warm_ask_pagerduty_for_nothing_but_the_act(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await links(board)
    await board.types(f"note {incident.number} first")
    board.calls()
    await board.types(f"note {incident.number} second")
    assert board.calls() == [f"POST /incidents/{incident.id}/notes"]


async def test_the_record_names_the_person_and_their_own_token(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await links(board, "U0BOB")
    await board.types(f"ack {incident.number}", by="U0BOB")
    [row] = await rows(board, audit)
    assert (row.person_id, row.identity, row.outcome) == ("PBOB002", "oauth", "done")
