"""Faults to play on the bot's calls: errors, limits, silence, and answers that never arrive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from bot.sandbox.slack.answers import Json

Mode = Literal["error", "rate_limit", "drop_after", "drop_before", "late", "hang", "server_error"]
RESPONSE_URL = "response_url"


@dataclass
class Fault:
    """Played on the next `count` calls of `method` (`*`: any; `response_url`: posts to one).

    `drop_after` carries the call out and then drops the connection; `late` drops it and carries the call out
    `seconds` later; `hang` waits `seconds` and answers, after carrying it out or, with `carried_out=False`,
    with an error. `channel` narrows it to one conversation.
    """

    method: str
    mode: Mode
    count: int = 1
    channel: str | None = None
    error: str = "internal_error"
    retry_after: int = 1
    seconds: float = 10.0
    carried_out: bool = True

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ValueError(f"No fault {self.mode!r}; there are: {', '.join(get_args(Mode))}.")

    @classmethod
    def from_json(cls, data: Json) -> Fault:
        """Raises ValueError for an unknown field or mode."""
        known = {"method", "mode", "count", "channel", "error", "retry_after", "seconds", "carried_out"}
        if unknown := set(data) - known:
            raise ValueError(
                f"A fault has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}."
            )
        return cls(**data)


@dataclass
class Faults:
    """What is still to be played, in the order it was asked for."""

    waiting: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, method: str, channel: str) -> Fault | None:
        """The fault for this call, counted down; None when it may go well."""
        for fault in self.waiting:
            if fault.method in (method, "*") and fault.channel in (None, channel):
                fault.count -= 1
                if fault.count <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
