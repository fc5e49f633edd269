"""How often each identity calls PagerDuty, and how often it is refused: counted here in memory, written down
by bot/delivery/usage.py every minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REFUSALS = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls, and how many of them were answered 401 or 403."""

    calls: int = 0
    refused: int = 0

    def __add__(self, other: Counted) -> Counted:
        return Counted(self.calls + other.calls, self.refused + other.refused)


class Tally:
    """By the label of the credentials: `account`, or a Slack user (`T0ACME:U0ALICE`)."""

    def __init__(self) -> None:
        self._counted: dict[str, Counted] = {}

    def count(self, label: str, status: int) -> None:
        """One call; `status` 0: no answer came. Without a label it is nobody's yet, and not counted."""
        if label:
            self._add(label, Counted(1, int(status in REFUSALS)))

    def take(self) -> Mapping[str, Counted]:
        """What was counted since the last time."""
        taken, self._counted = self._counted, {}
        return taken

    def give_back(self, counted: Mapping[str, Counted]) -> None:
        """It could not be written down: it counts with what comes."""
        for label, some in counted.items():
            self._add(label, some)

    def _add(self, label: str, some: Counted) -> None:
        self._counted[label] = self._counted.get(label, Counted()) + some
