"""Which lists changed, for every replica."""

from __future__ import annotations

import asyncio

from bot.store.database import Database
from bot.store.list_changes import ListChanges


async def test_every_change_raises_its_lists_revision(database: Database) -> None:
    here, there = ListChanges(database), ListChanges(database)
    assert await there.revisions() == {}
    await here.note(["services", "policies"])
    await there.note(["services"])
    assert await here.revisions() == {"services": 2, "policies": 1}


async def test_none_is_lost_when_several_note_at_once(database: Database) -> None:
    here = ListChanges(database)
    await asyncio.gather(*(here.note(names) for names in [("a", "b"), ("b", "a")] * 5))
    assert await here.revisions() == {"a": 10, "b": 10}
