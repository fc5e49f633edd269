"""Acts that were accepted and not finished: run, looked up, or told; never done twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.command.intents import Recovery
from bot.command.request import Request, Surface
from bot.command.run import Runner
from bot.command.services import Services
from bot.command.tasks import TrackedTasks
from bot.model import SlackUser
from bot.sandbox.pagerduty.faults import Fault
from bot.store.audit import Entry
from bot.store.batcher import Batcher
from bot.store.intent_steps import Intent, NewIntent
from bot.store.intents import Intents
from bot.store.people_tables import audit, intents
from tests.command.switchboard import Switchboard
from tests.stories.waiting import until

ALICE = SlackUser("T0ACME", "U0ALICE")


def dead_process(board: Switchboard) -> Intents:
    """The intents of a process that is gone."""
    sealer = board.services.intents._sealer
    return Intents(board.database, Batcher(board.database), sealer, holder="dead")


async def accepted(
    board: Switchboard,
    line: str,
    *,
    started: bool = False,
    age: float = 30,
    fields: Mapping[str, str] | None = None,
) -> Intent:
    """An act the dead process took, `age` seconds ago, and perhaps began."""
    verb = line.partition(" ")[0]
    new = NewIntent(
        key=f"slash:{line}",
        user=ALICE,
        surface="slash",
        verb=verb,
        words=line,
        channel_id="C0CHECK",
        fields=fields,
    )
    store = dead_process(board)
    intent = await store.store(new)
    assert intent is not None
    if started:
        entry = Entry(
            intent_id=intent.id,
            team_id="T0ACME",
            user_id="U0ALICE",
            person_id="PALICE1",
            identity="email",
            surface="slash",
            channel_id="C0CHECK",
            verb=verb,
            words=line,
        )
        assert await store.start(intent, entry)
    async with board.database.write() as connection:
        await connection.execute(
            update(intents).values(
                lease_until=intents.c.lease_until - age, expires_at=intents.c.expires_at - age
            )
        )
    return intent


async def recover(board: Switchboard) -> int:
    taken = await Recovery(board.runner).round()
    await board.settle()
    return taken


async def state_of(board: Switchboard, intent: Intent) -> str | None:
    return await board.services.intents.state_of(intent.new.key)


async def recorded(board: Switchboard) -> Any:
    """The one act on record."""
    async with board.database.read() as connection:
        return (await connection.execute(select(audit))).one()


async def test_never_started_and_young_it_is_run(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    intent = await accepted(board, f"ack {incident.number}")
    assert await recover(board) == 1
    assert board.truth(incident).status == "acknowledged"
    assert "Acknowledged" in board.newest().text
    assert await state_of(board, intent) == "done"
    assert await recover(board) == 0


async def test_a_forms_values_survive(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await accepted(board, "note", fields={"incident": incident.id, "text": "From a form\nstill here"})
    await recover(board)
    assert [one.content for one in board.truth(incident).notes] == ["From a form\nstill here"]


async def test_old_it_is_only_told(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    intent = await accepted(board, f"ack {incident.number}", age=130)
    await recover(board)
    assert board.truth(incident).status == "triggered"
    said = board.newest()
    assert "too old to do now" in said.words
    assert "Disk full" in said.words
    assert await state_of(board, intent) == "expired"
    row = await recorded(board)
    assert (row.verb, row.outcome, row.subjects) == ("ack", "expired", incident.id)
    assert (row.user_id, row.identity, row.status) == ("U0ALICE", "email", None)
    await said.press("Do it now", by="U0ALICE")
    await board.settle()
    assert board.truth(incident).status == "acknowledged"


@pytest.mark.parametrize("age", [30, 130])
async def test_a_form_that_was_not_carried_out_keeps_what_was_written(board: Switchboard, age: float) -> None:
    incident = await board.breaks("Disk full")
    written = {"incident": incident.id, "text": "“PROD” is back:\n<it> was *DNS* & friends"}
    await accepted(board, "note", fields=written, age=age, started=age == 30)
    await recover(board)
    await board.newest().press("Do it now", by="U0ALICE")
    await board.settle()
    assert [one.content for one in board.truth(incident).notes] == [written["text"]]


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("verb", ["ack", "resolve"])
async def test_begun_it_is_looked_up_and_never_repeated(board: Switchboard, verb: str, done: bool) -> None:
    incident = await board.breaks("Disk full")
    intent = await accepted(board, f"{verb} {incident.number}", started=True)
    if done:
        word = {"ack": "acknowledge", "resolve": "resolve"}[verb]
        board.pagerduty.act(incident.id, word, by="PALICE1")
    board.calls()
    await recover(board)
    assert [call for call in board.calls() if not call.startswith("GET")] == []
    assert ("It was done" if done else "It was not done") in board.newest().text
    assert await state_of(board, intent) == ("done" if done else "failed")
    row = await recorded(board)
    assert (row.outcome, row.subjects) == ("done" if done else "not_done", incident.id)
    assert (row.user_id, row.person_id, row.detail) == ("U0ALICE", "PALICE1", board.newest().text)
    assert row.accepted_at <= row.done_at


async def test_begun_notes_and_triggers_are_found_by_their_content(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await accepted(board, f"note {incident.number} watching", started=True)
    board.pagerduty.act(incident.id, "note", by="PALICE1", text="watching")
    await recover(board)
    assert "It was done" in board.newest().text
    await accepted(board, "trigger checkout Cards fail", started=True)
    await recover(board)
    assert "It was not done" in board.newest().text


async def test_the_same_words_of_long_ago_are_another_note(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.act(incident.id, "note", by="PALICE1", text="watching")
    notes = board.pagerduty.state.incidents[incident.id].notes
    notes[:] = [replace(one, at=one.at - timedelta(hours=1)) for one in notes]
    await accepted(board, f"note {incident.number} watching", started=True)
    await recover(board)
    assert "It was not done" in board.newest().text


async def test_what_cannot_be_told_is_said(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await accepted(board, f"escalate {incident.number}", started=True)
    await recover(board)
    assert "cannot tell" in board.newest().text
    board.pagerduty.outage("down", paths=["/incidents"])
    await accepted(board, f"resolve {incident.number}", started=True)
    await recover(board)
    assert "cannot tell" in board.newest().text


async def test_a_process_at_work_keeps_its_own(board: Switchboard) -> None:
    intent = await accepted(board, "ack 1", age=15)
    busy = Runner(_with_intents(board, dead_process(board)), TrackedTasks())
    busy.at_work.add(intent.id)
    await Recovery(busy).round()
    async with board.database.write() as connection:
        await connection.execute(update(intents).values(lease_until=intents.c.lease_until - 15))
    assert await recover(board) == 0


def _with_intents(board: Switchboard, store: Intents) -> Services:
    return type(board.services)(
        **{name: getattr(board.services, name) for name in board.services.__slots__ if name != "intents"},
        intents=store,
    )


async def test_the_only_process_need_not_wait_for_leases(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await accepted(board, f"ack {incident.number}", age=0)
    assert await recover(board) == 0
    assert await Recovery(board.runner, alone=True).round() == 1
    await board.settle()
    assert board.truth(incident).status == "acknowledged"


async def test_a_frozen_holder_that_wakes_says_and_does_nothing(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    intent = await accepted(board, f"ack {incident.number}")
    await board.services.intents.take_interrupted()
    asleep = Runner(_with_intents(board, dead_process(board)), TrackedTasks())
    request = Request(
        key=intent.new.key,
        user=ALICE,
        surface=Surface.SLASH,
        text=intent.new.words,
        channel_id="C0CHECK",
    )
    await asleep.perform(request, board.services.catalog.read(request.text), intent)
    assert board.truth(incident).status == "triggered"
    assert board.checkout.private("U0ALICE") == []


@pytest.mark.parametrize("alone", [False, True])
async def test_one_frozen_before_its_write_leaves_it_to_whoever_holds_it_then(
    board: Switchboard, alone: bool
) -> None:
    board.pagerduty.webhooks.set_mode("drop")  # so that it is looked at before it is written to
    incident = board.pagerduty.trigger("PSVCCHK", "Disk full")
    slow = Fault("slow", paths=[f"/incidents/{incident.id}"], methods=["GET"], seconds=0.8, count=1)
    board.pagerduty.faults.set(slow)
    now = 0.0
    sealer = board.services.intents._sealer
    its = Intents(board.database, Batcher(board.database), sealer, holder="asleep", timer=lambda: now)
    asleep = Runner(_with_intents(board, its), TrackedTasks())
    line = f"note {incident.id} watching"
    await asleep.accept(
        Request(key="slash:1", user=ALICE, surface=Surface.SLASH, text=line, channel_id="C0CHECK")
    )
    await until(lambda: slow.count == 0, "it did not look before it wrote")
    assert await its.state_of("slash:1") == "started"
    now += 30
    async with board.database.write() as connection:
        await connection.execute(update(intents).values(lease_until=intents.c.lease_until - 30))
    if alone:
        await asleep.tasks.settle()
        assert await its.state_of("slash:1") == "started"
    holder = asleep if alone else board.runner
    assert await Recovery(holder).round() == 1
    await holder.tasks.settle()
    assert "It was not done" in board.newest().text
    await board.newest().press("Do it now", by="U0ALICE")
    await board.settle()
    await asleep.tasks.settle()
    assert [one.content for one in board.truth(incident).notes] == ["watching"]
    said = [one.text for one in board.checkout.private("U0ALICE")]
    assert sum("Note added" in one for one in said) == 1
    assert await its.state_of("slash:1") == "failed"


async def test_a_stopping_process_takes_nothing_over_but_keeps_its_own(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await accepted(board, f"ack {incident.number}")
    await board.runner.tasks.finish(0)
    assert await Recovery(board.runner, alone=True).round() == 0
    assert board.truth(incident).status == "triggered"
