"""Spans of time as people write them: `30m`, `24h`, `7d`, `2w`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

UNITS: Mapping[str, timedelta] = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
LONGEST = timedelta(days=3660)  # ten years: beyond that it is a slip of the hand


def span(word: str) -> timedelta | None:
    """How long `24h` is; None for a word that is no span, or one of no length or of too many years."""
    digits = word.casefold().rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = UNITS.get(word.casefold()[len(digits) :])
    if unit is None or not (digits.isascii() and digits.isdigit()) or len(digits) > 7:
        return None
    length = int(digits) * unit
    return length if timedelta() < length <= LONGEST else None
