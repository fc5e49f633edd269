"""A fake PagerDuty: a stateful program over real HTTP that answers, escalates and sends webhooks as
PagerDuty does.

::

    REST ─────► front ─► rest/* ─► edits ─► lifecycle ─► announcements ─► deliveries ─► the bot's webhook
    Events ───► events_api ──────────────────►│   ▲           └─► listen(): the page
    /control ─► control ─────────────────────►│   └── timers: escalation, timeouts, snoozes
    /oauth ───► oauth_routes ─► oauth ─► access   └─► state

`state.py` holds what is true, `*_body.py` and `references.py` write it as JSON, `wire.py` keeps the journal
and lets faults strike.
"""

from __future__ import annotations

from bot.sandbox.pagerduty.announcements import Change, Listener
from bot.sandbox.pagerduty.failures import ApiError
from bot.sandbox.pagerduty.journal import Exchange
from bot.sandbox.pagerduty.server import FakePagerDuty
from bot.sandbox.pagerduty.state import Incident

__all__ = ["ApiError", "Change", "Exchange", "FakePagerDuty", "Incident", "Listener"]
