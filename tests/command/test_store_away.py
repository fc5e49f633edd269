"""The database goes away in the middle of an act: what PagerDuty did is told as done, and what had not begun
is done when it is back. SQLite's file is held by somebody else; what comes at the door meanwhile is refused
there (tests/stories/test_when_the_store_is_away.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from bot.command.intents import Recovery
from bot.sandbox.pagerduty.faults import Fault
from bot.store.people_tables import audit, intents
from tests.command.switchboard import Switchboard, switchboard
from tests.stories.waiting import until

SLOW = 2.0  # seconds that an answer takes, so that the database goes meanwhile


@pytest.fixture
async def board(migrated_sqlite_url: str) -> AsyncIterator[Switchboard]:
    async with switchboard(migrated_sqlite_url, busy_timeout=0.2) as opened:
        yield opened


@contextmanager
def held(board: Switchboard) -> Iterator[None]:
    """Nobody else can write to the file."""
    assert board.database.path is not None
    other = sqlite3.connect(board.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def goes_away_during(board: Switchboard, line: str, asked: Callable[[], bool]) -> str:
    """Type it; the file is held from somebody's being asked until the person is answered."""
    before = len(board.checkout.private("U0ALICE"))
    await board.slack.command("U0ALICE", "C0CHECK", line)
    await until(asked, "the other side was not asked")

    def answers() -> list[str]:
        found = [one.text for one in board.checkout.private("U0ALICE")[before:]]
        return [one for one in found if not one.startswith("Working")]

    with held(board):
        said = (await until(answers, "nobody was answered"))[0]
    await board.settle()
    return str(said)


@pytest.mark.parametrize(
    ("line", "method", "told"),
    [
        ("ack {n}", "PUT", "Acknowledged"),
        ("escalate {n}", "PUT", "Escalated"),
        ("note {n} watching", "POST", "Note added"),
        ("trigger checkout Cards fail", "POST", "Triggered"),
    ],
)
async def test_what_was_done_is_told_as_done(board: Switchboard, line: str, method: str, told: str) -> None:
    incident = await board.breaks("Disk full")
    slow = Fault("slow", methods=[method], seconds=SLOW, count=1)
    board.pagerduty.faults.set(slow)
    said = await goes_away_during(board, line.format(n=incident.number), lambda: slow.count == 0)
    assert told in said
    assert "nothing was done" not in said
    async with board.database.read() as connection:
        assert (await connection.execute(select(audit.c.outcome))).scalars().all() == ["done"]
        assert (await connection.execute(select(intents.c.state))).scalars().all() == ["done"]
    assert await Recovery(board.runner).round() == 0


async def test_what_had_not_begun_is_done_once_it_is_back(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.slack.fault("users.info", "hang", seconds=SLOW / 2)  # it is given no more
    words = f"note {incident.number} watching"
    said = await goes_away_during(board, words, lambda: not board.slack.faults.waiting)
    assert "no need to ask again" in said
    assert board.truth(incident).notes == []
    async with board.database.write() as connection:  # time passes
        await connection.execute(update(intents).values(lease_until=intents.c.created_at))
    assert await Recovery(board.runner).round() == 1
    await board.settle()
    assert "Note added" in board.newest().text
    assert [one.content for one in board.truth(incident).notes] == ["watching"]
    assert await Recovery(board.runner).round() == 0
