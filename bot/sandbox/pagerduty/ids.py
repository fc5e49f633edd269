"""Ids and times the way PagerDuty writes them."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def _digits(number: int, alphabet: str, width: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, len(alphabet))
        text = alphabet[rest] + text
    return text.rjust(width, alphabet[0])


def incident_id(number: int) -> str:
    return f"Q{_digits(number, _BASE36, 7)}"


def id_maker(prefix: str) -> Callable[[], str]:
    """Ids that count up in base 36 behind a prefix, as `R00000A`."""
    counter = itertools.count(1)
    return lambda: prefix + _digits(next(counter), _BASE36, 9)


def event_id(at: datetime) -> str:
    """A webhook event's id: 26 characters that sort by time, as PagerDuty's `01…` ids do."""
    milliseconds = int(at.timestamp() * 1000)
    return _digits(milliseconds, _BASE32, 10) + _digits(secrets.randbits(80), _BASE32, 16)


def stamp(at: datetime) -> str:
    """REST times: UTC, whole seconds (`2026-02-03T04:05:06Z`)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(at: datetime | None) -> str | None:
    return stamp(at) if at else None


def stamp_milliseconds(at: datetime) -> str:
    """Webhook times: UTC with milliseconds (`2026-02-03T04:05:06.123Z`)."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
