"""How fast we may call Slack: token buckets in the database, one budget for all replicas.

Asked in the transaction that begins a call (bot/store/turns.py), moved by Slack's `Retry-After`. A bucket
belongs to a workspace and is a method (`chat.update`) or a channel's posts (`post:C123`). What Slack really
allows is learnt: a 429 that our own rate can have caused halves a bucket's rate, and every quiet minute or
two doubles it again up to its setting. Limits: chat.postMessage about 1/s and channel and "several hundred"
per minute and workspace, chat.update, chat.delete and conversations.* 50 per minute (Slack's rate limit page,
tier 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, type_coerce

from bot.model import Channel
from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.tables import pace
from bot.store.upsert import insert_into

POSTS = "chat.postMessage"
UPDATES = "chat.update"
DELETES = "chat.delete"
HISTORY = "conversations.history"
REPLIES = "conversations.replies"
SLOWEST = 1 / 4
"""A bucket never learns a rate below this share of its setting: one more 429, which says how long to wait,
costs less than news that is minutes old.
"""
RECOVERY_SECONDS = 90.0
"""Quiet time after which a learnt rate doubles."""
HARDLY_USED = 0.5
"""A 429 while this share of a bucket is left was not for our rate: it is waited out, and teaches nothing."""
AGAIN_SECONDS = 10.0
"""One that comes so soon after the end of another teaches, whatever is left."""
CLICKS_SHARE = 0.2
"""Of the edits: kept back for answers to people's clicks."""


def channel_posts(channel: Channel) -> str:
    """The bucket of one channel's posts."""
    return f"post:{channel.id}"


@dataclass(frozen=True, slots=True)
class PaceLimits:
    """What Slack is trusted to allow, until it says otherwise."""

    channel_per_second: float = 1.0
    channel_burst: int = 3
    posts_per_minute: int = 300
    updates_per_minute: int = 50
    others_per_minute: int = 50

    def bucket(self, name: str) -> Bucket:
        """Size and rate of a bucket. The size is part of what a minute allows: no minute sees more."""
        if name.startswith("post:"):
            return Bucket(float(self.channel_burst), self.channel_per_second)
        per_minute = {POSTS: self.posts_per_minute, UPDATES: self.updates_per_minute}.get(
            name, self.others_per_minute
        )
        size = max(1.0, per_minute / 5)
        return Bucket(size, max(per_minute - size, 1.0) / 60)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Holds `size` tokens, refilled by `rate` per second."""

    size: float
    rate: float


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call takes from a bucket. `reserve`: the share of the bucket it must leave for others."""

    bucket: str
    cost: float = 1.0
    reserve: float = 0.0


@dataclass(frozen=True, slots=True)
class Level:
    """A bucket as last written down."""

    tokens: float
    at: datetime
    blocked_until: datetime | None
    factor: float


def learnt(level: Level, now: datetime) -> float:
    """The share of its rate a bucket may use: `factor`, doubled for every quiet stretch since the block."""
    if level.factor >= 1 or level.blocked_until is None:
        return 1.0
    quiet = max(0.0, (now - level.blocked_until).total_seconds())
    return float(min(1.0, level.factor * 2 ** (quiet / RECOVERY_SECONDS)))


def refilled(level: Level, bucket: Bucket, now: datetime) -> float:
    """The tokens in it now."""
    passed = max(0.0, (now - level.at).total_seconds())
    return min(bucket.size, level.tokens + passed * bucket.rate * learnt(level, now))


def wait(level: Level, bucket: Bucket, charge: Charge, now: datetime) -> float:
    """Seconds until the charge can be paid; 0 when it can be now."""
    blocked = (level.blocked_until - now).total_seconds() if level.blocked_until else 0.0
    missing = charge.cost + charge.reserve * bucket.size - refilled(level, bucket, now)
    # Rounding must not turn a token that is all but there into a wait of a microsecond.
    short = missing / (bucket.rate * learnt(level, now)) if missing > 1e-6 else 0.0
    return max(0.0, blocked, short)


def _teaches(level: Level, bucket: Bucket, now: datetime) -> bool:
    """Whether a 429 now can be for how fast we call."""
    again = level.blocked_until is not None and (now - level.blocked_until).total_seconds() < AGAIN_SECONDS
    return again or refilled(level, bucket, now) < HARDLY_USED * bucket.size


