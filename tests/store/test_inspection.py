"""What the inspector shows of the database: one row per message, newest first, fit for JSON."""

from __future__ import annotations

import json

from bot.store.inspection import message_rows
from tests.store.conftest import Store
from tests.store.news import OPS, a_subscription, an_event, an_incident


async def test_a_row_says_what_is_shown_and_what_is_true(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    await store.incidents.accept(an_event(incident=an_incident("Q1")))
    await store.incidents.accept(an_event(incident=an_incident("Q2")))
    rows = await message_rows(store.database, OPS.id)
    assert [row["incident"] for row in rows] == ["Q2", "Q1"]
    assert rows[0]["status"] == "triggered"
    assert rows[0]["revision"] == 1
    assert rows[0]["shown"] is None
    assert json.loads(json.dumps(rows)) == rows
    assert await message_rows(store.database, "C0NONE") == []
