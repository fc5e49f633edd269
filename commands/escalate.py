"""Escalate an incident to the next level, or to a level you name.

    /pager escalate 1234
    ⏫ Escalated to Bob Brown, level 2 of 3: #1234 Disk full

Or the Escalate button, which carries the level it leads to: pressed twice, or by two people, it escalates
once. Typed twice without a level within 30 s it asks, since the second person may not know of the first.
"""

from __future__ import annotations

from bot.command.context import Context
from bot.command.desk import cannot_be_escalated
from bot.declaration import Argument, Button, IncidentRef, LevelNumber, Reply, command
from bot.model import Urgency
from bot.render.outcomes import already_escalated, ask_level, cannot_escalate, escalated

ASK_WITHIN = 30.0  # seconds after somebody's escalation


async def was_escalated(ctx: Context, incident: IncidentRef, level: LevelNumber | None = None) -> bool | None:
    """Whether it stands at the level; a relative one cannot be told afterwards."""
    found = await ctx.incidents.one(incident)
    if level is None or found.level is None:
        return None
    return found.level.number >= level.number


@command(
    "escalate",
    scope="incidents.write",
    button=Button(
        "Escalate",
        lambda i: (
            i.is_open and i.urgency is Urgency.HIGH and i.level is not None and i.level.number < i.level.of
        ),
        words=lambda i: f"{i.id} {i.level.number + 1 if i.level else ''}".strip(),
        rank=30,
    ),
    examples=("escalate 1234", "escalate 1234 3"),
    title="Escalate",
    submit="Escalate",
    arguments={"incident": Argument("Incident"), "level": Argument("Level", "The next one when left out.")},
    was_done=was_escalated,
)
async def escalate(ctx: Context, incident: IncidentRef, level: LevelNumber | None = None) -> Reply:
    """Escalate an incident to the next level, or to the level you name."""
    if level is None:
        decided = await _next_level(ctx, incident)
        if isinstance(decided, Reply):
            return decided
        level = decided
    moved = await ctx.incidents.escalate(incident, level.number)
    if moved.refusal:
        return cannot_escalate(moved.incident, moved.refusal)
    if not moved.moved:
        return already_escalated(moved.incident, level=moved.level, wanted=level.number)
    of = moved.incident.level.of if moved.incident.level else None
    return escalated(moved.incident, level=moved.level, of=of, to=moved.incident.assignees)


async def _next_level(ctx: Context, incident: IncidentRef) -> LevelNumber | Reply:
    """The level after the present one, or what to say or ask instead."""
    found = await ctx.incidents.one(incident)
    if refusal := cannot_be_escalated(found):
        return cannot_escalate(found, refusal)
    levels = await ctx.incidents.levels(found)
    if found.level is None:
        return ask_level(found, levels, why="It is assigned to people directly.")
    further = [pair for pair in levels if pair[0] > found.level.number]
    if not further:
        return cannot_escalate(found, "It is at the last level of its policy. Call somebody directly.")
    if recent := await ctx.incidents.last_escalation(found, ASK_WITHIN):
        ago = f"{round(recent.seconds_ago)} s ago"
        by = "You" if recent.by == ctx.who.user.id else "Somebody else"
        return ask_level(found, further, why=f"{by} escalated it {ago}, so I ask first.")
    return LevelNumber(found.level.number + 1)
