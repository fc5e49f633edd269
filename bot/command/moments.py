"""Points in time and time zones as people write them: `now`, `2h`, `7d`, `2026-11-01T08:00`, `Europe/Berlin`.

Pure. Raises UserError for what cannot be read.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from bot.command.spans import span
from bot.errors import UserError


def read_zone(name: str) -> ZoneInfo:
    """The time zone of this IANA name."""
    try:
        return ZoneInfo(name.strip())
    except (ValueError, OSError, LookupError):  # unknown, no name at all, or one that leads out of the list
        raise UserError(f"“{name[:60]}” is no time zone: write one such as Europe/Berlin or UTC.") from None


def read_when(text: str, *, now: datetime, zone: tzinfo = UTC, back: bool = False) -> datetime:
    """Aware, in UTC. A span counts from `now` on, with `back` to before it; `zone` is meant where none is
    written.
    """
    written = text.strip()
    if written.casefold() == "now":
        return now
    try:
        if (length := span(written)) is not None:
            return (now - length if back else now + length).astimezone(UTC)
        at = datetime.fromisoformat(written.upper())
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError(
            f"“{written[:60]}” is no time: write now, 2h, 7d, or a date such as 2026-11-01T08:00."
        ) from None
