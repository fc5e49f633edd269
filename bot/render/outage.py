"""What a channel is told once while PagerDuty does not answer: as of when it shows the truth."""

from __future__ import annotations

from datetime import datetime

from bot.render.blocks import section
from bot.render.limits import Rendered, finish
from bot.render.text import clock, clock_utc


def away(since: datetime) -> Rendered:
    """Posted once per channel that shows open incidents."""
    said = "PagerDuty does not answer me. What this channel shows is as of"
    then = "I keep asking, and will say here when it is back."
    return finish(
        f"{said} {clock_utc(since)}. {then}", [section(f":warning:  {said} *{clock(since)}*.\n{then}")]
    )


def back(until: datetime) -> Rendered:
    """Takes the place of the note above when it is over."""
    said = "PagerDuty answers again since"
    then = "Everything this channel shows has been read anew."
    return finish(
        f"{said} {clock_utc(until)}. {then}",
        [section(f":white_check_mark:  {said} {clock(until)}. {then}")],
    )
