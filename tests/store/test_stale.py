"""Who is to be read again and by whom, and what is known without reading."""

from __future__ import annotations

import asyncio

from sqlalchemy import update

from bot.model import Status
from bot.store.tables import messages, thread_lines
from tests.store.conftest import Store
from tests.store.news import (
    DEV,
    OPS,
    a_note,
    a_reading,
    a_subscription,
    an_event,
    an_incident,
)


async def test_stale_incidents_are_handed_out_once_the_longest_due_first(store: Store) -> None:
    for number in range(3):
        await store.incidents.accept(an_event(incident=an_incident(f"Q{number}")))
        await asyncio.sleep(0.002)
    store.database.clock_offset -= 10.0  # however slow this machine is, now the burst has just begun
    assert await store.incidents.take_stale(10) == []  # a burst is gathered first
    store.database.clock_offset += 10.0
    assert await store.take_stale(2) == ["Q0", "Q1"]
    stale = await store.take_stale()
    assert stale == ["Q2"]
    assert await store.take_stale() == []


async def test_a_hint_comes_when_marks_are_due(store: Store) -> None:
    await store.incidents.accept(an_event())
    assert await store.wake.wait(5.0, "stale")
    (stale,) = await store.incidents.take_stale(10)
    assert stale.incident_id == "Q1"
    assert await store.incidents.save_reading(a_reading(0), began_at=stale.began_at, seen=stale.seen)
    assert not await store.is_stale()


async def test_what_could_not_be_read_is_put_off(store: Store) -> None:
    await store.incidents.accept(an_event())
    assert await store.take_stale() == ["Q1"]
    await store.incidents.put_off("Q1", 30.0)
    assert await store.take_stale() == []
    assert await store.is_stale()


async def test_what_pagerduty_does_not_know_is_not_asked_again(store: Store) -> None:
    await store.incidents.accept(an_event())
    await store.incidents.forget("Q1")
    assert not await store.is_stale()
    await store.incidents.accept(an_event("escalated", 3))
    assert await store.take_stale() == ["Q1"]


async def test_news_that_came_while_pagerduty_was_asked_is_not_forgotten(store: Store) -> None:
    await store.incidents.accept(an_event())
    await store.incidents.accept(an_event("escalated", 3))
    await store.incidents.forget("Q1", seen=1)
    assert await store.is_stale()
    await store.incidents.forget("Q1", seen=2)
    assert not await store.is_stale()


# --------------------------------------------------------------------------------------------------- look-ups


async def test_incidents_are_found_by_id_and_number(store: Store) -> None:
    await store.incidents.accept(an_event())
    for word in ("Q1", "1234", "#1234", " 1234 "):
        found = await store.incidents.find(word)
        assert found is not None
        assert found.id == "Q1"
    for word in ("Q2", "99", "", "#", "1" * 40, "٣"):
        assert await store.incidents.find(word) is None
    assert set(await store.incidents.many(["Q1", "Q2", "Q1"])) == {"Q1"}
    assert await store.incidents.many([]) == {}


async def test_open_incidents_are_those_not_resolved(store: Store) -> None:
    for name, status in zip(("Q1", "Q2", "Q3"), Status, strict=True):
        await store.incidents.accept(an_event(incident=an_incident(name, status=status)))
    assert await store.incidents.open_ids() == {"Q1", "Q2"}


async def test_a_place_tells_its_incident(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    await store.incidents.accept(an_event())
    await store.incidents.accept(a_note(1))
    async with store.database.write() as connection:
        await connection.execute(update(messages).values(ts="17.1"))
        await connection.execute(update(thread_lines).values(ts="17.2"))
    for ts in ("17.1", "17.2"):
        about = await store.incidents.by_message(OPS, ts)
        assert about is not None
        assert about.id == "Q1"
    assert await store.incidents.by_message(DEV, "17.1") is None
    assert [one.id for one in await store.incidents.open_in(OPS)] == ["Q1"]
    assert await store.incidents.open_in(DEV) == []


async def test_the_story_is_told_in_order(store: Store) -> None:
    for event in (an_event("escalated", 5), an_event(), a_note(9), a_note(2, text="Early")):
        await store.incidents.accept(event)
    told = [line.kind for line in await store.incidents.story("Q1")]
    assert told == ["triggered", "annotated", "escalated", "annotated"]
    assert [line.text for line in await store.incidents.story("Q1", limit=1)] == ["Looking"]
