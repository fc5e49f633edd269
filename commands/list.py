"""Open incidents, page by page.

    /pager list                 every open one
    /pager list mine            assigned to you
    /pager list checkout        of a service or a team
    /pager list triggered       or acknowledged; words go together: `list mine triggered`

All of them are reachable: the page buttons carry the same words and a page number.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.command.context import Context, Filter
from bot.command.matching import fold
from bot.declaration import Argument, Query, Reply, command
from bot.model import Status
from bot.render.lists import incident_list
from bot.render.pickers import no_match

_STATES = {
    "triggered": Status.TRIGGERED,
    "acknowledged": Status.ACKNOWLEDGED,
    "acked": Status.ACKNOWLEDGED,
}
_FILLERS = frozenset({"all", "open", "incidents", "of", "for", "in", "the", "and"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the words mean: a filter, how to say it, which page."""

    wanted: Filter = field(default_factory=Filter)
    mine: bool = False
    name: str = ""
    page: int = 1


@command(
    "list",
    aliases=("ls", "incidents", "sup", "open"),
    scope="incidents.read",
    examples=("list", "list mine", "list checkout", "list triggered"),
    arguments={"what": Argument("What", usage="[mine|service|team|triggered|acknowledged]")},
)
async def list_(ctx: Context, what: Query | None = None) -> Reply:
    """List open incidents: all, yours, a service's or a team's, by state."""
    asked = _understood(what or "")
    wanted, heading = asked.wanted, _state_words(asked.wanted)
    words = ["list", *_state_list(asked.wanted)]
    if asked.mine:
        me = await ctx.me()
        wanted = replace(wanted, people=(me.id,))
        heading += f" assigned to {me.name}"
        words.append("mine")
    if asked.name:
        scope = await ctx.names.scope(asked.name)
        if scope is None:
            return no_match(asked.name, "service or team", await ctx.names.near(asked.name, "list"))
        if scope.kind == "service":
            wanted = replace(wanted, services=(scope.id,))
        elif scope.kind == "team":
            wanted = replace(wanted, teams=(scope.id,))
        if scope.kind != "all":
            heading += f" of {scope.name}"
            words.append(f"{scope.kind} {scope.id}")
    found = await ctx.incidents.open_ones(wanted)
    return incident_list(
        found, heading=heading, words=" ".join(words), page=asked.page, replaces=ctx.request.from_control
    )


def _understood(what: str) -> _Asked:
    asked = _Asked()
    states: list[Status] = []
    words = what.split()
    if len(words) >= 2 and fold(words[-2]) == "page" and words[-1].isascii() and words[-1].isdigit():
        asked = replace(asked, page=max(1, int(words[-1][:4])))
        words = words[:-2]
    names: list[str] = []
    for word in words:
        known = fold(word)
        if known in _STATES:
            states.append(_STATES[known])
        elif known in ("mine", "my", "me"):
            asked = replace(asked, mine=True)
        elif known not in _FILLERS:
            names.append(word)
    if states:
        asked = replace(asked, wanted=Filter(statuses=tuple(dict.fromkeys(states))))
    return replace(asked, name=" ".join(names))


def _state_list(wanted: Filter) -> list[str]:
    return [] if len(wanted.statuses) > 1 else [status.value for status in wanted.statuses]


def _state_words(wanted: Filter) -> str:
    states = _state_list(wanted)
    return f"{states[0].capitalize()} incidents" if states else "Open incidents"
