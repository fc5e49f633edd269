"""The database's own idea of a channel's messages as plain rows, for the sandbox's inspector."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import incidents, messages, shown

MOST = 200


async def message_rows(database: Database, channel_id: str) -> list[dict[str, Any]]:
    """Newest first, at most 200: what stands where, which revision it shows, and which is the newest."""
    query = (
        select(
            messages.c.ts,
            messages.c.id.label("message"),
            messages.c.kind,
            messages.c.incident_id.label("incident"),
            incidents.c.status,
            incidents.c.revision,
            shown.c.revision.label("shown"),
            shown.c.shown_at,
            messages.c.posting_since,
            messages.c.tries,
            messages.c.reposts,
            messages.c.gone,
            incidents.c.event_at,
            incidents.c.rest_at,
            incidents.c.accepted_at,
            incidents.c.stale_seq,
            incidents.c.read_seq,
        )
        .outerjoin(incidents, incidents.c.id == messages.c.incident_id)
        .outerjoin(shown, shown.c.message_id == messages.c.id)
        .where(messages.c.channel_id == channel_id)
        .order_by(messages.c.id.desc())
        .limit(MOST)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [_plain(row) for row in rows]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(name): value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()
    }
