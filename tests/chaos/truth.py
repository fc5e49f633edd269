"""Whether Slack is true: every incident as the bot's own REST client reads it, beside what its channels show.

A place where an incident must be true is its own message, or in a storm its row on a page. Compared are the
reading, the database's snapshot, and what stands in Slack; the same fields, words and buttons.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from bot.declaration import Button
from bot.errors import PagerDutyFailure
from bot.model import Incident
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.levels import Levels
from bot.render.incident import render_incident
from bot.render.limits import Rendered
from bot.render.storm import Trend, render_page
from bot.sandbox.pagerduty.state import Incident as PagerDutys
from bot.sandbox.slack.state import Message
from bot.slack.marks import Mark, read_mark
from bot.store.database import Database
from bot.store.snapshots import load_incident
from bot.store.tables import incidents, messages, shown
from tests.chaos.plan import FOLLOWED
from tests.chaos.witness import how_they_came
from tests.stories.office import Office
from tests.stories.reading import controls_of, words_of

Looks = tuple[str, list[tuple[str, str]]]  # what is read, and what can be pressed

AT_ONCE = 8  # readings under way
NO_TREND = Trend(
    since=datetime(2026, 1, 1, tzinfo=UTC),
    at=datetime(2026, 1, 1, tzinfo=UTC),
    triggered=0,
    acknowledged=0,
    resolved=0,
)


@dataclass(slots=True)
class Differences:
    """What is not as it should be, a line for each."""

    doubles: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        return [*self.doubles, *self.missing, *self.stale]


@dataclass(slots=True)
class Stored:
    """What the database says."""

    snapshots: dict[str, Incident] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
    rows: dict[tuple[str, str], Any] = field(default_factory=dict)  # (channel, incident): its own message
    pages: dict[int, Any] = field(default_factory=dict)  # living pages
    ended: set[str] = field(default_factory=set)  # channels that had a storm
    shown: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))


@dataclass(slots=True)
class Truth:
    """Looks; `reader` and `levels` are a client of its own, `buttons` the catalog's."""

    office: Office
    database: Database
    reader: PagerDuty
    levels: Levels
    buttons: Sequence[tuple[str, Button]]
    _read: dict[str, tuple[object, Incident]] = field(default_factory=dict)
    _drawn: dict[str, tuple[Incident, Looks, Looks]] = field(default_factory=dict)

    async def look(self) -> Differences:
        """Everything that differs now."""
        stored = await self._stored()
        real = self.office.pagerduty.state.incidents
        fresh = await self._fresh(real.values())
        found = Differences()
        for group in self.office.slack.doubles():
            found.doubles.append(f"stands {len(group)} times: {group[0]['text']}")
        own, pages = self._in_slack()
        for incident_id, reading in fresh.items():
            await asyncio.sleep(0)  # Slack and PagerDuty are in this process too, and are not to be held up
            channels = [
                channel for channel, services in FOLLOWED.items() if real[incident_id].service in services
            ]
            problems = differing(reading, stored.snapshots.get(incident_id)) if channels else []
            found.stale += [f"{reading.label} in the database: {one}" for one in problems]
            for channel in channels:
                self._one(found, stored, reading, channel, own.get((channel, incident_id), []))
        for channel, page, mark in pages:
            await asyncio.sleep(0)
            self._page(found, stored, channel, page, mark)
        return found

    def _in_slack(
        self,
    ) -> tuple[dict[tuple[str, str], list[Message]], list[tuple[str, Message, Mark]]]:
        """What stands there: incidents' own messages, and pages."""
        own: dict[tuple[str, str], list[Message]] = defaultdict(list)
        pages = []
        for channel in FOLLOWED:
            for message in self.office.slack.workspace.channel(channel).messages.values():
                mark = read_mark(message.metadata)
                if mark is not None and mark.kind == "incident" and mark.incident:
                    own[channel, mark.incident].append(message)
                elif mark is not None and mark.kind == "page":
                    pages.append((channel, message, mark))
        return own, pages

    def _one(
        self, found: Differences, stored: Stored, reading: Incident, channel: str, stand: list[Message]
    ) -> None:
        """An incident in a channel."""
        where = f"{reading.label} in {channel}"
        row = stored.rows.get((channel, reading.id))
        listed = [page for page, one in stored.pages.items() if one.channel_id == channel and one.ts]
        on_page = [page for page in listed if reading.id in stored.shown[page]]
        if len(stand) > 1:
            came = how_they_came(self.office.slack.journal, channel, stand)
            found.doubles.append(f"{where} has {len(stand)} messages: {[one.ts for one in stand]}{came}")
        if not stand:
            # One that was never seen open gets none; one that ended in a storm is counted in its summary.
            excused = not reading.is_open and (row is None or channel in stored.ended)
            if not on_page and not excused:
                found.missing.append(f"{where} ({reading.status}) is shown nowhere; row {row}")
            return
        if row is None or row.ts not in [one.ts for one in stand]:
            found.stale.append(f"{where} stands at {stand[0].ts}, and the database knows of {row}")
            return
        snapshot = stored.snapshots[reading.id]
        for message in stand:
            if problem := self._looks(message, snapshot):
                found.stale.append(f"{where}: {problem}")
        if not on_page and stored.shown[row.id].get(reading.id) != stored.revisions[reading.id]:
            was = stored.shown[row.id].get(reading.id)
            found.stale.append(f"{where} shows revision {was} of {stored.revisions[reading.id]}")

    def _looks(self, message: Message, incident: Incident) -> str:
        """Empty when it is what would be drawn now; a first post may mention whom it names."""
        people = {one.pagerduty_id: one.slack_id for one in self.office.sandbox.world.people}
        mentions = {key: value for key, value in people.items() if key}
        if self._drawn.get(incident.id, (None,))[0] != incident:
            plain = render_incident(incident, self.buttons)
            loud = render_incident(incident, self.buttons, mentions=mentions, mention_assignee=True)
            self._drawn[incident.id] = (incident, drawn(plain), drawn(loud))
        says = seen(message.blocks)
        _, *should = self._drawn[incident.id]
        return "" if says in should else f"says {says}, and should say {should[0]}"

    def _page(self, found: Differences, stored: Stored, channel: str, page: Message, mark: Mark) -> None:
        """A page has a line for each incident; what it says of the whole channel carries its minute."""
        if mark.row not in stored.pages:
            return  # folded: the summary of a storm
        listed = [stored.snapshots[one] for one in stored.shown[mark.row] if one in stored.snapshots]
        should = lines(list(render_page(listed, NO_TREND, verb=None).blocks))
        says = lines(page.blocks)
        if says != should:
            differ = sorted(says ^ should)[:6]
            found.stale.append(f"a page of {len(listed)} in {channel} at {page.ts} differs: {differ}")

    # ---------------------------------------------------------------------------------------------- reading

    async def _fresh(self, real: Iterable[PagerDutys]) -> Mapping[str, Incident]:
        """As REST tells them, read again when they changed."""
        free = asyncio.Semaphore(AT_ONCE)

        async def read(one: PagerDutys) -> None:
            mark = (one.updated_at, one.changed_at, one.status, one.level, len(one.log))
            if one.id in self._read and self._read[one.id][0] == mark:
                return
            async with free:
                reading = await self.reader.incident(one.id)
                known = await self.levels.with_level(reading.incident, ask=True)
            self._read[one.id] = (mark, known)

        await asyncio.gather(*(read(one) for one in list(real)))
        return {key: incident for key, (_, incident) in self._read.items()}

    async def _stored(self) -> Stored:
        found = Stored()
        async with self.database.read() as connection:
            for row in await connection.execute(select(incidents)):
                found.revisions[row.id] = row.revision
                if row.snapshot:
                    found.snapshots[row.id] = load_incident(row.snapshot)
                if row.stale_seq > row.read_seq:
                    found.doubted.add(row.id)
            for row in await connection.execute(select(messages)):
                if row.kind == "incident":
                    found.rows[row.channel_id, row.incident_id] = row
                else:
                    found.ended.add(row.channel_id)
                    if row.kind == "page" and row.gone is None:
                        found.pages[row.id] = row
            for row in await connection.execute(select(shown)):
                found.shown[row.message_id][row.incident_id] = row.revision
        return found


