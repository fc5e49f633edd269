"""The arguments of one Web API call: form, JSON or query, read with Slack's own complaints about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.answers import SlackError


class Arguments:
    """Values by name; everything may arrive as a string, because forms know nothing else."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name, default)
        return value if isinstance(value, str) else str(value)

    def required(self, name: str) -> str:
        """Raises `invalid_arguments` when the argument is missing or empty."""
        if not (value := self.text(name)):
            raise SlackError("invalid_arguments", messages=[f"[ERROR] missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in ("1", "true", "yes")

    def number(self, name: str, default: int, *, most: int, code: str = "invalid_limit") -> int:
        """A whole number from 1 to `most`; more is cut to `most`, as Slack does. Raises `code`."""
        try:
            value = int(float(self.text(name, str(default))))
        except ValueError:
            raise SlackError(code) from None
        if value < 1:
            raise SlackError(code)
        return min(value, most)

    def json(self, name: str, code: str) -> Any:
        """A structure, which forms carry as JSON text; None when not sent. Raises `code` when unreadable."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(code) from None


def page(items: list[Any], arguments: Arguments, default: int, most: int) -> tuple[list[Any], str]:
    """The part of `items` that `cursor` and `limit` ask for, and the next cursor (empty on the last page)."""
    limit = arguments.number("limit", default, most=most)
    cursor = arguments.text("cursor")
    if cursor and not (cursor.startswith("next:") and cursor[5:].isdigit()):
        raise SlackError("invalid_cursor")
    start = int(cursor[5:]) if cursor else 0
    following = start + limit
    return items[start:following], f"next:{following}" if following < len(items) else ""
