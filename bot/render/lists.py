"""Lists of incidents, page by page, so that the four-hundredth is as reachable as the first.

The order is the one somebody needs at night: triggered before acknowledged before resolved, high urgency
before low, the more severe priority first, then the older. A page button carries absolute argument words.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.declaration import Reply
from bot.model import Incident, Status, Urgency
from bot.render import text
from bot.render.blocks import Block, Choice, actions, button, context, picker, section
from bot.render.incident import emoji
from bot.render.limits import reply
from bot.render.text import bold, dotted, line, link

PAGE = 10
_STATES = (Status.TRIGGERED, Status.ACKNOWLEDGED, Status.RESOLVED)
_LOWEST = 99


def arrange(incidents: Sequence[Incident]) -> list[Incident]:
    """By state, urgency, priority, then age; of one second, as in a storm, by number."""
    return sorted(incidents, key=_rank)


def _rank(incident: Incident) -> tuple[int, int, int, datetime, int]:
    rank = incident.priority.rank if incident.priority and incident.priority.rank is not None else _LOWEST
    low = int(incident.urgency is Urgency.LOW)
    return _STATES.index(incident.status), low, rank, incident.created_at, incident.number or 0


def page_count(total: int) -> int:
    return max(1, -(-total // PAGE))


def incident_list(
    incidents: Sequence[Incident],
    *,
    heading: str,
    words: str,
    page: int = 1,
    more_exist: bool = False,
    replaces: bool = False,
) -> Reply:
    """One page of all the incidents found (in any order). `heading` is plain: "Open incidents of Checkout".

    `words` are the argument words of this list without its page (`list mine`); a page button runs `<words>
    page <n>`. A page beyond the end shows the last one. `more_exist`: PagerDuty has more than were read.
    """
    found = arrange(incidents)
    if not found:
        return reply(
            f"{line(heading)}: none.",
            [section(f":white_check_mark:  {bold(line(heading))}: none.")],
            replaces=replaces,
        )
    pages = page_count(len(found))
    page = min(max(page, 1), pages)
    rows = found[(page - 1) * PAGE : page * PAGE]
    counts = _counts(found, more_exist=more_exist)
    blocks: list[Block] = [section(f"{bold(line(heading))}{text.DOT}{counts}")]
    one_service = len({incident.service.id for incident in found}) == 1
    for state in _STATES:
        members = [incident for incident in rows if incident.status is state]
        if members:
            heads = [bold(state.value.capitalize())]
            blocks += sections([*heads, *(row(incident, service=not one_service) for incident in members)])
    chooser = picker("show", "Show one…", [option("show", incident) for incident in rows])
    blocks.append(actions([chooser, *_paging(words, page, pages)]))
    if pages > 1:
        first = (page - 1) * PAGE + 1
        blocks.append(
            context(
                f"{first:,} to {first + len(rows) - 1:,} of {len(found):,}{text.DOT}page {page} of {pages}"
            )
        )
    told = "; ".join(f"{incident.label} {line(incident.title, 60)} ({incident.status})" for incident in rows)
    return reply(f"{line(heading)}: {counts}. {told}", blocks, replaces=replaces)


def _counts(found: Sequence[Incident], *, more_exist: bool) -> str:
    told = [(sum(i.status is state for i in found), state.value) for state in _STATES]
    return dotted(
        *(f"{count:,} {word}" for count, word in told if count), "more in PagerDuty" if more_exist else None
    )


def sections(rows: Sequence[str]) -> list[Block]:
    """Rows in as few sections as hold them: a section takes 3,000 characters."""
    blocks: list[Block] = []
    held: list[str] = []
    for one in rows:
        if held and sum(len(other) + 1 for other in held) + len(one) > 2900:
            blocks.append(section("\n".join(held)))
            held = []
        held.append(one)
    return [*blocks, section("\n".join(held))] if held else blocks


def _paging(words: str, page: int, pages: int) -> list[Block]:
    found = []
    if page > 1:
        found.append(button("‹ Previous", f"{words} page {page - 1}"))
    if page < pages:
        found.append(button("Next ›", f"{words} page {page + 1}"))
    return found


def row(incident: Incident, *, service: bool = True) -> str:
    """One incident on one line: number, priority, title, service, who and since when."""
    who = text.plain_names((person.name for person in incident.assignees), 2) or "unassigned"
    priority = f"{bold(line(incident.priority.name, 20))} " if incident.priority else ""
    title = line(incident.title, 90) or "(no title)"
    return dotted(
        f"{emoji(incident)} {link(incident.url, incident.label)} {priority}{title}",
        line(incident.service.name, 40) if service else None,
        f"{who}, {text.moment(incident.created_at)}" if incident.is_open else None,
    )


def option(verb: str, incident: Incident) -> Choice:
    return Choice(
        f"{incident.label} {incident.title}",
        f"{verb} {incident.id}",
        f"{incident.status} · {incident.service.name}",
    )