async def read_in_the_end(truth: Truth) -> Differences:
    """Like `look`; while PagerDuty or the database still refuses, that is the difference."""
    try:
        return await truth.look()
    except PagerDutyFailure as failure:
        return Differences(missing=[f"PagerDuty cannot be read: {failure}"])


def differing(reading: Incident, snapshot: Incident | None) -> list[str]:
    """The fields in which what is stored is not what PagerDuty says."""
    if snapshot is None:
        # Never heard of: of a resolved one nothing was ever to be shown.
        return ["never heard of it"] if reading.is_open else []
    told, known = _facts(reading), _facts(snapshot)
    return [f"{name} is {known[name]!r}, not {told[name]!r}" for name in told if told[name] != known[name]]


def _facts(one: Incident) -> dict[str, object]:
    return {
        "status": one.status,
        "title": one.title,
        "urgency": one.urgency,
        "priority": one.priority and one.priority.name,
        "service": one.service.id,
        "assignees": sorted(person.id for person in one.assignees),
        "level": one.level and one.level.number,
        "acknowledged by": sorted({ack.by.id for ack in one.acknowledgements or ()}),
        "merged into": one.merged_into and one.merged_into.id,
    }


def seen(blocks: list[dict[str, Any]]) -> Looks:
    """What a person reads and can press."""
    return " ".join(words_of(blocks).split()), [(one.label, one.value) for one in controls_of(blocks)]


def drawn(rendered: Rendered) -> Looks:
    return seen([dict(block) for block in rendered.blocks])


def lines(blocks: Sequence[Mapping[str, Any]]) -> set[str]:
    """The rows of a page: everything in its sections but the first, which is its head."""
    sections = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    return {line for text in sections[1:] for line in text.split("\n")}
