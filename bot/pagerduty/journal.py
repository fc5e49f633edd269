"""Which calls one act made to PagerDuty and how they were answered, for the audit.

A desk (bot/command/desk.py) hands one to the clients it reads and acts through; bot/pagerduty/http.py and
bot/pagerduty/events.py write in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.model import MadeCall
from bot.pagerduty.wire import HARMLESS


@dataclass(slots=True)
class Journal:
    """Every call, repeats too, in the order they were answered."""

    calls: list[MadeCall] = field(default_factory=list)

    def called(self, call: MadeCall) -> None:
        """It was sent, and so it was answered."""
        self.calls.append(call)

    @property
    def status(self) -> int | None:
        """The last write's HTTP status; 0: no answer came, None: nothing was written."""
        last = self._last_write
        return last.status if last else None

    @property
    def request_id(self) -> str | None:
        """PagerDuty's `x-request-id` of it, of success and failure alike."""
        last = self._last_write
        return last.request_id if last else None

    @property
    def _last_write(self) -> MadeCall | None:
        return next((one for one in reversed(self.calls) if one.method not in HARMLESS), None)
