"""How long each thing may take on a game day, in one place, and why. Seconds.

The bot's own share is what docs/promises.md holds by tests: a message within a second of its webhook. The
rest is the way from PagerDuty to the bot and from the bot to the channel, which no test of ours can promise.
"""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE = 4.0
"""Times its budget that a thing is waited for, unless told otherwise: later it is late, and then missing."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`seconds` until it must be seen, and `why` so many."""

    seconds: float
    why: str

    def longer_by(self, seconds: float) -> Budget:
        """The same after something that takes so long has passed."""
        return Budget(self.seconds + seconds, self.why)


OPENED = Budget(15.0, "the Events API answers before there is an incident; PagerDuty makes it within seconds")
SHOWN = Budget(10.0, "PagerDuty sends its webhook within seconds, and the bot needs one (docs/promises.md)")
LEVEL = Budget(10.0, "webhooks do not tell the level: the bot asks PagerDuty for it after the message stands")
READABLE = Budget(30.0, "docs/storms.md: 100 incidents in a channel are visible within 9 s of their webhooks")
TRUE_IN_STORM = Budget(45.0, "docs/storms.md: what no edit has shown is told in a news post after 30 s")
FOLDED = Budget(60.0, "after STORM_CALM_SECONDS without news, pages become a summary")
LIMITED = Budget(15.0, "SHOWN, and a try in vain; Slack's own Retry-After is added to it")
TOLD_AWAY = Budget(20.0, "a reading tried five times, and a look every 5 s; AS_OF_SECONDS is added to it")
CAUGHT_UP = Budget(30.0, "the look every 5 s, then a sweep of everything open, then the edit")
