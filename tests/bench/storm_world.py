"""The storm the simulation plays, in virtual time: incidents, a Slack with limits, and who sees what when.

Seconds are virtual throughout. An incident triggers within the first minute, is acknowledged 1–3 min later
and resolved 5–15 min after that; rows have the lengths the bot's own rendering gives them.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.model import Incident, Priority, Reference, Status, Urgency
from bot.render.storm import row_length

TRIGGER_WITHIN = 60.0
ACK_AFTER = (60.0, 180.0)
RESOLVE_AFTER = (300.0, 900.0)
P1_SHARE = 0.05
SERVICES = ("Checkout", "Search", "Login", "Payments", "Ledger", "Mail")
PEOPLE = ("Alice Anderson", "Bob Brown", "Carol Chen")
TITLES = (
    "Payment provider timeouts",
    "p99 latency above 2 s for 5 minutes in eu-west-1",
    "5xx above 1 %",
    "Queue depth above 10,000",
    "Pod checkout-worker-7f9c restarts",
    "Index lag above 60 s on shard 4",
    "Disk 95 % full on db-main-3.internal",
)
RESOLVED_LENGTH = 68  # a linked number


@dataclass(frozen=True, slots=True)
class Play:
    """One incident of the storm: when it changes, and the room its row takes in each state."""

    number: int
    channel: int
    p1: bool
    moments: tuple[float, float, float]
    lengths: tuple[int, int, int]


def storm(incidents: int, channels: int, seed: int) -> list[Play]:
    """By the moment they trigger."""
    dice = random.Random(seed)
    found = []
    for number in range(incidents):
        triggered = dice.uniform(0, TRIGGER_WITHIN)
        taken = triggered + dice.uniform(*ACK_AFTER)
        over = taken + dice.uniform(*RESOLVE_AFTER)
        p1 = dice.random() < P1_SHARE
        one = _incident(number, dice, p1=p1)
        length = row_length(one)
        found.append(
            Play(number, number % channels, p1, (triggered, taken, over), (length, length, RESOLVED_LENGTH))
        )
    return sorted(found, key=lambda play: play.moments)


def _incident(number: int, dice: random.Random, *, p1: bool) -> Incident:
    ident = f"Q{dice.randrange(36**13):013d}"[:14]
    service = dice.choice(SERVICES)
    return Incident(
        id=ident,
        number=20_000 + number,
        title=f"{service}: {dice.choice(TITLES)}",
        status=Status.TRIGGERED,
        urgency=Urgency.HIGH,
        service=Reference(f"PSVC{service}", service),
        created_at=datetime(2026, 1, 15, tzinfo=UTC),
        url=f"https://acme.pagerduty.com/incidents/{ident}",
        priority=Priority("P1", "P1", 0) if p1 else None,
        assignees=(Reference("P1", dice.choice(PEOPLE)),),
    )


# -------------------------------------------------------------------------------------- Slack's limits


class Limits:
    """What Slack allows, as sliding minutes: a call beyond them is answered 429."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}
        self._channels: dict[int, tuple[float, float]] = {}
        self.calls: Counter[str] = Counter()
        self.limited: Counter[str] = Counter()

    def call(self, method: str, now: float, channel: int) -> bool:
        """True when Slack does it."""
        self.calls[method] += 1
        most = 300 if method == "posts" else 50
        seen = self._seen.setdefault(method, deque())
        while seen and seen[0] <= now - 60:
            seen.popleft()
        allowed = len(seen) < most
        if method == "posts":
            tokens, at = self._channels.get(channel, (4.0, now))
            tokens = min(4.0, tokens + (now - at))
            allowed = allowed and tokens >= 1
            self._channels[channel] = (tokens - 1 if allowed else tokens, now)
        if allowed:
            seen.append(now)
        else:
            self.limited[method] += 1
        return allowed


# ---------------------------------------------------------------------------------- who sees what when


@dataclass(slots=True)
class Stands:
    """A message in a channel: where (later is lower), and the revision it shows of each incident.

    News says what happened, which stays true whatever happens next.
    """

    position: float
    is_news: bool = False
    says: dict[int, int] = field(default_factory=dict)


class Readers:
    """Keeps every message and measures: when incidents became visible, and how long something was untrue.

    A message is untrue from a change until it is edited, deleted, or a message below it tells the truth.
    """

    def __init__(self, plays: Iterable[Play]) -> None:
        self.plays = {play.number: play for play in plays}
        self.revision = dict.fromkeys(self.plays, 0)
        self.visible: dict[int, float] = {}
        self.stale: list[float] = []
        self._about: dict[int, list[Stands]] = {}
        self._since: dict[int, float] = {}
        self.true_at = 0.0

    def changes(self, number: int, now: float) -> None:
        """PagerDuty says something new of it."""
        self.revision[number] += 1
        self._look(number, now)

    def stands(self, message: Stands, now: float, says: Mapping[int, int]) -> None:
        """A message was posted, edited, or deleted (it says nothing)."""
        before = set(message.says)
        message.says = dict(says)
        if not message.position:
            message.position = now
        for number in before | set(says):
            held = self._about.setdefault(number, [])
            if number in says and not any(one is message for one in held):
                held.append(message)
            if number not in says:
                held[:] = [one for one in held if one is not message]
            self.visible.setdefault(number, now)
            self._look(number, now)

    def _look(self, number: int, now: float) -> None:
        newest, held = self.revision[number], self._about.get(number, [])
        truth = max((one.position for one in held if one.says[number] == newest), default=-1.0)
        untrue = any(not one.is_news and one.says[number] != newest and one.position > truth for one in held)
        if untrue:
            self._since.setdefault(number, now)
        elif number in self._since:
            self.stale.append(now - self._since.pop(number))
            self.true_at = now

    @property
    def all_true(self) -> bool:
        """Everything that has happened is shown, and nothing else."""
        return not self._since and len(self.visible) == sum(1 for seen in self.revision.values() if seen)


def share(values: Sequence[float], part: float) -> float:
    """The value that this share stays below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
