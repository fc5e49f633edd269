"""Slack's rate limits, off until switched on: per method and workspace by the minute, posts also per channel.

Posting is about one message per second and channel with a short burst, and several hundred per minute and
workspace; the other methods have tiers of 1, 20, 50 and 100 per minute.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

POSTS_PER_CHANNEL_BURST = 3
POSTS_PER_CHANNEL_SECONDS = 1.0
_POSTS = "chat.postMessage"


@dataclass
class RateLimits:
    """`per_minute` replaces the tier of a method; refused calls do not count."""

    clock: Callable[[], float]
    enabled: bool = False
    per_minute: dict[str, int] = field(default_factory=dict)
    _calls: dict[str, deque[float]] = field(default_factory=dict)
    _channels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def refuse_for(self, method: str, tier: int, channel: str) -> int | None:
        """Whole seconds for `Retry-After`, or None when the call may go on (and has been counted)."""
        if not self.enabled:
            return None
        now = self.clock()
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= self.per_minute.get(method, tier):
            return max(1, math.ceil(calls[0] + 60 - now))
        if method == _POSTS and (wait := self._channel_wait(channel, now)):
            return wait
        calls.append(now)
        return None

    def _channel_wait(self, channel: str, now: float) -> int | None:
        tokens, at = self._channels.get(channel, (float(POSTS_PER_CHANNEL_BURST), now))
        tokens = min(float(POSTS_PER_CHANNEL_BURST), tokens + (now - at) / POSTS_PER_CHANNEL_SECONDS)
        if tokens < 1:
            self._channels[channel] = (tokens, now)
            return max(1, math.ceil((1 - tokens) * POSTS_PER_CHANNEL_SECONDS))
        self._channels[channel] = (tokens - 1, now)
        return None
