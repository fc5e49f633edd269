"""Reading JSON that may be anything: the value when it is there and of the right kind, None otherwise.

Under payloads.py (REST) and webhooks.py. PagerDuty's own documents contradict what it sends, so nothing here
ever fails. Text loses NUL and lone surrogates, which JSON may carry and no database or Slack takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.model import Agent, Bridge, Priority, Reference

LARGEST_NUMBER = 2**63 - 1  # what a database's integer holds
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd") | {0: None}


def text(value: Any) -> str | None:
    """A string that is not empty."""
    if not isinstance(value, str) or not value:
        return None
    if value.isascii() and "\0" not in value:
        return value
    return value.translate(_SURROGATES) or None


def whole(value: Any) -> int | None:
    """A non-negative whole number a database can hold."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_NUMBER:
        return value
    return None


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time, in UTC; one without an offset is taken as UTC."""
    written = text(value)
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; whatever else is in it is left out."""
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def reference(value: Any) -> Reference | None:
    """A reference or a whole object by id and display name; a name that is missing is the id."""
    body = mapping(value)
    id_ = text(body.get("id"))
    if id_ is None:
        return None
    name = text(body.get("summary")) or text(body.get("name")) or id_
    return Reference(id_, name, text(body.get("html_url")))


def references(value: Any) -> tuple[Reference, ...]:
    """Those in a list that have an id."""
    return tuple(found for item in objects(value) if (found := reference(item)))


def agent(value: Any) -> Agent | None:
    """Who or what did it."""
    body = mapping(value)
    id_ = text(body.get("id"))
    if id_ is None:
        return None
    kind = (text(body.get("type")) or "unknown").removesuffix("_reference")
    return Agent(id_, text(body.get("summary")) or text(body.get("name")), kind)


def priority(value: Any, ranks: Mapping[str, int]) -> Priority | None:
    """`ranks`: priority id → 0 for the most severe."""
    body = mapping(value)
    id_ = text(body.get("id"))
    if id_ is None:
        return None
    return Priority(id_, text(body.get("name")) or text(body.get("summary")) or id_, ranks.get(id_))


def bridge(value: Any) -> Bridge | None:
    """A conference bridge with a number, a URL, or both."""
    body = mapping(value)
    number, url = text(body.get("conference_number")), text(body.get("conference_url"))
    return Bridge(number, url) if number or url else None
