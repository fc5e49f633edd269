"""When is a newer incident newer? The rules by which events and readings become what we know; pure.

Three clocks that are never mixed: events and readings carry PagerDuty's (`event_at`, `rest_at`), the moments
at which we took something or began a read are the database's (`accepted_at`, `read_at`), and marks are
counted (`stale_seq`, answered up to `read_seq`). bot/store/accepting.py and bot/store/readings.py apply the
rules in a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.events import Event, StoryLine, fold, marks_stale, story_line, take_reading
from bot.model import Incident, Reading

REST_RESOLUTION = timedelta(seconds=1)  # REST tells `updated_at` in whole seconds, events in milliseconds
BURST = timedelta(milliseconds=300)  # how long marks are gathered, so that a burst costs one GET
BEHIND = timedelta(seconds=2)  # PagerDuty answered with less than it said before: its copies need a moment

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A row of `incidents`, at the database's time `now`. `snapshot` None: heard of, never seen."""

    id: str
    now: datetime
    snapshot: Incident | None = None
    event_at: datetime | None = None
    rest_at: datetime | None = None
    accepted_at: datetime | None = None
    read_at: datetime | None = None
    revision: int = 0
    stale_seq: int = 0
    read_seq: int = 0
    read_after: datetime | None = None
    touched: bool = False

    @property
    def is_stale(self) -> bool:
        """Marked, and no reading has answered the mark."""
        return self.stale_seq > self.read_seq


@dataclass(frozen=True, slots=True)
class AfterEvent:
    """`known` with the event taken; `applied`: its fields were; `line` is what it adds to the story."""

    known: Known
    applied: bool
    line: StoryLine | None


def after_event(known: Known, event: Event) -> AfterEvent:
    """Take an event. One that is late changes nothing, and has the truth read instead."""
    folded = fold(known.snapshot, event)
    line = story_line(known.snapshot, event, folded)
    tells = folded is not known.snapshot
    applied = tells and not _is_late(known, event.occurred_at)
    changes: dict[str, Any] = {}  # gathered, because copying costs more than all the rest
    if tells:
        changes["accepted_at"] = max(known.now, known.accepted_at or NEVER)
    if applied:
        changes |= {"event_at": event.occurred_at, **_showing(known, folded)}
    if marks_stale(event) or (tells and not applied) or (folded if applied else known.snapshot) is None:
        changes |= _mark(known)
    if not known.touched and _by_person(event):
        changes["touched"] = True
    return AfterEvent(replace(known, **changes) if changes else known, applied, line)


@dataclass(frozen=True, slots=True)
class AfterReading:
    """`known` after a reading was offered; `saved`: it was newer, or just as new."""

    known: Known
    saved: bool


def after_reading(
    known: Known,
    reading: Reading,
    *,
    began_at: datetime,
    seen: int | None = None,
    written: bool = False,
    by_person: bool = False,
) -> AfterReading:
    """Take what REST told. `began_at` is the database's clock when the request was sent.

    `seen`: the marks this reading answers, when it was begun for them. `written`: it is the answer to a write
    of ours.
    """
    touched = known.touched or by_person
    if began_at < (known.accepted_at or NEVER):
        return AfterReading(replace(_refused(known, reading, seen, BURST), touched=touched), saved=False)
    if (reading.updated_at, began_at) < (known.rest_at or NEVER, known.read_at or NEVER):
        return AfterReading(replace(_refused(known, reading, seen, BEHIND), touched=touched), saved=False)
    after = replace(
        known,
        rest_at=reading.updated_at,
        read_at=began_at,
        touched=touched,
        accepted_at=max(known.now, known.accepted_at or NEVER) if written else known.accepted_at,
        **_showing(known, take_reading(known.snapshot, reading, own_write=written)),
    )
    if seen is not None:
        after = replace(after, read_seq=max(known.read_seq, min(seen, known.stale_seq)))
        if after.is_stale:
            after = replace(after, read_after=known.now + BURST)
    elif _level_is_open(known.snapshot, after.snapshot) and not after.is_stale:
        after = marked(after)
    return AfterReading(after, saved=True)


def marked(known: Known) -> Known:
    """The truth must be read. Marks that come while one stands wait for the same read."""
    return replace(known, **_mark(known))


def _level_is_open(before: Incident | None, after: Incident | None) -> bool:
    """Whether it came into these hands without anybody working out at which level that is: only a re-read
    asks for it, and lists and answers to writes do not.
    """
    if after is None or not after.is_open or after.level is not None or after.follows_policy is False:
        return False
    if after.policy is None or not after.assignees:
        return False
    return before is None or _in_hands_of(before) != _in_hands_of(after)


def _in_hands_of(incident: Incident) -> tuple[object, ...]:
    """What a level is worked out from."""
    return (
        incident.status,
        incident.policy and incident.policy.id,
        {person.id for person in incident.assignees},
    )


def newly_wanted(before: Incident | None, after: Incident | None) -> bool:
    """Whether channels may newly have to show it: it is open, and new, reopened, or matching others."""
    if after is None or not after.is_open:
        return False
    return before is None or not before.is_open or _matched_by(before) != _matched_by(after)


def _matched_by(incident: Incident) -> tuple[object, ...]:
    """What a subscription looks at (`Subscription.matches`)."""
    return (
        incident.service.id,
        {team.id for team in incident.teams},
        incident.urgency,
        incident.priority and incident.priority.name.casefold(),
    )


def _is_late(known: Known, occurred_at: datetime) -> bool:
    if known.event_at is not None and occurred_at < known.event_at:
        return True
    return known.rest_at is not None and occurred_at <= known.rest_at + REST_RESOLUTION


def _by_person(event: Event) -> bool:
    return event.agent is not None and event.agent.kind == "user" and event.type != "incident.triggered"


def _refused(known: Known, reading: Reading, seen: int | None, pause: timedelta) -> Known:
    """A reading that is not saved leaves the mark; one that may know more than we do sets it."""
    if seen is not None and known.is_stale:
        return replace(known, read_after=known.now + pause)
    if not known.is_stale and reading.updated_at > (known.rest_at or NEVER):
        return marked(known)
    return known


def _mark(known: Known) -> dict[str, Any]:
    return {
        "stale_seq": known.stale_seq + 1,
        "read_after": known.read_after if known.is_stale else known.now + BURST,
    }


def _showing(known: Known, snapshot: Incident | None) -> dict[str, Any]:
    """With this snapshot; the revision grows when a message would show something else."""
    if snapshot == known.snapshot:
        return {}
    alike = known.snapshot is not None and snapshot is not None and _look_alike(known.snapshot, snapshot)
    return {"snapshot": snapshot, "revision": known.revision if alike else known.revision + 1}


def _look_alike(one: Incident, other: Incident) -> bool:
    """Whether two snapshots that differ do so only in what no message shows."""
    if one.incident_key == other.incident_key and one.teams == other.teams:
        return False
    return replace(one, incident_key=other.incident_key, teams=other.teams) == other
