"""The session so far as a story test: what was done on the page, and what came of it.

Each act is kept with what had become visible before it; `telling.py` writes both down as a test that runs
against the `office` of tests/stories.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.sandbox.page.truth import about
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.state import Message

Json = dict[str, Any]
MOST_ACTS = 400
# A storm makes hundreds of messages; a story tells of the first few.
MOST_SIGHTS = 8
# What differs from one run to the next: numbers, times, links, names behind ids.
_FLEETING = re.compile(r"[\d<>|]|https?:")
_SEAMS = re.compile(r"\n|  ·  |  →  |  |<[^>]*>")
_LONGEST = 80


@dataclass(frozen=True)
class Sight:
    """Something that could be seen before the next act: a message that is new, or says something new."""

    channel: str
    ts: str
    incident: str | None
    seen_by: str | None
    parent: str | None
    pieces: tuple[str, ...]
    buttons: tuple[str, ...]
    is_new: bool


@dataclass(frozen=True)
class Act:
    """`side` is slack, pagerduty or trouble; `made` what incidents came of it; `label` what was pressed."""

    side: str
    verb: str
    body: Json
    at: datetime | None = None
    made: tuple[str, ...] = ()
    label: str = ""


@dataclass
class Step:
    """What was seen, then what was done; the last step of a story has no act. `waited`: PagerDuty's own clock
    brought it about.
    """

    sights: list[Sight]
    act: Act | None
    waited: bool = False


@dataclass
class Story:
    """Remembers the session. `begin` before an act, `end` after it."""

    slack: FakeSlack
    pagerduty: FakePagerDuty
    steps: list[Step] = field(default_factory=list)
    _known: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    _log_read: int = 0

    def begin(self, side: str, verb: str, body: Json) -> Step:
        """Note what has become visible, and what is about to be done."""
        pressed = self._label(body) if verb == "action" else ""
        step = Step(self._look(), Act(side, verb, body, label=pressed), self._time_passed())
        self.steps.append(step)
        del self.steps[:-MOST_ACTS]
        return step

    def end(self, step: Step, made: tuple[str, ...] = ()) -> None:
        """The act is done; `made` are the incidents that came of it."""
        if step.act is not None:
            step.act = Act(step.act.side, step.act.verb, step.act.body, None, made, step.act.label)

    def forget(self, step: Step) -> None:
        """The act was refused: nothing happened."""
        if step in self.steps:
            self.steps.remove(step)

    def now(self) -> list[Step]:
        """Every step, and what can be seen now."""
        kept = dict(self._known), self._log_read
        last = Step(self._look(), None, self._time_passed())
        self._known, self._log_read = kept
        return [*self.steps, last]

    def _look(self) -> list[Sight]:
        found: list[Sight] = []
        for message in self._messages():
            key = (message.channel, message.ts)
            pieces, buttons = tuple(pieces_of(message)), tuple(buttons_of(message.blocks))
            before = self._known.get(key)
            if before == (pieces, buttons):
                continue
            self._known[key] = (pieces, buttons)
            new = tuple(p for p in pieces if before is None or p not in before[0])
            found.append(
                Sight(
                    message.channel,
                    message.ts,
                    about(message),
                    message.seen_by,
                    message.thread_ts if message.is_reply else None,
                    new,
                    buttons,
                    before is None,
                )
            )
        return found

    def _messages(self) -> Iterator[Message]:
        for place in self.slack.workspace.channels.values():
            for message in (*place.messages.values(), *place.ephemerals.values()):
                if message.by_bot or message.user == self.slack.workspace.bot:
                    yield message

    def _time_passed(self) -> bool:
        entries = self.pagerduty.state.log[self._log_read :]
        self._log_read = len(self.pagerduty.state.log)
        return any(e.agent is None and e.type in ("escalate", "unacknowledge", "resolve") for e in entries)

    def _label(self, body: Json) -> str:
        place = self.slack.workspace.channels.get(str(body.get("channel")))
        if place is None:
            return ""
        ts = str(body.get("message"))
        message = place.messages.get(ts) or place.ephemerals.get(ts)
        for element in elements_of(message.blocks if message else []):
            if element.get("action_id") != body.get("action_id"):
                continue
            for option in options_of(element):
                if option.get("value") == body.get("option"):
                    return str(option["text"]["text"])
            if element["type"] == "button":
                return str(element["text"]["text"])
        return ""


def elements_of(blocks: list[Json]) -> Iterator[Json]:
    """What can be pressed or filled in, in reading order."""
    for block in blocks:
        for element in (*(block.get("elements") or []), block.get("accessory"), block.get("element")):
            if isinstance(element, dict) and "action_id" in element:
                yield element


def options_of(element: Json) -> list[Json]:
    """A menu's options, those in groups too."""
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(o for group in groups for o in group["options"])]


def buttons_of(blocks: list[Json]) -> list[str]:
    """The labels of the buttons."""
    return [str(e["text"]["text"]) for e in elements_of(blocks) if e["type"] == "button"]


def pieces_of(message: Message) -> list[str]:
    """The parts of what it says that will be the same in another run."""
    texts = list(_texts(message.blocks)) or [message.text]
    pieces = (piece.strip() for text in texts for piece in _SEAMS.split(text))
    return [p for p in pieces if 2 < len(p) <= _LONGEST and not _FLEETING.search(p) and not p.startswith(":")]


def _texts(item: Any) -> Iterator[str]:
    if isinstance(item, list):
        for one in item:
            yield from _texts(one)
    elif isinstance(item, dict) and item.get("type") != "button":
        if isinstance(item.get("text"), str):
            yield item["text"]
        for key, value in item.items():
            if key not in ("options", "option_groups") and not (key == "text" and isinstance(value, str)):
                yield from _texts(value)
