"""What every message of ours carries as Slack metadata, so that it can be found again after a lost answer.

Written with each post, read back from a channel's history (bot/delivery/lookup.py) and from pressed messages.
Metadata is readable by every app and member of the workspace: it holds ids only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "pagerline_"
AS_OF = "as_of"


@dataclass(frozen=True, slots=True)
class Mark:
    """`kind` is incident, line, call, page, news or as_of; `row` our messages.id, or the second since which
    PagerDuty was away (as_of); `event` our events.id (a line).

    `mentioned`: the message mentioned the assignees when it was posted.
    """

    kind: str
    row: int
    incident: str | None = None
    event: int | None = None
    mentioned: bool = False

    def metadata(self) -> dict[str, Any]:
        """As `chat.postMessage` takes it."""
        payload: dict[str, Any] = {"kind": self.kind, "row": self.row}
        if self.incident is not None:
            payload["incident"] = self.incident
        if self.event is not None:
            payload["event"] = self.event
        if self.mentioned:
            payload["mentioned"] = True
        return {"event_type": PREFIX + self.kind, "event_payload": payload}


def read_mark(metadata: Any) -> Mark | None:
    """The mark in a message's metadata; None when it is not one of ours. Never raises."""
    if not isinstance(metadata, Mapping) or not str(metadata.get("event_type", "")).startswith(PREFIX):
        return None
    payload = metadata.get("event_payload")
    if not isinstance(payload, Mapping):
        return None
    row, kind = _whole(payload.get("row")), payload.get("kind")
    if row is None or not isinstance(kind, str):
        return None
    incident = payload.get("incident")
    return Mark(
        kind,
        row,
        incident if isinstance(incident, str) else None,
        event=_whole(payload.get("event")),
        mentioned=payload.get("mentioned") is True,
    )


def _whole(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None
