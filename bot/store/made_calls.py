"""How the calls that an act made to PagerDuty stand in its row of the audit: JSON, in the order of their
answers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.model import MadeCall

LONGEST_ID = 100  # characters of PagerDuty's request id


def written(calls: Sequence[MadeCall]) -> str | None:
    """None when there was none."""
    rows = [
        [one.method, one.path, one.status, (one.request_id or "")[:LONGEST_ID] or None, one.seconds]
        for one in calls
    ]
    return json.dumps(rows, separators=(",", ":")) if rows else None


def read(text: str | None) -> tuple[MadeCall, ...]:
    """What was written; none for acts of before there was a column for it."""
    return tuple(MadeCall(*row) for row in json.loads(text)) if text else ()
