"""Spans as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.command.spans import span


@pytest.mark.parametrize(
    ("word", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("30min", timedelta(minutes=30)),
        ("24h", timedelta(hours=24)),
        ("7D", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("24", None),
        ("h", None),
        ("", None),
        ("0h", None),
        ("-1h", None),
        ("1y", None),
        ("99999d", None),
        ("99999999999999h", None),
        ("٣h", None),
        ("2026-11-01", None),
    ],
)
def test_a_span_is_understood_or_not_taken(word: str, length: timedelta | None) -> None:
    assert span(word) == length
