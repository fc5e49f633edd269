"""Pages: what a channel shows in a storm, when one message for each incident would be late and a flood.

A page is a list of incidents, each in its state as it is now: by service, the worst first. What it counts are
its own rows, so that the page is true whenever they are; what it says of the whole channel carries the minute
it was counted at, and stays true. What is resolved shrinks to linked numbers. When it is over, one page
becomes the summary. Drawn by bot/delivery/pages.py; how many rows a page takes is bot/delivery/storm.py's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.model import Incident, Reference, Status, Urgency
from bot.render import text
from bot.render.blocks import Block, actions, button, context, section
from bot.render.incident import emoji
from bot.render.limits import SECTION_TEXT, TOP_TEXT, TOTAL_TEXT, Rendered, finish, text_length
from bot.render.summary import acknowledgers
from bot.render.text import bold, dotted, line, link

TITLES = (60, 40, 24, 0)
"""Characters of a title: the widest at which the whole page fits."""
SPOKEN_TITLES = (40, 24, 0)
"""The same for the plain text, which holds less."""
MOST_SERVICES = 2
"""Services that get a button of their own: those with the most to acknowledge."""
FOOT = (
    f"A line for each incident, kept up to date{text.DOT}"
    "what is still open gets its own message when it is calm again"
)
FEW_NEWS = 15
"""Changes a news message tells with titles and names; of more it gives the numbers."""
NAMED_SERVICES = 8
"""Services the plain text and the summary count by name."""
MOST_NAMED = 5  # P1 incidents the summary names
MOST_APART = 12  # services that stand apart from each other; more are packed tightly
_ROOM = 1400  # characters of a page that are not rows: its head, its buttons, its foot


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The channel's storm as a whole, counted `at`; `recent` is what happened in the minutes before."""

    since: datetime
    at: datetime
    triggered: int
    acknowledged: int
    resolved: int
    minutes: int = 5
    opened_lately: int = 0
    acknowledged_lately: int = 0
    resolved_lately: int = 0

    @property
    def total(self) -> int:
        return self.triggered + self.acknowledged + self.resolved


def render_page(incidents: Sequence[Incident], trend: Trend, *, verb: str | None) -> Rendered:
    """The page with these incidents, all of them, however long their titles are.

    `verb` is the command that acknowledges several at once after asking back; None draws no buttons.
    """
    services = _by_service(incidents)
    blocks: list[Block] = []
    for width in TITLES:
        groups = [_rows(service, members, width) for service, members in services]
        if len(groups) > MOST_APART:
            groups = [[row for group in groups for row in group]]
        blocks = [
            section(_head(incidents, trend)),
            *_buttons(services, verb),
            *(block for group in groups for block in _packed(group)),
            context(FOOT),
        ]
        if text_length(blocks) <= TOTAL_TEXT:
            break
    return finish(_spoken(incidents, services, trend), blocks)


def row_length(incident: Incident) -> int:
    """Characters the incident takes on a page, newline and all, as long as it is open."""
    return len(_row(incident, TITLES[0])) + 1


ROOM_FOR_ROWS = TOTAL_TEXT - _ROOM
"""Characters of a page left for rows: rows grow when somebody acknowledges, so not all is given away."""


def render_fold(incidents: Sequence[Incident], began: datetime, ended: datetime) -> Rendered:
    """What is left of a storm: what it was, and where what is still open has gone."""
    still = [one for one in incidents if one.is_open]
    over = text.plural(len(incidents), "incident")
    left = f"{len(still):,} still open then, each with its own message" if still else "all resolved"
    counted = Counter(one.service.name for one in incidents).most_common()
    named = text.DOT.join(f"{line(name, 60)} {count:,}" for name, count in counted[:NAMED_SERVICES])
    more = f"{text.DOT}{len(counted) - NAMED_SERVICES} more services" if len(counted) > NAMED_SERVICES else ""
    worst = [one for one in sorted(incidents, key=_severity) if is_worst(one)][:MOST_NAMED]
    took = text.duration(ended - began)
    blocks: list[Block] = [
        section(
            f":sun_behind_small_cloud:  *Storm over after {took}:* {over}, {left}\n"
            f"{text.moment(began)} to {text.clock(ended)}{text.DOT}{named}{more}"
        )
    ]
    if worst:
        blocks.append(context("P1: " + ", ".join(_named(one, 40) for one in worst)))
    plain = ", ".join(f"{line(name, 60)} {count:,}" for name, count in counted[:NAMED_SERVICES])
    told = f"Storm over after {took}: {over}, {left}. {plain}. Began {text.moment_utc(began)}."
    return finish(told, blocks)


