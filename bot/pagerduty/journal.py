"""Which calls one act made to PagerDuty and how they were answered, for the audit; and whether it may still
make one that writes.

A desk (bot/command/desk.py) hands one to the clients it reads and acts through; bot/pagerduty/http.py and
bot/pagerduty/events.py ask it before every try that they send, and write in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.errors import NotOursAnyMore
from bot.model import MadeCall
from bot.pagerduty.wire import HARMLESS


@dataclass(slots=True)
class Journal:
    """Every call, repeats too, in the order they were answered. `is_ours`: whether nobody else can have taken
    the act over by now; None where nobody can.
    """

    calls: list[MadeCall] = field(default_factory=list)
    is_ours: Callable[[], bool] | None = None

    def about_to_send(self, method: str) -> None:
        """Raises NotOursAnyMore for a write of an act whose lease has lapsed: whoever took it over looks it
        up, and tells the person that it was not done; they may have asked for it again.
        """
        if method not in HARMLESS and self.is_ours is not None and not self.is_ours():
            raise NotOursAnyMore("Its lease has lapsed.")

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
