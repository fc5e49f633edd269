"""Breaking things on purpose, mending them, and telling when all is healed. `strip.py` has the words."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.page.strip import Strip, messages_are, seconds
from bot.sandbox.page.truth import Truth
from bot.sandbox.pagerduty import Change, FakePagerDuty, Incident
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault

Json = dict[str, Any]
SLOW_SECONDS = 3.0
LARGEST_STORM = 1000
# How long "all is well again" stays on the page.
RELIEF_SECONDS = 12.0
_FOREVER = 10**9


@dataclass(frozen=True)
class Switch:
    """One thing that can be broken. `label` names it, `hint` says what it does to the bot."""

    name: str
    label: str
    hint: str


SWITCHES = (
    Switch("slack_limits", "Slack limits us", "About one post a second and channel, as Slack really does."),
    Switch("slack_down", "Slack is down", "Every call is answered with an error."),
    Switch("pagerduty_down", "PagerDuty is down", "REST answers 503; webhooks still come."),
    Switch("pagerduty_slow", "PagerDuty is slow", f"Every answer takes {SLOW_SECONDS:g} seconds."),
    Switch("webhooks_dropped", "Webhooks are lost", "PagerDuty's events never arrive."),
    Switch("webhooks_twice", "Webhooks come twice", "Each event is delivered two times."),
)


class Trouble:
    """What is broken now. `clock` gives seconds that only grow."""

    def __init__(
        self, slack: FakeSlack, pagerduty: FakePagerDuty, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slack = slack
        self._pagerduty = pagerduty
        self._clock = clock
        self._truth = Truth(slack, pagerduty)
        self._strip = Strip(slack, pagerduty)
        self._on: set[str] = set()
        self._began: dict[str, float] = {}
        self._lost = 0
        self._storm = 0
        self._storm_at = 0.0
        self._ended: float | None = None
        self._healed: float | None = None

    def switch(self, name: str, *, on: bool) -> None:
        """Break one thing, or mend it. Raises LookupError for an unknown name."""
        if name not in {s.name for s in SWITCHES}:
            raise LookupError(f"Nothing here is called {name!r}.")
        if on == (name in self._on):
            return
        if on:
            self._on.add(name)
            self._began[name] = self._slack.workspace.clock()
            self._ended = self._healed = None
        else:
            self._on.discard(name)
            self._note_end()
        self._lost = 0 if name == "webhooks_dropped" and on else self._lost
        self._apply(name, on=on)

    def storm(self, count: int) -> list[Incident]:
        """Open so many incidents at once, spread over the services.

        Raises ValueError for a count outside 1 to 1000.
        """
        if not 1 <= count <= LARGEST_STORM:
            raise ValueError(f"A storm has 1 to {LARGEST_STORM} incidents.")
        self._storm = count
        self._began["storm"] = self._slack.workspace.clock()
        self._storm_at = self._ended = self._clock()
        self._healed = None
        return self._pagerduty.storm(count)

    def mend(self) -> None:
        """Everything well again, faults that tests have laid included."""
        for name in tuple(self._on):
            self.switch(name, on=False)
        self._slack.faults.clear()
        self._pagerduty.outage("off")
        self._pagerduty.webhooks.set_mode("deliver")
        self._slack.rate_limits(enabled=False)

    def saw(self, change: Change) -> None:
        """A change on PagerDuty's side: lost webhooks stand in no journal."""
        if change.kind == "webhook.lost":
            self._lost += 1

    def view(self) -> Json:
        """The switches, and the strip: `said` is empty when there is nothing to say."""
        tone, said = self._said()
        return {
            "switches": [
                {"name": s.name, "label": s.label, "hint": s.hint, "on": s.name in self._on} for s in SWITCHES
            ],
            "tone": tone,
            "said": said,
        }

    def _apply(self, name: str, *, on: bool) -> None:
        match name:
            case "slack_limits":
                self._slack.rate_limits(enabled=on)
            case "slack_down" if on:
                self._slack.faults.add(Fault("*", "server_error", count=_FOREVER))
            case "slack_down":
                self._slack.faults.clear()
            case "pagerduty_down" | "pagerduty_slow":
                self._pagerduty.outage("off")
                if "pagerduty_down" in self._on:
                    self._pagerduty.outage("down")
                if "pagerduty_slow" in self._on:
                    self._pagerduty.outage("slow", seconds=SLOW_SECONDS)
            case _:
                lost, twice = "webhooks_dropped" in self._on, "webhooks_twice" in self._on
                self._pagerduty.webhooks.set_mode("drop" if lost else "duplicate" if twice else "deliver")

    def _note_end(self) -> None:
        if not self._on:
            self._ended, self._healed = self._clock(), None

    def _said(self) -> tuple[str, str]:
        words = [self._words(s.name) for s in SWITCHES if s.name in self._on]
        if not words and self._ended is None:
            return "well", ""
        behind = self._truth.behind(since=min(self._began.values(), default=0.0))
        if words:
            sum_up = f"{messages_are(behind)} behind." if behind else "Every message is true."
            return "trouble", " ".join([*words, sum_up])
        assert self._ended is not None
        if behind:
            self._healed = None
            what = f"A storm of {self._storm}:" if self._storm else "All is well again, and"
            return "healing", f"{what} the bot is catching up. {messages_are(behind)} behind."
        if self._healed is None:
            self._healed = self._clock()
        if self._clock() - self._healed > RELIEF_SECONDS:
            self._ended, self._storm = None, 0
            self._began.clear()
            return "well", ""
        if self._storm:
            after = f"{seconds(self._healed - self._storm_at)} after the storm of {self._storm} broke"
        else:
            after = f"{seconds(self._healed - self._ended)} after the trouble ended"
        return "healed", f"Every message is true again, {after}."

    def _words(self, name: str) -> str:
        since, strip = self._began[name], self._strip
        match name:
            case "slack_limits":
                return strip.slack_limits(since)
            case "slack_down":
                return strip.slack_down(since)
            case "pagerduty_down":
                return strip.pagerduty_down(since)
            case "pagerduty_slow":
                return strip.pagerduty_slow(since)
            case "webhooks_dropped":
                return strip.webhooks_dropped(since, self._lost)
            case _:
                return strip.webhooks_twice()
