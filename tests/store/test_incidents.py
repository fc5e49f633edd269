"""Events and readings in, incidents out, on both databases; twice the same is once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.events import Event
from bot.model import Level, Status
from bot.store.accepting import Accepted
from bot.store.tables import messages
from tests.store.conftest import Store, store_on
from tests.store.news import (
    BOB,
    CHECKOUT,
    DEV,
    OPS,
    a_note,
    a_reading,
    a_subscription,
    acknowledged,
    an_event,
    an_incident,
    resolved,
)


async def test_an_event_makes_an_incident_known(store: Store) -> None:
    assert await store.incidents.accept(an_event()) == Accepted()
    known = await store.incidents.find("Q1")
    assert known is not None
    assert (known.title, known.status, known.service) == ("Disk full", Status.TRIGGERED, CHECKOUT)
    row = await store.row()
    assert (row.number, row.status, row.urgency, row.service_id) == (1234, "triggered", "high", CHECKOUT.id)
    assert row.revision == 1
    assert await store.is_stale()


@pytest.mark.parametrize(
    "again", [an_event(), replace(an_event(), id="another"), replace(an_event(), webhook_id=None)]
)
async def test_the_same_event_or_webhook_changes_nothing(store: Store, again: Event) -> None:
    await store.subscriptions.add(a_subscription())
    await store.incidents.accept(an_event())
    await store.incidents.accept(an_event("escalated", 5))
    before = (await store.row(), await store.events(), await store.lines())
    assert await store.incidents.accept(again) == Accepted(duplicate=True)
    assert (await store.row(), await store.events(), await store.lines()) == before


async def test_the_same_event_twice_in_one_batch_is_taken_once(store: Store) -> None:
    results = await asyncio.gather(*(store.incidents.accept(an_event()) for _ in range(5)))
    assert [result.duplicate for result in results].count(False) == 1
    assert len(await store.events()) == 1


async def test_a_duplicate_among_new_events_does_not_disturb_them(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    await store.incidents.accept(an_event())
    await store.incidents.accept(an_event("escalated", 5))
    results = await asyncio.gather(
        *(
            store.incidents.accept(event)
            for event in (an_event("escalated", 5), a_note(6), an_event(incident=an_incident("Q2")))
        )
    )
    assert [result.duplicate for result in results] == [True, False, False]
    assert await store.lines() == [("C0OPS", "Q1-escalated-5"), ("C0OPS", "note-Looking")]
    assert await store.shown_in() == [("C0OPS", "Q1"), ("C0OPS", "Q2")]
    assert [row.line is not None for row in await store.events()] == [True] * 4


async def test_a_late_webhook_does_not_overwrite_a_newer_read(store: Store) -> None:
    await store.incidents.accept(an_event())
    began = await store.incidents.now()
    assert await store.incidents.save_reading(a_reading(60, resolved(an_incident(), 60)), began_at=began)
    late = an_event("acknowledged", 30, an_incident(status=Status.ACKNOWLEDGED))
    assert await store.incidents.accept(late) == Accepted()
    known = await store.incidents.find("Q1")
    assert known is not None
    assert known.status is Status.RESOLVED
    assert [row.applied for row in await store.events()] == [True, False]
    assert await store.is_stale()


async def test_a_read_does_not_clear_a_mark_set_meanwhile(store: Store) -> None:
    await store.incidents.accept(an_event())
    assert await store.take_stale() == ["Q1"]
    mark = (await store.row()).stale_seq
    await store.incidents.accept(an_event("unheard_of", 3, seen=None))
    began = await store.incidents.now()
    assert await store.incidents.save_reading(a_reading(0), began_at=began, seen=mark)
    assert await store.is_stale()
    assert await store.take_stale() == ["Q1"]


async def test_a_read_that_began_before_an_event_is_not_saved(store: Store) -> None:
    await store.incidents.accept(an_event())
    began = await store.incidents.now()
    await asyncio.sleep(0.002)  # SQLite's clock counts milliseconds
    await store.incidents.accept(an_event("escalated", 40))
    fuller = a_reading(40, an_incident(title="Old"))
    assert not await store.incidents.save_reading(fuller, began_at=began, seen=2)
    assert await store.is_stale()
    known = await store.incidents.find("Q1")
    assert known is not None
    assert known.title == "Disk full"


async def test_our_own_write_is_saved_and_marks_it_touched(store: Store) -> None:
    await store.incidents.accept(an_event())
    began = await store.incidents.now()
    written = a_reading(9, acknowledged(an_incident(), 9))
    assert await store.incidents.save_written(written, began_at=began)
    row = await store.row()
    assert (row.status, row.touched, row.revision) == ("acknowledged", True, 2)
    assert row.accepted_at >= began


async def test_a_reading_can_be_the_first_we_hear(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    began = await store.incidents.now()
    assert await store.incidents.save_reading(a_reading(5), began_at=began)
    assert await store.shown_in() == [("C0OPS", "Q1")]
    assert await store.is_stale()  # a list does not tell its level


async def test_one_heard_of_through_a_note_is_read_and_then_shown(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    await store.incidents.accept(a_note(3))
    assert await store.incidents.find("Q1") is None
    assert await store.shown_in() == []
    assert await store.take_stale() == ["Q1"]
    began = await store.incidents.now()
    assert await store.incidents.save_reading(a_reading(0), began_at=began, seen=1)
    assert await store.shown_in() == [("C0OPS", "Q1")]
    assert (await store.row()).revision == 1


async def test_what_a_read_leaves_out_stays(store: Store) -> None:
    began = await store.incidents.now()
    full = an_incident(level=Level(1, 2), alert_count=2)
    await store.incidents.save_reading(a_reading(5, full), began_at=began)
    await store.incidents.save_reading(a_reading(5), began_at=began + timedelta(seconds=1))
    known = await store.incidents.find("Q1")
    assert known is not None
    assert (known.level, known.alert_count) == (Level(1, 2), 2)


# ----------------------------------------------------------------------------------------- poison and hostile


async def test_an_event_that_cannot_be_stored_is_kept_raw_and_spoils_nobody(store: Store) -> None:
    huge = an_event("triggered", 0, an_incident("Q9", number=10**30), raw='{"huge": 1}')
    results = await asyncio.gather(
        *(store.incidents.accept(event) for event in (an_event(), huge, an_event("escalated", 4)))
    )
    assert results == [Accepted(), Accepted(poisoned=True), Accepted()]
    kept = next(row for row in await store.events() if row.incident_id == "Q9")
    assert (kept.raw, kept.applied, kept.line) == ('{"huge": 1}', False, None)
    assert kept.error
    assert await store.is_stale("Q9")
    assert (await store.row()).event_at == an_event("escalated", 4).occurred_at
    assert await store.incidents.accept(huge) == Accepted(duplicate=True)


async def test_an_event_that_cannot_be_folded_is_kept_raw(store: Store) -> None:
    broken = an_event(seen="not an incident", name="broken")
    assert await store.incidents.accept(broken) == Accepted(poisoned=True)
    (kept,) = await store.events()
    assert kept.error.startswith("AttributeError")
    assert await store.is_stale()


@pytest.mark.parametrize("hostile", ["Disk \x00 full", "Disk \ud800 full", "\udfff"])
async def test_hostile_text_is_kept_as_far_as_it_can_be(store: Store, hostile: str) -> None:
    event = an_event(incident=an_incident(title=hostile), raw="\\u0000 and \\ud800", name="a\x00b")
    assert await store.incidents.accept(event) == Accepted()
    note = replace(a_note(2, text=hostile), id="note", raw=r"\ud800")
    assert await store.incidents.accept(note) == Accepted()
    known = await store.incidents.find("Q1")
    assert known is not None
    assert "\ufffd" in known.title
    assert [line.text for line in await store.incidents.story("Q1")][-1] == known.title
    began = await store.incidents.now()
    assert await store.incidents.save_reading(a_reading(9, an_incident(title=hostile)), began_at=began)
    assert (await store.row()).revision == 1


# ------------------------------------------------------------------------------------------ message and lines


async def test_lines_go_below_messages_that_are_there(store: Store) -> None:
    await store.subscriptions.add(a_subscription(OPS))
    await store.subscriptions.add(a_subscription(DEV))
    for event in (an_event(), a_note(1), an_event("acknowledged", 2, by=BOB), a_note(3, text="Found it")):
        await store.incidents.accept(event)
    assert await store.lines() == [
        *(("C0DEV", "note-Looking"), ("C0OPS", "note-Looking")),
        *(("C0DEV", "note-Found it"), ("C0OPS", "note-Found it")),
    ]


async def test_a_message_that_is_gone_gets_no_lines(store: Store) -> None:
    await store.subscriptions.add(a_subscription(OPS))
    await store.incidents.accept(an_event())
    async with store.database.write() as connection:
        await connection.execute(update(messages).values(gone=store.database.now_sql()))
    await store.incidents.accept(a_note(1))
    assert await store.lines() == []


async def test_a_batch_does_what_one_after_the_other_does(database_url: str) -> None:
    """Whatever falls into one transaction: the rows, lines and states are those of single ones."""
    story = [
        a_note(-1, text="Too early for a line"),
        an_event(),
        a_note(1),
        an_event("escalated", 2),
        an_event(incident=an_incident("Q2", status=Status.RESOLVED), kind="resolved", seconds=3),
        a_note(4, "Q2", "After all"),
        an_event("reopened", 5, an_incident("Q2")),
        a_note(6, "Q2", "Again"),
    ]
    async with store_on(database_url) as store:
        await store.subscriptions.add(a_subscription())
        await asyncio.gather(*(store.incidents.accept(event) for event in story))
        assert await store.shown_in() == [("C0OPS", "Q1"), ("C0OPS", "Q2")]
        assert await store.lines() == [
            ("C0OPS", "note-Looking"),
            ("C0OPS", "Q1-escalated-2"),
            ("C0OPS", "note-Again"),
        ]
