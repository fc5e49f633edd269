"""Which buttons stand on an incident's message, from the declarations alone: at most three, then a menu of
four and More…

A control is drawn only for a verb that exists and applies now, and carries nothing but argument words. The
order is the declarations' `rank`: Resolve and Escalate keep their places when Acknowledge has done its
work, so that a late second press never resolves what somebody only meant to acknowledge.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.declaration import Button, Place
from bot.model import Incident
from bot.render.blocks import Block, Choice, actions, button, overflow

MOST_BUTTONS = 3
MOST_IN_MENU = 4  # and More… makes five, Slack's limit

Declared = tuple[str, Button]


def applying(incident: Incident, declared: Sequence[Declared]) -> list[Declared]:
    """The verbs that apply to the incident as it is, in their order; without More… itself."""
    found = [(verb, one) for verb, one in declared if one.place is not Place.LAST and one.when(incident)]
    return sorted(found, key=lambda pair: pair[1].rank_for(incident))


def row(incident: Incident, declared: Sequence[Declared]) -> list[Block]:
    """The row of an open incident: buttons, then the menu; nothing when nothing applies."""
    found = applying(incident, declared)
    shown = [pair for pair in found if pair[1].place is Place.BUTTON][:MOST_BUTTONS]
    rest = [pair for pair in found if pair not in shown]
    primary = next((pair for pair in shown if pair[1].style == "primary"), None)
    elements = [
        button(
            one.label,
            one.value(verb, incident),
            style="primary" if (verb, one) == primary else one.style if one.style == "danger" else None,
            spoken=f"{one.label} {incident.label}",
        )
        for verb, one in shown
    ]
    menu = _choices(incident, rest, _more(incident, declared) if found else [])
    if menu:
        elements.append(overflow(menu))
    return [actions(elements)] if elements else []


def resolved_menu(incident: Incident, declared: Sequence[Declared]) -> Block | None:
    """The small menu of a resolved incident: what still applies to it, or nothing at all."""
    found = applying(incident, declared)
    menu = _choices(incident, found, _more(incident, declared) if len(found) > MOST_IN_MENU else [])
    return overflow(menu) if menu else None


def _more(incident: Incident, declared: Sequence[Declared]) -> list[Declared]:
    return [(verb, one) for verb, one in declared if one.place is Place.LAST and one.when(incident)][:1]


def _choices(incident: Incident, rest: Sequence[Declared], more: Sequence[Declared]) -> list[Choice]:
    return [Choice(one.label, one.value(verb, incident)) for verb, one in [*rest[:MOST_IN_MENU], *more]]
