"""Change an incident's fields in one write: status, title, escalation level, urgency, priority.

    /pager update 1234 urgency=low title=Disk nearly full on db-1
    ✓ Updated #1234 Disk nearly full on db-1: title “Disk nearly full on db-1”, urgency low.

Without a field the form opens. What is so already is not written again; acknowledging what is resolved is
refused, for it would reopen it, and `status=triggered` reopens it on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from bot.command.context import Context
from bot.declaration import (
    Argument,
    IncidentRef,
    LevelNumber,
    Line,
    OneOf,
    PriorityName,
    Reply,
    UrgencyWord,
    command,
)
from bot.errors import UserError
from bot.model import Priority, Status, Urgency
from bot.pagerduty.edits import Edit
from bot.render.updated import already_so, left_alone, updated


class StatusWord(OneOf):
    """An incident's status, in PagerDuty's words."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {
        "triggered": "Triggered: nobody has it (reopens a resolved one)",
        "acknowledged": "Acknowledged: you work on it",
        "resolved": "Resolved: it is over",
    }


async def was_updated(
    ctx: Context,
    incident: IncidentRef,
    *,
    status: StatusWord | None = None,
    title: Line | None = None,
    level: LevelNumber | None = None,
    urgency: UrgencyWord | None = None,
    priority: PriorityName | None = None,
) -> bool | None:
    """Whether the incident is so; None where its level cannot be told."""
    wanted = await _edit(ctx, status, title, level, urgency=urgency, priority=priority)
    return wanted.is_done(await ctx.incidents.one(incident))


@command(
    "update",
    aliases=("edit", "set"),
    scope="incidents.write",
    examples=("update 1234 urgency=low", "update 1234 title=Disk nearly full level=2", "update 1234"),
    title="Update an incident",
    submit="Update",
    arguments={
        "incident": Argument("Incident"),
        "status": Argument("Status", "Leave empty what stays as it is.", named=True),
        "title": Argument("Title", named=True),
        "level": Argument("Escalation level", "High urgency only.", named=True),
        "urgency": Argument("Urgency", named=True),
        "priority": Argument("Priority", "Such as P1.", named=True),
    },
    form_when_bare=True,
    was_done=was_updated,
)
async def update(
    ctx: Context,
    incident: IncidentRef,
    *,
    status: StatusWord | None = None,
    title: Line | None = None,
    level: LevelNumber | None = None,
    urgency: UrgencyWord | None = None,
    priority: PriorityName | None = None,
) -> Reply:
    """Change an incident's status, title, escalation level, urgency or priority.

    Several go together, in one write: `update 1234 urgency=high level=2`. Quote a title that holds `name=`.
    """
    wanted = await _edit(ctx, status, title, level, urgency=urgency, priority=priority)
    if not wanted.names:
        raise UserError("Nothing is to be changed. Fill in at least one field.")
    done = await ctx.incidents.edit(incident, wanted)
    if done.refusal:
        return left_alone(done.incident, done.refusal)
    return updated(done.incident, done.changed) if done.changed else already_so(done.incident)


async def _edit(
    ctx: Context,
    status: StatusWord | None,
    title: Line | None,
    level: LevelNumber | None,
    *,
    urgency: UrgencyWord | None,
    priority: PriorityName | None,
) -> Edit:
    """Raises UserError for what PagerDuty would not take."""
    return Edit(
        status=Status(status) if status else None,
        title=title,
        level=level.number if level else None,
        urgency=Urgency(urgency) if urgency else None,
        priority=await _priority(ctx, priority) if priority else None,
    )


async def _priority(ctx: Context, name: PriorityName) -> Priority:
    known = await ctx.directory.priorities()
    found = next((one for one in known if one.name == name), None)
    if found is None:
        raise UserError(f"There is no priority called “{name[:40]}” any more. Choose another one.")
    return found
