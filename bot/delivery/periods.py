"""The waits of delivery in one place, checked against each other. All are seconds of real time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Defaults as the settings have them; tests make them short, in the same order of size."""

    call: float = 5.0  # Slack's answer takes at most this long: the session's timeout
    lease: float = 15.0  # how long a channel is ours
    look_up_after: float = 15.0  # added to the call: then a post of unknown outcome can be looked up
    poll: float = 2.0  # the database is asked what to deliver even when nothing hints
    figures: float = 10.0  # the backlog is counted
    mentions: float = 5.0  # late mentions are tried
    tokens: float = 30.0  # a bad token is tried again
    closed: float = 300.0  # channels that refused us are looked at again
    hold: float = 2.0  # a workspace Slack could not be reached for is left alone

    def __post_init__(self) -> None:
        """Raises ValueError when a lease would end during the calls of a turn."""
        if self.lease < 2 * self.call:
            raise ValueError("a lease must last at least twice as long as a call to Slack")

    @property
    def settled(self) -> float:
        """From then on after its beginning, a post either stands in the channel or never will."""
        return self.call + self.look_up_after
