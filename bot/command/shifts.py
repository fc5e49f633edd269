"""Who is on call for what was found, until when and who is next; finding it is commands/oncall.py's.

Shifts come from the directory, at most a minute old (bot/pagerduty/directory.py).
"""

from __future__ import annotations

from datetime import timedelta

from bot.command.context import Context
from bot.command.targets import Target
from bot.declaration import IncidentRef, Reply
from bot.model import Policy, Reference, Service
from bot.render.oncall import on_call, on_call_person, on_call_schedule

AHEAD = timedelta(days=14)  # far enough to say who is next on a weekly rota


async def show_for_incident(ctx: Context, ref: IncidentRef, shared_by: str) -> Reply:
    """For the policy of an incident. Raises UserError when there is no such incident."""
    incident = await ctx.incidents.known(ref)
    wanted = [incident.policy] if incident.policy else []
    return await _of_policies(ctx, incident.service, wanted, f"service {incident.service.id}", shared_by)


async def show_on_call(ctx: Context, target: Target, shared_by: str) -> Reply:
    """For anything that has shifts; `shared_by` (a name) makes it one for the channel."""
    now, share = ctx.clock(), f"share oncall {target.words}"
    replaces = ctx.request.on_private_reply and not shared_by
    if target.kind == "person":
        shifts = await ctx.directory.on_calls(users=[target.id], until=now + AHEAD)
        return on_call_person(
            target.reference, shifts, now=now, share=share, shared_by=shared_by, replaces=replaces
        )
    if target.kind == "schedule":
        shifts = await ctx.directory.on_calls(schedules=[target.id], until=now + AHEAD)
        return on_call_schedule(
            target.reference, shifts, now=now, share=share, shared_by=shared_by, replaces=replaces
        )
    if isinstance(target.of, Service):
        wanted = [target.of.policy]
    elif isinstance(target.of, Policy):
        wanted = [target.reference]
    else:
        policies = await ctx.directory.policies()
        wanted = [Reference(one.id, one.name) for one in policies if target.id in {t.id for t in one.teams}]
    return await _of_policies(ctx, target.reference, wanted, target.words, shared_by)


async def _of_policies(
    ctx: Context, target: Reference, wanted: list[Reference], words: str, shared_by: str
) -> Reply:
    now, ids = ctx.clock(), [one.id for one in wanted]
    policies = [one for one in await ctx.directory.policies() if one.id in ids]
    shifts = await ctx.directory.on_calls(policies=ids, until=now + AHEAD) if ids else []
    return on_call(
        target,
        policies,
        shifts,
        now=now,
        share=f"share oncall {words}",
        shared_by=shared_by,
        replaces=ctx.request.on_private_reply and not shared_by,
    )