class Pace:
    """Spends and moves the buckets of all workspaces."""

    def __init__(self, database: Database, limits: PaceLimits | None = None) -> None:
        self._database = database
        self.limits = limits or PaceLimits()

    async def spend(self, team_id: str, charges: Sequence[Charge]) -> float:
        """As `spend_in`, by itself."""
        return await self._database.transact(lambda connection: self.spend_in(connection, team_id, charges))

    def spend_in(self, connection: Connection, team_id: str, charges: Sequence[Charge]) -> float:
        """All charges or none, in the caller's transaction (`Database.transact`).

        Seconds to wait before asking again, the longest when they cannot all be paid; 0: paid, go.
        """
        now, levels = self._levels(connection, team_id, [charge.bucket for charge in charges])
        longest = max(
            (wait(levels[c.bucket], self.limits.bucket(c.bucket), c, now) for c in charges), default=0.0
        )
        if longest > 0:
            return longest
        for charge in charges:
            level = levels[charge.bucket]
            left = refilled(level, self.limits.bucket(charge.bucket), now) - charge.cost
            factor = learnt(level, now)
            self._save(
                connection,
                team_id,
                charge.bucket,
                # A rate still below its setting goes on being counted from the block that taught it.
                Level(left, now, level.blocked_until, 1.0 if factor >= 1 else level.factor),
            )
        return 0.0

    async def blocked(self, team_id: str, bucket: str, seconds: float) -> None:
        """Slack limited this bucket: nothing for `seconds`, and half the rate then if it can be for ours."""
        await self._database.transact(lambda connection: self._block(connection, team_id, bucket, seconds))

    async def post_blocked(self, channel: Channel, seconds: float) -> None:
        """Slack limited a post. Its answer does not tell whether the channel or the workspace is meant: the
        channel is taken for it, unless another one is blocked at the same time.
        """
        own = channel_posts(channel)

        def block(connection: Connection) -> None:
            self._block(connection, channel.team_id, own, seconds)
            others = connection.execute(
                select(func.count())
                .select_from(pace)
                .where(
                    pace.c.team_id == channel.team_id,
                    pace.c.bucket.startswith("post:", autoescape=True),
                    pace.c.bucket != own,
                    pace.c.blocked_until > self._database.now_sql(),
                )
            )
            if others.scalar_one():
                self._block(connection, channel.team_id, POSTS, seconds)

        await self._database.transact(block)

    def _block(self, connection: Connection, team_id: str, bucket: str, seconds: float) -> None:
        now, levels = self._levels(connection, team_id, [bucket])
        level = levels[bucket]
        until = datetime.fromtimestamp(now.timestamp() + seconds, now.tzinfo)
        if level.blocked_until is not None and level.blocked_until > until:
            until = level.blocked_until
        factor = learnt(level, now)
        if _teaches(level, self.limits.bucket(bucket), now):
            factor = max(SLOWEST, factor / 2)
        # When the block ends one call may go at once, whatever it must leave; the rest fills from there.
        left = 1.0 + CLICKS_SHARE * self.limits.bucket(bucket).size
        self._save(connection, team_id, bucket, Level(left, until, until, factor))

    def _levels(
        self, connection: Connection, team_id: str, buckets: Iterable[str]
    ) -> tuple[datetime, dict[str, Level]]:
        """The buckets, locked in one order so that no two spenders deadlock; unknown ones are full."""
        names = sorted(set(buckets))
        clock = type_coerce(self._database.now_sql(), Moment).label("now")
        found = connection.execute(
            select(pace, clock)
            .where(pace.c.team_id == team_id, pace.c.bucket.in_(names))
            .order_by(pace.c.bucket)
            .with_for_update()
        )
        rows = found.all()
        now: datetime = rows[0].now if rows else connection.execute(select(clock)).scalar_one()
        known = {row.bucket: Level(row.tokens, row.at, row.blocked_until, row.factor) for row in rows}
        return now, {
            name: known.get(name) or Level(self.limits.bucket(name).size, now, None, 1.0) for name in names
        }

    def _save(self, connection: Connection, team_id: str, bucket: str, level: Level) -> None:
        values = {
            "tokens": level.tokens,
            "at": level.at,
            "blocked_until": level.blocked_until,
            "factor": level.factor,
        }
        connection.execute(
            insert_into(pace, self._database.dialect)
            .values(team_id=team_id, bucket=bucket, **values)
            .on_conflict_do_update(index_elements=[pace.c.team_id, pace.c.bucket], set_=values)
        )
