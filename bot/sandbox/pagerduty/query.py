"""Query parameters and classic pagination, with PagerDuty's defaults and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from bot.sandbox.pagerduty.failures import invalid_input
from bot.sandbox.pagerduty.state import Json

DEFAULT_LIMIT = 25
LARGEST_LIMIT = 100
DEEPEST = 10_000

Item = TypeVar("Item")


class Query:
    """Reads what a client sent: repeated `name[]`, lower-case booleans, ISO 8601 times."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def all(self, name: str) -> list[str]:
        return list(self._values.get(f"{name}[]", ()))

    def get(self, name: str) -> str | None:
        found = self._values.get(name)
        return found[-1] if found else None

    def include(self) -> frozenset[str]:
        return frozenset(self.all("include"))

    def flag(self, name: str) -> bool:
        """Only lower-case `true` counts; PagerDuty does not know Python's `True`."""
        return self.get(name) == "true"

    def integer(self, name: str, default: int) -> int:
        value = self.get(name)
        if value is None:
            return default
        if not value.isdecimal():
            raise invalid_input(f"{name.capitalize()} must be a non-negative integer")
        return int(value)

    def time(self, name: str) -> datetime | None:
        """A time; without an offset it is taken as the account's zone, which is UTC here."""
        value = self.get(name)
        if value is None:
            return None
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise invalid_input(f"{name.capitalize()} is not a valid ISO 8601 time") from None
        return at if at.tzinfo else at.replace(tzinfo=UTC)


def page(name: str, items: Sequence[Item], query: Query, write: Callable[[Item], Json]) -> Json:
    """The asked part of a list under its plural, with `limit`, `offset`, `more` and `total`."""
    limit = min(query.integer("limit", DEFAULT_LIMIT), LARGEST_LIMIT)
    offset = query.integer("offset", 0)
    if limit < 1:
        raise invalid_input("Limit must be at least 1")
    if offset + limit > DEEPEST:
        raise invalid_input(f"Offset plus limit must be at most {DEEPEST}")
    part = items[offset : offset + limit]
    return {
        name: [write(item) for item in part],
        "limit": limit,
        "offset": offset,
        "total": len(items) if query.flag("total") else None,
        "more": offset + limit < len(items),
    }
