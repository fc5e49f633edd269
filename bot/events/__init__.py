"""How PagerDuty's events change an incident and tell its story. Pure, beside the model.

    fold(known, event)            the snapshot after an event
    take_reading(known, reading)  the snapshot after a REST read, or after the answer to our own write
    story_line(known, event)      what there is to tell; asked with the snapshot from *before* the fold
    marks_stale(event)            must REST be asked for the rest?
    EVENTS                        every event type, and what it does

`bot/pagerduty/webhooks.py` turns a webhook body into an `Event`; `bot/store/incidents.py` folds it into the
stored snapshot inside its transaction; `bot/render/thread.py` draws the `StoryLine`. Whether an event is
applied at all, or came too late, is the store's decision: nothing here compares clocks.
"""

from __future__ import annotations

from bot.events.folding import fold, take_reading
from bot.events.story import story_line
from bot.events.table import EVENTS, EventRule, News, marks_stale, rule_of
from bot.events.values import Event, StoryLine

__all__ = [
    "EVENTS",
    "Event",
    "EventRule",
    "News",
    "StoryLine",
    "fold",
    "marks_stale",
    "rule_of",
    "story_line",
    "take_reading",
]
