"""Which one call makes a message true, and in what order calls are worth making. Pure: values in, values out.

The loop (bot/delivery/loop.py) asks the database for candidates, this module decides, bot/delivery/posting.py
and lookup.py act.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from bot.delivery.storm import Tuning, own_seconds
from bot.store.rows import IN_DOUBT, MOST_REPOSTS, SETTLING, Candidate, Message, Shown, Standing, ThreadLine

LOOK_BACK = timedelta(minutes=1)
"""A look-up starts this long before the post was begun: Slack's clock gives the `ts`, not ours."""


@dataclass(frozen=True, slots=True)
class Post:
    """Post it: nothing stands in the channel."""


@dataclass(frozen=True, slots=True)
class Update:
    """Edit the message `ts`: it shows an older revision, or nobody knows what.

    `settled`: when it was last edited, if its look was in doubt then and nothing begun before can still be
    carried out. `confirms`: that is the only reason; most probably it is true.
    """

    ts: str
    settled: datetime | None = None
    confirms: bool = False


@dataclass(frozen=True, slots=True)
class LookUp:
    """Find out whether a post of unknown outcome stands in the channel, in what was said since `oldest`."""

    oldest: datetime


Call = Post | Update | LookUp


def next_call(
    message: Message, standing: Standing, shown: Shown | None, *, now: datetime, settled_after: timedelta
) -> Call | None:
    """The one Slack call that brings the message nearer to showing the incident as it is; None: it is true.

    `settled_after` a call of unknown outcome was begun, Slack has carried it out or never will. A post is
    looked up then, and until then nothing is done about it; an edit is made again at once, and once more
    then. A message that stands is kept true first, and then looked for a second time. `now` is of the
    database's clock, as is all in the row.
    """
    look_up = None
    if message.posting_since is not None and now - message.posting_since >= settled_after:
        look_up = LookUp(message.posting_since - LOOK_BACK)
    if message.ts is None:
        may_post = message.posting_since is None and _may_post(message, standing)
        return Post() if may_post else look_up
    if message.gone is not None:
        return look_up
    settled = None
    if shown is not None and shown.hash == SETTLING and shown.at is not None:
        settled = shown.at if now - shown.at >= settled_after else None
    if shown is None or shown.revision < standing.revision or shown.hash == IN_DOUBT:
        return Update(message.ts, settled)
    return look_up or (None if settled is None else Update(message.ts, settled, confirms=True))


def _may_post(message: Message, standing: Standing) -> bool:
    if message.gone is None and message.reposts == 0:
        return True
    # Deleted by a person; without `gone` it was to be posted again, and Slack has not taken that yet.
    return standing.is_open and (message.gone is None or message.reposts < MOST_REPOSTS)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a look-up found: the message to keep (None: nothing stands there), and extra ones to delete."""

    keep: str | None
    extras: tuple[str, ...] = ()


def settle(found: Iterable[str], known: str | None) -> Settled:
    """The known message stays; otherwise the oldest found one: people may have answered it already."""
    stamps = sorted(set(found), key=_moment)
    keep = known or (stamps[0] if stamps else None)
    return Settled(keep, tuple(ts for ts in stamps if ts != keep))


def _moment(ts: str) -> tuple[int, int]:
    seconds, _, fraction = ts.partition(".")
    return int(seconds), int(fraction or 0)


# ------------------------------------------------------------------------------------------------------ order


class Urgent(IntEnum):
    """What goes first where calls compete; smaller is sooner."""

    CLICK = 1  # the answer a person waits for
    PAGE = 2  # of a storm: a page or news, which show many incidents at once
    FIRST_POST = 3
    UPDATE = 4
    BROADCAST = 5  # a thread line for the whole channel
    LATE_POST = 6  # the first one of what is over already: missing weighs more than a detail in a thread
    LINE = 7
    CONFIRMING = 8  # what is most probably true
    CLEARING = 9  # away with what shows nothing any more


UNKNOWN_RANK = 50


def worth(candidate: Candidate, call: Call, tuning: Tuning) -> tuple[float, ...]:
    """Sorts candidates, the most worthwhile first; `tuning` weighs those of a channel in storm."""
    standing = candidate.standing
    waited = (candidate.asked_at - candidate.since).total_seconds()
    rank = UNKNOWN_RANK if standing.rank is None else standing.rank
    low = standing.urgency.value == "low"
    if isinstance(call, Update):
        if call.confirms:
            return (Urgent.CONFIRMING, 0, 0, -waited)
        if candidate.answers_a_click:
            return (Urgent.CLICK, 0, 0, -waited)
        # Each edit ends one message's staleness: the longest stale one first removes the most seconds.
        if candidate.in_storm:
            waited = own_seconds(waited, tuning, in_hand=standing.is_in_hand)
        return (Urgent.UPDATE, 0, 0, -waited)
    if isinstance(call, LookUp) and candidate.message.ts is not None:
        return (Urgent.CONFIRMING, 0, 0, -waited)  # for a second one
    urgent = Urgent.FIRST_POST if standing.is_open else Urgent.LATE_POST
    return (urgent, rank, low, -waited)


def line_worth(line: ThreadLine, now: datetime) -> tuple[float, ...]:
    """As `worth`, for a thread line: after the messages of what is open."""
    urgent = Urgent.BROADCAST if line.story.broadcast else Urgent.LINE
    return (urgent, 0, 0, -(now - line.since).total_seconds())
