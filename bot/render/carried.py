"""What a button carries for a command: argument words, or its values by name where words could be misread.

`ack Q1` is words. A note may begin with what looks like an incident, and an incident's details cannot be
typed at all, so those travel as they are: `note {"incident":"Q1","text":"PROD is back"}`. Written for the
buttons of bot/render/problems.py, read by bot/inbound/slack_payloads.py; to all else it is a form that was
submitted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

MOST = 2000  # characters of a button's value, Slack's limit


def carried(verb: str, fields: Mapping[str, str]) -> str:
    """The value of a button that runs `verb` with these values (argument name → text)."""
    # ASCII only: reading a line makes curly quotes straight, which would end a string early.
    return f"{verb} {json.dumps(dict(fields), separators=(',', ':'))}"


def read_carried(value: str) -> tuple[str, Mapping[str, str] | None]:
    """The words of a button's value, and the values it carries; None when it is words alone."""
    verb, _, rest = value.partition(" ")
    if not rest.startswith("{"):
        return value, None
    try:
        told = json.loads(rest)
    except (ValueError, RecursionError):
        return value, None
    return verb, {str(name): text for name, text in told.items() if isinstance(text, str)}
