"""What PagerDuty means when it does not say 2xx: its error bodies, whatever their shape, as the kinds of
bot/errors.py. Codes and shapes: PagerDuty's "Errors" page, and what clients have met beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import (
    PagerDutyFailure,
    PagerDutyForbidden,
    PagerDutyNotFound,
    PagerDutyRefused,
    PagerDutyUnauthorized,
    PagerDutyUnavailable,
)
from bot.pagerduty.fields import text, whole

ALREADY_RESOLVED = 1001
ALREADY_ACKNOWLEDGED = 1002
CANNOT_ESCALATE = 1006
ARGUMENTS_CAUSED_ERROR = 2002

_KIND_BY_CODE: Mapping[int, type[PagerDutyFailure]] = {
    1004: PagerDutyNotFound,  # invalid id
    1018: PagerDutyForbidden,  # requester not authorized
    2006: PagerDutyUnauthorized,
    2010: PagerDutyForbidden,  # access denied
    2016: PagerDutyUnavailable,  # took too long
    2018: PagerDutyNotFound,  # access lost once resolved
    2020: PagerDutyUnavailable,  # rate limit
    2100: PagerDutyNotFound,
    5001: PagerDutyNotFound,
    5002: PagerDutyNotFound,
}
_KIND_BY_STATUS: Mapping[int, type[PagerDutyFailure]] = {
    401: PagerDutyUnauthorized,
    403: PagerDutyForbidden,
    404: PagerDutyNotFound,
    408: PagerDutyUnavailable,
    429: PagerDutyUnavailable,
}
_PLAIN: Mapping[int, str] = {
    401: "PagerDuty does not accept these credentials",
    402: "This PagerDuty account's plan does not include that",
    403: "PagerDuty does not allow this",
    404: "PagerDuty does not know this",
    413: "That is too much for one request",
    429: "PagerDuty is limiting requests",
}
_LONGEST = 300  # characters of a message of PagerDuty's that we pass on
_MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """An error body read: `code` 0 and `message` "" when it had none."""

    code: int = 0
    message: str = ""
    reasons: tuple[str, ...] = ()


def read_problem(body: str) -> Problem:
    """Documented: `{"error": {"code", "message", "errors": […]}}`. Met beside it: `errors` missing, empty or
    a plain string; `error` a list of strings or a string; a proxy's page; nothing at all.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return Problem()
    if not isinstance(told, dict):
        return Problem()
    error = told.get("error", told)
    if not isinstance(error, dict):
        reasons = _reasons(error)
        return Problem(message=reasons[0] if reasons else "", reasons=reasons)
    return Problem(
        whole(error.get("code")) or 0, _short(error.get("message")) or "", _reasons(error.get("errors"))
    )


def _reasons(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(short for item in listed[:_MOST_REASONS] if (short := _short(item)))


def _short(value: Any) -> str | None:
    told = text(value)
    return " ".join(told.split())[:_LONGEST] if told else None


def failure_of(
    status: int, body: str, *, is_write: bool, request_id: str | None, retry_after: float | None = None
) -> PagerDutyFailure:
    """The failure to raise. A write that was answered with trouble may have been carried out all the same."""
    problem = read_problem(body)
    kind = _KIND_BY_STATUS.get(status) or _KIND_BY_CODE.get(problem.code) or PagerDutyRefused
    if status >= 500 or status < 400:
        kind = PagerDutyUnavailable
    plain = _PLAIN.get(status, f"PagerDuty answered {status}")
    return kind(
        plain if status >= 500 else problem.message or plain,
        code=problem.code,
        status=status,
        reasons=problem.reasons,
        request_id=request_id,
        retry_after=retry_after,
        maybe_done=is_write and kind is PagerDutyUnavailable and problem.code != 2020 and status != 429,
    )
