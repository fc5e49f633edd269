"""`python -m bot audit`: all acts for machines and people, with nothing but DATABASE_URL."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.cli.audit import FIELDS
from bot.model import MadeCall
from bot.store.database import Database
from bot.store.made_calls import written
from bot.store.schema import migrate
from tests.cli.conftest import ROOT, Call, environment
from tests.store.acts import an_act, put_acts

DOCS = ROOT / "docs" / "audit.md"


async def fill(url: str, *rows: dict[str, Any]) -> None:
    """A database with these acts."""
    database = await Database.open(url)
    try:
        await migrate(database)
        if rows:
            await put_acts(database, *rows)
    finally:
        await database.close()


def filled(url: str, *rows: dict[str, Any]) -> dict[str, str]:
    """The same, for tests that are not async; the settings that lead to it."""
    asyncio.run(fill(url, *rows))
    return {"DATABASE_URL": url}


HOSTILE = 'note Q2 "a, b"\n\x1b[31mred\x07'


def test_machines_get_every_field_under_its_name(database_url: str, call: Call) -> None:
    begun = an_act(60, words=HOSTILE, subjects="Q2,Q3", outcome=None, done_at=None, status=None)
    calls = written([MadeCall("PUT", "/incidents", 200, "r-1", 0.21)])
    settings = filled(database_url, an_act(calls=calls), begun)
    outcome = call("audit", "--format", "jsonl", settings=settings)
    assert (outcome.status, outcome.err) == (0, "")
    first, second = (json.loads(line) for line in outcome.out.splitlines())
    assert tuple(first) == FIELDS
    assert first["accepted_at"] == "2026-08-01T12:00:00.000Z"
    assert first["done_at"] == "2026-08-01T12:00:01.000Z"
    assert (first["incident_ids"], first["status"], first["request_id"]) == (["Q1"], 200, "r-1")
    assert first["calls"] == [
        {"method": "PUT", "path": "/incidents", "status": 200, "request_id": "r-1", "seconds": 0.21}
    ]
    assert second["calls"] == []
    assert (second["outcome"], second["done_at"], second["words"]) == (None, None, HOSTILE)
    assert "\x1b" not in outcome.out


def test_a_spreadsheet_gets_one_line_an_act(sqlite_url: str, call: Call) -> None:
    calls = [
        MadeCall("GET", "/incidents/{id}", 0, None, 15.0),
        MadeCall("PUT", "/incidents", 200, "r-1", 0.2),
    ]
    act = an_act(words=HOSTILE, subjects="Q1,Q2", request_id=None, calls=written(calls))
    settings = filled(sqlite_url, act)
    outcome = call("audit", "--format", "csv", settings=settings)
    (row,) = csv.DictReader(io.StringIO(outcome.out))
    assert tuple(row) == FIELDS
    assert (row["incident_ids"], row["request_id"]) == ("Q1 Q2", "")
    assert row["calls"] == "GET /incidents/{id} 0 - 15s; PUT /incidents 200 r-1 0.2s"
    assert row["words"] == 'note Q2 "a, b" [31mred'
    assert len(outcome.out.splitlines()) == 2


def test_a_person_gets_a_table(sqlite_url: str, call: Call) -> None:
    rows = (an_act(n, words=HOSTILE + "x" * 500, outcome=None) for n in range(3))
    outcome = call("audit", settings=filled(sqlite_url, *rows))
    head, *lines = outcome.out.splitlines()
    assert head.split() == ["ACCEPTED", "WHO", "AS", "VERB", "OUTCOME", "FROM", "INCIDENTS", "WORDS"]
    assert len(lines) == 3
    assert all("T0ACME:U0ALICE" in line and "begun" in line and len(line) < 220 for line in lines)
    assert "\x1b" not in outcome.out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--since", "2026-08-01"], [0, 10, 20]),
        (["--since", "2026-08-01T12:00:10Z"], [10, 20]),
        (["--since", "2026-08-01T14:00:10+02:00", "--until", "2026-08-01T12:00:20"], [10]),
        (["--since", "24h"], []),
        (["--until", "24h"], [0, 10, 20]),
        (["--user", "<@U0BOB>"], [10]),
        (["--user", "PBOB002"], [10]),
        (["--verb", "acknowledge"], [0, 10]),
        (["--verb", "note"], [20]),
    ],
)
def test_what_is_wanted_is_said_in_words(
    sqlite_url: str, call: Call, words: list[str], found: list[int]
) -> None:
    settings = filled(
        sqlite_url,
        an_act(0),
        an_act(10, user_id="U0BOB", person_id="PBOB002"),
        an_act(20, verb="note"),
    )
    outcome = call("audit", "--format", "jsonl", *words, settings=settings)
    told = [json.loads(line)["accepted_at"] for line in outcome.out.splitlines()]
    assert told == [f"2026-08-01T12:00:{second:02}.000Z" for second in found]


def test_a_time_that_is_none_is_misuse(call: Call) -> None:
    outcome = call("audit", "--since", "yesterday")
    assert outcome.status == 2
    assert "2026-11-01" in outcome.err


def test_without_a_database_it_says_what_to_do(sqlite_url: str, call: Call) -> None:
    outcome = call("audit", settings={"DATABASE_URL": sqlite_url})
    assert outcome.status == 1
    assert "python -m bot migrate" in outcome.err
    assert "Traceback" not in outcome.err


async def test_whoever_has_read_enough_may_go(sqlite_url: str, tmp_path: Path) -> None:
    await fill(sqlite_url, *(an_act(n, words="x" * 300) for n in range(2000)))
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "audit", "--format", "jsonl"),
        cwd=tmp_path,
        env=environment({"DATABASE_URL": sqlite_url}),
        stdout=writing,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(writing)
    with os.fdopen(reading) as output:
        await asyncio.to_thread(output.readline)
    async with asyncio.timeout(60):
        _, complaints = await process.communicate()
    assert (process.returncode, complaints) == (0, b"")


def test_every_field_is_explained() -> None:
    text = DOCS.read_text("utf-8")
    assert [name for name in FIELDS if f"| `{name}` |" not in text] == []
