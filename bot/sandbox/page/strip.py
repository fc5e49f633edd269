"""What the bot can be seen doing about trouble, in plain words: the strip on top of the page.

The words are an onlooker's: counted from the journals, never asked of the bot. Times are UNIX seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.sandbox.pagerduty import Exchange as PagerDutyExchange
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.journal import Exchange as SlackExchange


class Strip:
    """A sentence or two for each thing that is broken; `since` is when it broke."""

    def __init__(self, slack: FakeSlack, pagerduty: FakePagerDuty) -> None:
        self._slack = slack
        self._pagerduty = pagerduty

    def slack_limits(self, since: float) -> str:
        told = sum(call.status == 429 for call in self._to_slack(since))
        if not told:
            return "Slack limits how much may be written; the bot has kept within it so far."
        return f"Slack told the bot {times(told)} to wait. It waits, then writes the newest state only."

    def slack_down(self, since: float) -> str:
        tries = self._tried([call.at.timestamp() for call in self._to_slack(since)])
        return f"Slack refuses everything. The bot has tried {tries}, and keeps what it owes."

    def pagerduty_down(self, since: float) -> str:
        asked = self._tried([call.at.timestamp() for call in self._to_pagerduty(since)])
        return f"PagerDuty answers 503. The bot has asked {asked}; who presses a button is told so."

    def pagerduty_slow(self, since: float) -> str:
        asked = self._tried([call.at.timestamp() for call in self._to_pagerduty(since)])
        return f"PagerDuty takes seconds to answer. The bot has asked {asked}; Slack never waits for that."

    def webhooks_dropped(self, since: float, lost: int) -> str:
        reads = [call.at.timestamp() for call in self._to_pagerduty(since) if call.method == "GET"]
        what = f"{lost} of PagerDuty's events never arrived." if lost else "PagerDuty's events go nowhere."
        return f"{what} The bot looks for itself: it has asked PagerDuty {self._tried(reads)}."

    def webhooks_twice(self) -> str:
        return "PagerDuty delivers each event twice. The bot counts each once."

    def _to_slack(self, since: float) -> Iterator[SlackExchange]:
        for call in reversed(self._slack.journal):
            if call.at.timestamp() < since:
                return
            if call.direction != "delivery":
                yield call

    def _to_pagerduty(self, since: float) -> Iterator[PagerDutyExchange]:
        for call in reversed(self._pagerduty.journal):
            if call.at.timestamp() < since:
                return
            if call.direction == "in":
                yield call

    def _tried(self, at: list[float]) -> str:
        if not at:
            return "nothing yet"
        ago = max(0.0, self._slack.workspace.clock() - max(at))
        return f"{times(len(at))}, last {seconds(ago)} ago"


def times(count: int) -> str:
    """`once`, `3 times`."""
    return "once" if count == 1 else f"{count} times"


def seconds(duration: float) -> str:
    """`4 s`, or that it was hardly one."""
    return f"{duration:.0f} s" if duration >= 1 else "less than a second"


def messages_are(count: int) -> str:
    """`1 message is`, `3 messages are`."""
    return "1 message is" if count == 1 else f"{count} messages are"
