"""Acts on record, put into the audit directly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from bot.store.database import Database
from bot.store.people_tables import audit

NOON = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


def an_act(seconds: float = 0.0, **values: Any) -> dict[str, Any]:
    """A row: Alice acknowledged Q1 so many seconds after noon, by a button."""
    accepted = NOON + timedelta(seconds=seconds)
    usual = {
        "team_id": "T0ACME",
        "user_id": "U0ALICE",
        "person_id": "PALICE1",
        "identity": "oauth",
        "surface": "button",
        "channel_id": "C0CHECK",
        "verb": "ack",
        "words": "ack Q1",
        "subjects": "Q1",
        "outcome": "done",
        "detail": "Acknowledged #1234 Disk full.",
        "status": 200,
        "request_id": "r-1",
        "calls": None,
        "accepted_at": accepted,
        "done_at": accepted + timedelta(seconds=1),
    }
    return {**usual, **values}


async def put_acts(database: Database, *rows: dict[str, Any]) -> None:
    async with database.write() as connection:
        await connection.execute(insert(audit), list(rows))
