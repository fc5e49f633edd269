"""When nobody answered at a bot's address, and which of Slack's requests that leaves without fault.

A bot that is killed, stopped or frozen answers nothing: Slack then sends an event again, at once and after 1
and 5 minutes (divided by the fake's speed), and only whether one of those was answered tells whether anything
was lost. Commands and presses are never sent again: who leaves one unanswered says so in the story.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.sandbox.slack.delivery import RETRY_GAPS
from bot.sandbox.slack.journal import Exchange

TRIES = 1 + len(RETRY_GAPS)


@dataclass
class Absence:
    """Of the bot at `door`, the origin of its URLs; without `until` it lasts."""

    door: str
    since: datetime
    until: datetime | None = None

    def covers(self, sent: Exchange) -> bool:
        """Whether any of the time that the request took lies in it."""
        ended = sent.at + timedelta(milliseconds=sent.milliseconds)
        return (
            sent.path.startswith(f"{self.door}/")
            and ended >= self.since
            and (self.until is None or sent.at <= self.until)
        )


class Absences:
    """Told by the bots of a story as they leave and come back."""

    def __init__(self) -> None:
        self._all: list[Absence] = []

    def leaves(self, door: str) -> None:
        """From now on nobody answers there. Say it before it becomes true."""
        if self._lasting(door) is None:
            self._all.append(Absence(door, datetime.now(UTC)))

    def returns(self, door: str) -> None:
        """Somebody answers there again; also where nobody was away."""
        absence = self._lasting(door)
        if absence is not None:
            absence.until = datetime.now(UTC)

    def away(self, door: str) -> bool:
        """Whether nobody answers there now."""
        return self._lasting(door) is not None

    def cover(self, sent: Exchange) -> bool:
        return any(one.covers(sent) for one in self._all)

    def _lasting(self, door: str) -> Absence | None:
        return next((one for one in self._all if one.door == door and one.until is None), None)


def unanswered(deliveries: Sequence[Exchange], absences: Absences, door: str) -> Iterator[Exchange]:
    """Those that should have had an answer and had none, now that `door` is where Slack sends."""
    for sent in deliveries:
        met_nobody = not sent.status and absences.cover(sent)
        if sent.status != 200 and not (met_nobody and _is_no_fault(deliveries, sent, absences, door)):
            yield sent


def on_their_way(deliveries: Sequence[Exchange], absences: Absences, door: str) -> list[Exchange]:
    """What Slack has sent in vain, because nobody was there, and will send again to somebody who is."""
    return [
        sent
        for sent in unanswered(deliveries, absences, door)
        if not sent.status and absences.cover(sent) and _goes_on(_tries(deliveries, sent))
    ]


def _tries(deliveries: Sequence[Exchange], sent: Exchange) -> list[Exchange]:
    """Every time that this event was sent, this one among them; none for what is no event."""
    event = _event_id(sent)
    return [one for one in deliveries if event and _event_id(one) == event]


def _event_id(sent: Exchange) -> str:
    return str(sent.body.get("event_id", "")) if isinstance(sent.body, dict) else ""


def _is_no_fault(deliveries: Sequence[Exchange], sent: Exchange, absences: Absences, door: str) -> bool:
    """Of what met nobody: it came later, nobody was there each time, or nobody is there to come to."""
    tries = _tries(deliveries, sent)
    return bool(tries) and (tries[-1].status == 200 or _in_vain(tries, absences) or absences.away(door))


def _goes_on(tries: Sequence[Exchange]) -> bool:
    return bool(tries) and (len(tries) < TRIES or not tries[-1].milliseconds)


def _in_vain(tries: Sequence[Exchange], absences: Absences) -> bool:
    """Slack has given up, having met nobody each time."""
    return len(tries) == TRIES and all(not one.status and absences.cover(one) for one in tries)
