"""What PagerDuty answered to the writes of one act, for the audit.

A desk (bot/command/desk.py) hands one to the client it acts through; bot/pagerduty/http.py writes in it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Journal:
    """The last write's HTTP status (0: no answer came, None: nothing was written) and PagerDuty's
    `x-request-id`, of success and failure alike.
    """

    status: int | None = None
    request_id: str | None = None

    def wrote(self, status: int, request_id: str | None) -> None:
        """A write was sent, and so it was answered."""
        self.status = status
        self.request_id = request_id
