"""Events and readings in, incidents out; twice the same is once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model import Status
from bot.store.accepting import Accepted
from tests.store.conftest import Store, store_on
from tests.store.news import (
    ALICE,
    BOB,
    CHECKOUT,
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
async def test_the_same_event_or_webhook_changes_nothing(store: Store, again: object) -> None:
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