def render_news(incidents: Sequence[Incident], at: datetime) -> Rendered:
    """What changed and stands on no page yet: it tells what was so `at` that moment, and is never edited."""
    rows = [f":newspaper:  *{text.plural(len(incidents), 'change')} until {text.clock(at)}*"]
    told = [f"{text.plural(len(incidents), 'change')} until {text.clock_utc(at)}."]
    if len(incidents) <= FEW_NEWS:
        rows += [_changed(one) for one in sorted(incidents, key=_severity)]
        told += [_state_spoken(state, incidents, SPOKEN_TITLES[0], all_titles=True) for state in Status]
        return finish(" ".join(told), _packed(rows))
    for state in Status:
        for service, members in _by_service([one for one in incidents if one.status is state]):
            head = f"{emoji(members[0])} {bold(state.value)} {line(service.name, 60)}: "
            rows += _lines_of([link(one.url, one.label) for one in members], head, ", ")
            named = ", ".join(one.label for one in members)
            told.append(f"{state.value.capitalize()}, {line(service.name, 40)}: {named}.")
    return finish(" ".join(told), _packed(rows))


# ------------------------------------------------------------------------------------------------ its parts


def _by_service(incidents: Sequence[Incident]) -> list[tuple[Reference, list[Incident]]]:
    """Services with the worst open incident first, and in each the worst first."""
    found: dict[str, list[Incident]] = {}
    for one in sorted(incidents, key=_severity):
        found.setdefault(one.service.id, []).append(one)
    return [(members[0].service, members) for members in found.values()]


def _severity(one: Incident) -> tuple[bool, bool, bool, bool, int, datetime]:
    """Sorts: open before resolved, P1 first, then triggered, high urgency, priority, age."""
    rank = one.priority.rank if one.priority and one.priority.rank is not None else 99
    acknowledged, low = one.status is Status.ACKNOWLEDGED, one.urgency is Urgency.LOW
    return (not one.is_open, not is_worst(one), acknowledged, low, rank, one.created_at)


def is_worst(one: Incident) -> bool:
    """Of the account's highest priority: it keeps a message of its own in any storm."""
    return one.priority is not None and (one.priority.rank == 0 or one.priority.name.casefold() == "p1")


def _head(incidents: Sequence[Incident], trend: Trend) -> str:
    here = Counter(one.status for one in incidents)
    told = [(state, f"{here[state]:,} {state.value}") for state in Status if here[state]]
    counts = text.DOT.join(bold(words) if state is Status.TRIGGERED else words for state, words in told)
    return (
        f":cyclone:  *{text.plural(len(incidents), 'incident')} of a storm since {text.clock(trend.since)}*\n"
        f"{counts}\n{_whole(trend)}"
    )


def _whole(trend: Trend) -> str:
    """The whole channel, at a minute that is told."""
    lately = text.DOT.join(
        f"{count:,} {word}"
        for count, word in (
            (trend.opened_lately, "opened"),
            (trend.acknowledged_lately, "acknowledged"),
            (trend.resolved_lately, "resolved"),
        )
        if count
    )
    tendency = _tendency(trend)
    return (
        f"All pages {text.clock(trend.at, 'at ')}: {trend.total:,} incidents, {trend.triggered:,} triggered"
        f"{text.DOT}{tendency}: {lately or 'nothing new'} in the {trend.minutes} min before"
    )


def _tendency(trend: Trend) -> str:
    rise = trend.opened_lately - trend.resolved_lately
    return "still rising" if rise > 0 else "falling" if rise < 0 else "steady"


def _buttons(services: Sequence[tuple[Reference, list[Incident]]], verb: str | None) -> list[Block]:
    """Labels that mean the same to everyone who looks: the press names the incidents, privately."""
    waiting = [
        (sum(one.status is Status.TRIGGERED for one in members), service) for service, members in services
    ]
    if verb is None or not any(count for count, _ in waiting):
        return []
    busiest = sorted((pair for pair in waiting if pair[0]), key=lambda pair: -pair[0])[:MOST_SERVICES]
    mine = button("Acknowledge mine", f"{verb} mine", style="primary", spoken="Acknowledge what is mine")
    theirs = [
        button(
            f"Acknowledge {text.cut(service.name, 40)}",
            f"{verb} service {service.id}",
            spoken=f"Acknowledge all of {service.name}",
        )
        for _, service in busiest
    ]
    return [actions([mine, *theirs, button("Open list", "list triggered")])]


