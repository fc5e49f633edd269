"""What a person or a script writes, as the fields of an event (bot/pagerduty/event_fields.py): details,
times, links, and a summary that is cut when it is too long.

Pure; raises UserError for what cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from bot.errors import UserError
from bot.pagerduty.event_fields import LONGEST_SUMMARY, Image, Link


def fit_summary(text: str) -> tuple[str, bool]:
    """On one line and no longer than PagerDuty takes, the last character `…` when something was cut off; and
    whether it was.
    """
    text = " ".join(readable(text).split())
    if len(text) <= LONGEST_SUMMARY:
        return text, False
    return text[: LONGEST_SUMMARY - 1] + "…", True


def readable(text: str) -> str:
    """Without halves of characters, which a shell may hand over and JSON cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def read_details(texts: Iterable[str]) -> dict[str, Any]:
    """Custom details from `key=value` words or JSON objects, later ones over earlier. Raises UserError."""
    details: dict[str, Any] = {}
    for text in (readable(one).strip() for one in texts):
        if text.startswith("{"):
            details |= _json_object(text)
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UserError(f"“{text[:60]}” is no detail: write name=value, or a JSON object.")
        details[name.strip()] = value.strip()
    return details


def read_moment(text: str) -> datetime:
    """ISO 8601; UTC where it names no zone. Raises UserError."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UserError(f"“{text[:60]}” is no time: write it like 2026-11-01T08:30:00Z.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def read_link(text: str) -> Link:
    """`address words…`. Raises UserError."""
    href, _, words = readable(text).strip().partition(" ")
    return Link(href, words.strip())


def read_image(text: str) -> Image:
    """`address [link] words…`: a second address is where the image leads. Raises UserError."""
    src, _, rest = readable(text).strip().partition(" ")
    first, _, words = rest.strip().partition(" ")
    if first.startswith(("http://", "https://")):
        return Image(src, first, words.strip())
    return Image(src, "", rest.strip())


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise UserError("The details look like JSON and are none. Check quotes and commas.") from None
    if not isinstance(found, dict):
        raise UserError("The details must be a JSON object: {…}.")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
