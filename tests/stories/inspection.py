"""What must hold when an office closes, whatever its story was about.

Nothing stands twice, both platforms would have taken every call, Slack got its answers in time, and the log
has no error. A story that means to break one of these says so (`Inspection.expects`).
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.sandbox.pagerduty import Exchange as PagerDutyExchange
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack.fake import FakeSlack
from tests.contract import pagerduty_openapi, slack_methods
from tests.stories.absences import Absences, on_their_way, unanswered
from tests.stories.waiting import until

# Milliseconds. Slack waits 3 s, and how far inside that an answer comes is measured by the bench. This is far
# beyond what a busy machine needs, and not enough for who waits until a platform that hangs has answered.
ANSWERED_WITHIN = 15_000.0
BAD = frozenset({"error", "critical", "exception"})
ENOUGH = 2  # of reads that are word for word the same
DOUBLES = "doubles"


class LogBook(logging.Handler):
    """Every line of a bot in this process, structlog's and the standard library's."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.lines.append(("error", f"{record.name}: {record.getMessage()} {error!r}"))

    def note(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A structlog processor."""
        bad = method in BAD or bool(event.get("exc_info"))
        self.lines.append(("error" if bad else method, str(event.get("event"))))
        return event

    @contextmanager
    def open(self) -> Iterator[None]:
        """Writes along while the block runs."""
        before = structlog.get_config()["processors"]
        structlog.configure(processors=[self.note, *before])
        logging.getLogger().addHandler(self)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(self)
            structlog.configure(processors=before)

    def errors(self) -> list[str]:
        return [words for level, words in self.lines if level == "error"]


def errors_in(log: str) -> list[str]:
    """The bad lines in the JSON log of a bot in its own process; whatever is no JSON is a traceback."""
    found = []
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            found.append(line)
            continue
        if entry.get("level") in BAD or entry.get("exception"):
            found.append(str(entry.get("event")))
    return found


class Inspection:
    """Looks at an office as it closes."""

    def __init__(self, slack: FakeSlack, pagerduty: FakePagerDuty) -> None:
        self._slack = slack
        self._pagerduty = pagerduty
        self._expected: set[str] = set()
        self._answers: list[str] = []
        self.absences = Absences()
        self.book = LogBook()
        self.logs: list[Path] = []  # of bots in processes of their own

    def expects(self, *what: str) -> None:
        """These belong to the story: names of logged errors, DOUBLES."""
        self._expected |= set(what)

    async def before_the_bot_stops(self) -> None:
        """Slack's requests are judged while there is somebody to answer them, and once what it sent while
        there was nobody has come.
        """
        deliveries = self._slack.journal.deliveries
        await until(lambda: all(one.milliseconds for one in deliveries()), "Slack still waits for an answer")
        await until(
            lambda: not on_their_way(deliveries(), self.absences, self._door),
            lambda: f"Slack still sends again: {on_their_way(deliveries(), self.absences, self._door)}",
        )
        self._answers += self._badly_answered()

    def close(self) -> None:
        """Fails the story whose office is not left as it should be."""
        if complaints := self.complaints():
            pytest.fail("not as an office should be left:\n" + "\n".join(complaints), pytrace=False)

    def complaints(self) -> list[str]:
        """Everything that is not as it should be."""
        logged = [*self.book.errors(), *(line for log in self.logs for line in errors_in(log.read_text()))]
        found = [f"logged: {words}" for words in logged if words not in self._expected]
        if DOUBLES not in self._expected:
            found += [f"stands twice: {[one['text'] for one in group]}" for group in self._slack.doubles()]
        found += self._answers
        if pagerduty_openapi.available():
            found += [
                problem for one in self._exchanges() for problem in pagerduty_openapi.check_exchange(one)
            ]
        if slack_methods.CONTRACT.exists():
            methods = slack_methods.SlackMethods()
            calls = [one for one in self._slack.journal if one.direction == "api"]
            found += [problem for one in calls for problem in methods.check_call(one)]
        return list(dict.fromkeys(found))

    def _exchanges(self) -> Iterator[PagerDutyExchange]:
        """All of PagerDuty's, but of the same read again and again only the first few."""
        asked: Counter[str] = Counter()
        for one in list(self._pagerduty.journal):
            read = f"{one.path} {one.query} {one.status}" if one.method == "GET" else ""
            asked[read] += 1
            if not read or asked[read] <= ENOUGH:
                yield one

    @property
    def _door(self) -> str:
        """Where Slack sends now."""
        return (self._slack.delivery.url or "").removesuffix("/slack/events")

    def _badly_answered(self) -> Iterator[str]:
        deliveries = self._slack.journal.deliveries()
        for one in unanswered(deliveries, self.absences, self._door):
            yield f"{one.name} was answered {one.status or 'not at all'}: {one.answer}"
        for one in deliveries:
            if one.milliseconds > ANSWERED_WITHIN and one.status == 200 and not self.absences.cover(one):
                yield f"{one.name} was answered after {one.milliseconds:.0f} ms"
