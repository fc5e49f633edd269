"""Incidents and story lines as JSON text in the database, and text from outside made fit to be stored.

PostgreSQL stores no NUL character, and neither database half of a surrogate pair; both can arrive in JSON.
They are replaced before anything is compared or saved, so that hostile text is kept as far as it can be and
breaks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.events import Event, StoryLine
from bot.model import Incident

INCIDENT = TypeAdapter(Incident)
STORY_LINE = TypeAdapter(StoryLine)

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"
Value = TypeVar("Value")


def dump_incident(incident: Incident) -> str:
    return INCIDENT.dump_json(incident).decode()


def load_incident(text: str) -> Incident:
    return INCIDENT.validate_json(text)


def dump_line(line: StoryLine) -> str:
    return STORY_LINE.dump_json(line).decode()


def load_line(text: str) -> StoryLine:
    return STORY_LINE.validate_json(text)


def storable(value: Value) -> Value:
    """The same value, with what cannot be stored replaced in every text of it."""
    return _storable(value)  # type: ignore[no-any-return]


def storable_event(event: Event) -> Event:
    """The event fit to be stored; looked at closely only when its body holds escapes."""
    raw = event.raw
    is_plain = "\\u" not in raw and "\x00" not in raw and (raw.isascii() or not UNSTORABLE.search(raw))
    return event if raw and is_plain else storable(event)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        clean = UNSTORABLE.sub(REPLACEMENT, value)
        # An enum's member is a str too, and never needs it.
        return value if clean == value else clean
    if isinstance(value, tuple):
        return tuple(_storable(item) for item in value)
    if isinstance(value, Mapping):
        return {name: _storable(item) for name, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: clean
            for field in fields(value)
            if (clean := _storable(was := getattr(value, field.name))) is not was and clean != was
        }
        return replace(value, **changed) if changed else value
    return value
