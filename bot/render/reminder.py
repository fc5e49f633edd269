"""The one friendly message to somebody who goes on call and is not linked yet (bot/command/reminding.py)."""

from __future__ import annotations

from datetime import datetime

from bot.model import OnCall
from bot.render import text
from bot.render.blocks import actions, context, link_button, section
from bot.render.limits import Rendered, finish
from bot.render.own_link import LABEL
from bot.render.rotas import place
from bot.render.text import bold, line

_GIVES = (
    "Link your PagerDuty account now, and *Acknowledge*, *Resolve* and all the rest work from Slack at the "
    "first press, in your own name."
)
_EFFORT = "It takes ten seconds, and gives no more rights than you have in PagerDuty."


def reminder(shift: OnCall, *, now: datetime, url: str, ticket: str, slash: str = "/pager") -> Rendered:
    """`shift` with its times in the person's own zone (aware); `url` is what the button opens, `ticket` the
    value it carries.
    """
    where = place(shift)
    blocks = [
        section(f":wave:  {bold(_when(shift, now))}\n{where[:1].upper()}{where[1:]}"),
        section(_GIVES),
        actions([link_button(LABEL, url, "link", value=ticket)]),
        context(f"{_EFFORT} `{slash} link` does the same, and `{slash} unlink` takes it back."),
    ]
    plain = f"{_when_plain(shift, now)}, {where}. {_GIVES.replace('*', '')} {_EFFORT}"
    return finish(f"{plain} Press the button, or type {slash} link.", blocks)


def _when(shift: OnCall, now: datetime) -> str:
    if shift.start is not None and shift.start > now:
        return text.day(shift.start, "You go on call: ")
    return text.day(shift.end, "You are on call until ") if shift.end else "You are on call, always"


def _when_plain(shift: OnCall, now: datetime) -> str:
    if shift.start is not None and shift.start > now:
        return f"You go on call {_local(shift.start)}"
    return f"You are on call until {_local(shift.end)}" if shift.end else "You are on call, always"


def _local(at: datetime) -> str:
    """`Mon Oct 26, 09:00 (Europe/Berlin)`: a notification knows nothing of the reader's clock."""
    return f"{at:%a} {at:%b} {at.day}, {at:%H:%M} ({line(str(at.tzinfo), 60)})"