def _rows(service: Reference, members: Sequence[Incident], width: int) -> list[str]:
    waiting = sum(one.status is Status.TRIGGERED for one in members)
    return [
        _service_line(service, len(members), waiting, linked=width > 0),
        *(_row(one, width) for one in members if one.is_open),
        *_resolved([one for one in members if not one.is_open]),
    ]


def _service_line(service: Reference, count: int, waiting: int, *, linked: bool = True) -> str:
    name = link(service.url, service.name, 60) if linked else line(service.name, 24)
    return f"*{name}*  {count:,}" + (f" ({waiting:,} triggered)" if waiting else "")


def _row(one: Incident, width: int) -> str:
    """State, number, priority, title, who; without a title there is no room for who either."""
    triggered = one.status is Status.TRIGGERED
    priority = f"{bold(line(one.priority.name, 12))} " if one.priority else ""
    title = line(one.title, width) or "(no title)" if width else ""
    if triggered:
        who = text.plain_names((person.name for person in one.assignees), 1) or "nobody"
    else:
        who = text.plain_names(acknowledgers(one), 1)
    state = bold(one.status.value) if triggered else one.status.value
    named = f"{emoji(one)} {link(one.url, one.label)} {state} {priority}{title}".rstrip()
    return dotted(named, who) if width else named


def _resolved(over: Sequence[Incident]) -> list[str]:
    return _lines_of([link(one.url, one.label) for one in over], ":white_check_mark: resolved: ", ", ")


def _lines_of(parts: Sequence[str], head: str, between: str) -> list[str]:
    """The parts behind the head, in lines no longer than a section takes."""
    lines: list[str] = []
    held = ""
    for part in parts:
        if held and len(held) + len(part) > SECTION_TEXT - 300:
            lines.append(held)
            held = ""
        held = f"{held}{between}{part}" if held else f"{head}{part}"
    return [*lines, held] if held else lines


def _changed(one: Incident) -> str:
    """A row of news: also what is resolved says what it was, and who ended it."""
    if one.is_open:
        return _row(one, TITLES[0])
    title = line(one.title, TITLES[0]) or "(no title)"
    who = line(one.resolved_by, 60) if one.resolved_by else None
    return dotted(f"{emoji(one)} {link(one.url, one.label)} {bold(one.status.value)} {title}", who)


def _named(one: Incident, width: int) -> str:
    return f"{link(one.url, one.label)} {line(one.title, width)}"


def _packed(rows: Sequence[str]) -> list[Block]:
    """Rows in as few sections as hold them."""
    blocks: list[Block] = []
    held: list[str] = []
    length = 0
    for one in rows:
        if held and length + len(one) + 1 > SECTION_TEXT - 50:
            blocks.append(section("\n".join(held)))
            held, length = [], 0
        held.append(one)
        length += len(one) + 1
    return [*blocks, section("\n".join(held))] if held else blocks


def _spoken(
    incidents: Sequence[Incident],
    services: Sequence[tuple[Reference, list[Incident]]],
    trend: Trend,
) -> str:
    """Every incident with its state, as plain text: titles give way, numbers never."""
    counts = Counter(one.status for one in incidents)
    head = (
        f"Storm since {text.clock_utc(trend.since)}: "
        + ", ".join(f"{counts[state]:,} {state.value}" for state in Status if counts[state])
        + ". "
        + ", ".join(f"{line(service.name, 40)} {len(rows):,}" for service, rows in services[:NAMED_SERVICES])
        + "."
    )
    told = head
    for width in SPOKEN_TITLES:
        told = " ".join([head, *(_state_spoken(state, incidents, width) for state in Status)]).strip()
        if len(told) <= TOP_TEXT:
            break
    return told


def _state_spoken(
    state: Status, incidents: Sequence[Incident], width: int, *, all_titles: bool = False
) -> str:
    members = [one for one in sorted(incidents, key=_severity) if one.status is state]
    if not members:
        return ""
    shown = 0 if state is Status.RESOLVED and not all_titles else width
    named = "; ".join(
        " ".join(
            part
            for part in (
                one.label,
                line(one.priority.name, 12) if one.priority and shown else "",
                line(one.title, shown) if shown else "",
            )
            if part
        )
        for one in members
    )
    return f"{state.value.capitalize()}: {named}."
