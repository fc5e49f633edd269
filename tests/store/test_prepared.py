"""Statements with one text however many rows, and no more columns than have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, update

from bot.store.database import Database
from bot.store.snapshots import dump_incident
from bot.store.tables import incidents
from tests.store.conftest import Store
from tests.store.news import P1, a_subscription, an_event, an_incident


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """What drivers are given to run, while the test runs."""
    texts: list[str] = []

    def hear(_connection: Connection, _cursor: Any, text: str, *_rest: Any) -> None:
        texts.append(text)

    event.listen(Engine, "before_cursor_execute", hear)
    yield texts
    event.remove(Engine, "before_cursor_execute", hear)


async def take(store: Store, *events: Any) -> None:
    """All in one batch: the first one's commit is what the others wait for."""
    await asyncio.gather(*map(store.incidents.accept, events))


def inserts(sent: list[str]) -> set[str]:
    return {text for text in sent if text.startswith("INSERT INTO") and "alembic" not in text}


async def test_any_number_of_rows_is_the_same_statement(store: Store, sent: list[str]) -> None:
    await store.subscriptions.add(a_subscription())
    sent.clear()
    await take(store, *(an_event(incident=an_incident(f"Q{number}")) for number in range(2)))
    few = inserts(sent)
    await take(store, *(an_event(incident=an_incident(f"R{number}")) for number in range(60)))
    assert inserts(sent) == few
    assert len(await store.events()) == len(await store.messages()) == 62


async def test_sqlite_moves_no_index_entry_that_stays_the_same(
    store: Store, database: Database, sent: list[str]
) -> None:
    await store.incidents.accept(an_event(incident=an_incident()))
    sent.clear()
    await store.incidents.accept(an_event("priority_updated", 5, an_incident(priority=P1)))
    (changed,) = [text for text in sent if text.startswith("UPDATE incidents")]
    assert "accepted_at" in changed
    is_moved = database.dialect == "postgresql"  # which writes every entry anew, whatever is named
    assert ("number" in changed, "read_at" in changed, "status" in changed) == (is_moved,) * 3
    row = await store.row()
    assert (row.number, row.status, row.revision) == (1234, "triggered", 2)


async def test_what_another_replica_stored_is_read_and_not_remembered(
    store: Store, database: Database
) -> None:
    await store.incidents.accept(an_event(incident=an_incident()))
    theirs = dump_incident(replace(an_incident(), alert_count=7))
    async with database.write() as connection:
        await connection.execute(update(incidents).values(snapshot=theirs))
    await store.incidents.accept(an_event("priority_updated", 5, an_incident(priority=P1)))
    known = await store.incidents.find("Q1")
    assert known is not None
    assert (known.alert_count, known.priority) == (7, P1)
