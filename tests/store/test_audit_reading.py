"""Reading the audit back: newest first for a person, all of it page by page for a machine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.model import MadeCall
from bot.store.audit_reading import Act, AuditReading, Wanted
from bot.store.database import Database
from bot.store.made_calls import written
from tests.store.acts import NOON, an_act, put_acts


async def streamed(database: Database, wanted: Wanted | None = None, page: int = 2) -> list[Act]:
    return [act async for act in AuditReading(database).stream(wanted or Wanted(), page=page)]


async def test_an_act_is_read_as_it_was_written(database: Database) -> None:
    await put_acts(database, an_act(subjects="Q1,Q2"))
    (act,) = await streamed(database)
    assert (act.team_id, act.user_id, act.person_id, act.identity) == (
        "T0ACME",
        "U0ALICE",
        "PALICE1",
        "oauth",
    )
    assert act.incident_ids == ("Q1", "Q2")
    assert (act.outcome, act.status, act.request_id) == ("done", 200, "r-1")
    assert (act.accepted_at, act.done_at) == (NOON, NOON + timedelta(seconds=1))


async def test_every_call_of_an_act_is_read_as_it_was_made(database: Database) -> None:
    calls = (
        MadeCall("GET", "/incidents/{id}", 200, "r-1", 0.12),
        MadeCall("PUT", "/incidents", 0, None, 15.0),
        MadeCall("PUT", "/incidents", 200, "r-\u2028 3", 0.3),
    )
    await put_acts(database, an_act(calls=written(calls)), an_act(1))
    told, before = await streamed(database)
    assert told.calls == calls
    assert before.calls == ()


async def test_a_stream_is_whole_whatever_the_page_and_however_many_moments_are_equal(
    database: Database,
) -> None:
    seconds = [0, 1, 1, 1, 1, 1, 2, 0.123456, 2]
    await put_acts(database, *(an_act(at, words=f"ack {n}") for n, at in enumerate(seconds)))
    for page in (1, 2, 3, 100):
        acts = await streamed(database, page=page)
        assert [act.accepted_at for act in acts] == sorted(act.accepted_at for act in acts)
        assert len({act.id for act in acts}) == len(acts) == len(seconds)


async def test_the_newest_come_first(database: Database) -> None:
    await put_acts(database, *(an_act(n, words=f"ack {n}") for n in range(5)))
    newest = await AuditReading(database).newest(Wanted(), 2)
    assert [act.words for act in newest] == ["ack 4", "ack 3"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["one", "two", "three", "four"]),
        ({"since": NOON + timedelta(seconds=10)}, ["two", "three", "four"]),
        ({"until": NOON + timedelta(seconds=10)}, ["one"]),
        ({"who": "U0BOB"}, ["two"]),
        ({"who": "PBOB002"}, ["two"]),
        ({"verb": "note"}, ["three"]),
        ({"team_id": "T0OTHER"}, ["four"]),
        ({"who": "U0BOB", "verb": "note"}, []),
    ],
)
async def test_each_word_narrows(database: Database, wanted: dict[str, Any], found: list[str]) -> None:
    await put_acts(
        database,
        an_act(0, words="one"),
        an_act(10, words="two", user_id="U0BOB", person_id="PBOB002"),
        an_act(20, words="three", verb="note", outcome=None, done_at=None, subjects=""),
        an_act(30, words="four", team_id="T0OTHER"),
    )
    assert [act.words for act in await streamed(database, Wanted(**wanted))] == found
    assert await AuditReading(database).count(Wanted(**wanted)) == len(found)
