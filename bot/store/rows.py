"""What the question "which message does not show what is true?" answers with: rows as values, no SQL.

bot/store/messages.py fills them, bot/delivery/reconcile.py decides on them, bot/store/turns.py begins a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.events import StoryLine
from bot.model import Channel, Incident, Status, Urgency

MOST_REPOSTS = 1
"""A message that a person deleted is posted again this often, and only while its incident is open."""
OWN_RANK = 0
"""The priority rank whose incidents have a message of their own in any storm: P1."""
AWAITED = timedelta(seconds=10)
"""So long a person waits for the answer to a click; whatever is older is an edit like any other."""
IN_DOUBT = ""
"""The hash of a message that an edit is under way to, or was when its process died: no render has it."""
SETTLING = "?"
"""The hash of a message that was edited while its look was in doubt (bot/store/looks.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row of `messages`: an incident's living message in a channel, or (by `kind`) a page, news or the
    summary of a storm, whose incidents are in `shown` and whose `incident_id` is empty.

    `posting_since` without `ts`: a post was begun and its outcome is not known. With `ts`: there may be a
    second message of this row in the channel. `gone`: deleted in Slack.
    """

    id: int
    channel: Channel
    incident_id: str
    ts: str | None = None
    posting_since: datetime | None = None
    gone: datetime | None = None
    reposts: int = 0
    mention: bool = True
    mentioned: bool = False
    tries: int = 0
    kind: str = "incident"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a message shows: the revision that was rendered, the hash of how it looked, and since when."""

    revision: int
    hash: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The incident behind a message, as far as the question needs it.

    `rank` 0 is the most severe priority, None unknown. `touched`: a person has acted on it at some time.
    """

    revision: int
    status: Status
    urgency: Urgency = Urgency.HIGH
    rank: int | None = None
    touched: bool = False

    @property
    def is_open(self) -> bool:
        """Triggered or acknowledged."""
        return self.status is not Status.RESOLVED

    @property
    def is_in_hand(self) -> bool:
        """In a storm its own message counts for more than its row on a page."""
        return self.touched or self.rank == OWN_RANK


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A message that may need a call.

    `since`: from when it has not been true; `asked_at`: when the question was answered. Both by the
    database's clock. `in_storm`: a page of its channel may show the incident too.
    """

    message: Message
    standing: Standing
    shown: Shown | None
    since: datetime
    asked_at: datetime
    in_storm: bool = False

    @property
    def answers_a_click(self) -> bool:
        """Somebody may be looking at it, waiting for what they did to show: a person has acted on the
        incident, and its news is so fresh that it may be that act.
        """
        return self.standing.touched and self.asked_at - self.since < AWAITED


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadLine:
    """One row of `thread_lines` that is not posted yet; `thread_ts` is the message it goes under."""

    message_id: int
    event_id: int
    channel: Channel
    incident_id: str
    thread_ts: str
    posting_since: datetime | None
    story: StoryLine
    since: datetime
    tries: int = 0
    quiet: bool = False  # its channel is in storm: nothing is broadcast there


@dataclass(frozen=True, slots=True)
class Uncalled:
    """A message whose incident's assignees were not mentioned yet, because nobody knew them in Slack."""

    message: Message
    incident: Incident
