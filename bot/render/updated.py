"""What came of changing an incident's fields: said privately, because its own message shows the new state."""

from __future__ import annotations

from collections.abc import Sequence

from bot.declaration import Reply
from bot.model import Incident
from bot.render.blocks import section
from bot.render.incident import name
from bot.render.limits import reply
from bot.render.text import line

_LIMIT = 90  # characters of a title in an answer


def changed_words(changed: Sequence[tuple[str, str]]) -> str:
    """`status acknowledged, urgency high`; plain, nothing escaped."""
    return ", ".join(f"{what} “{value}”" if what == "title" else f"{what} {value}" for what, value in changed)


def updated(incident: Incident, changed: Sequence[tuple[str, str]]) -> Reply:
    """The fields that are new, with their values."""
    told = line(changed_words(changed), 400)
    blocks = [section(f":white_check_mark:  Updated {name(incident, _LIMIT)}: {told}.")]
    return reply(f"Updated {incident.label}: {told}.", blocks)


def already_so(incident: Incident) -> Reply:
    """Nothing was left to change."""
    told = "is so already; nothing was done."
    return reply(
        f"{incident.label} {told}", [section(f":white_check_mark:  {name(incident, _LIMIT)} {told}")]
    )


def left_alone(incident: Incident, reason: str) -> Reply:
    """PagerDuty would refuse it, or do what nobody wants; `reason` says why and what to do instead."""
    told = f"was left as it is. {line(reason)}"
    return reply(
        f"{incident.label} {told}", [section(f":information_source:  {name(incident, _LIMIT)} {told}")]
    )
