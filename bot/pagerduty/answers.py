"""What came over the wire from PagerDuty, and what it means: an answer, or one of our kinds of failure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.errors import PagerDutyUnavailable
from bot.pagerduty.limiter import retry_after
from bot.pagerduty.refusals import failure_of


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer. `sent_at` (UTC, our clock): when the request that was answered went out."""

    data: Any
    status: int
    request_id: str | None
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What came, whatever it means."""

    status: int
    headers: Mapping[str, str]
    text: str
    sent_at: datetime

    @property
    def request_id(self) -> str | None:
        """PagerDuty's own id of the call: what its support asks for."""
        return self.headers.get("x-request-id")


def read(reply: Reply, *, is_write: bool) -> Answer:
    """Raises the kinds of PagerDutyFailure (bot/pagerduty/refusals.py says which)."""
    if not 200 <= reply.status < 300:
        raise failure_of(
            reply.status,
            reply.text,
            is_write=is_write,
            request_id=reply.request_id,
            retry_after=retry_after(reply.headers) if reply.status in (429, 503) else None,
        )
    if not reply.text.strip():
        return Answer({}, reply.status, reply.request_id, reply.sent_at)
    try:
        return Answer(json.loads(reply.text), reply.status, reply.request_id, reply.sent_at)
    except (ValueError, RecursionError):
        raise PagerDutyUnavailable(
            "PagerDuty's answer is not JSON",
            status=reply.status,
            request_id=reply.request_id,
            maybe_done=is_write,
        ) from None
