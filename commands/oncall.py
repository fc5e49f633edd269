"""Who is on call.

    /pager oncall checkout
    📞 On call for Checkout · Checkout primary
    1  Alice Anderson until Mon 09:00, then Bob Brown
    2  Bob Brown, always

For a service, team, policy, schedule or person, however it is typed: `who's on call for the payments team?`.
Two that fit equally well are offered, not guessed between. Without words: this thread's incident, or what
this channel follows. With options, `oncall checkout until=7d`, it is a list of shifts as PagerDuty tells them
(bot/command/oncall_options.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from bot.command.context import Context
from bot.command.oncall_options import Options, list_with
from bot.command.shifts import show_for_incident, show_on_call
from bot.command.targets import all_targets, find, near, without_question
from bot.command.values import incident_ref
from bot.declaration import Argument, Button, IncidentRef, Line, OneOf, Place, Query, Reply, Word, command
from bot.errors import UserError
from bot.model import SlackUser
from bot.render.pickers import no_match, pick_match

OPTION = "[option=…]"
NOBODY_KNOWN = "I do not know who that is in PagerDuty. Ask by their name, or for a service or team."


class YesNo(OneOf):
    """`yes` or `no`."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {"yes": "Yes", "no": "No"}


@command(
    "oncall",
    aliases=("who", "who's", "whos", "on-call", "on"),
    scope="oncalls.read",
    button=Button("Who's on call", lambda i: i.is_open, place=Place.MENU, rank=60),
    examples=(
        "oncall checkout",
        "who's on call for the payments team?",
        "oncall alice",
        "oncall checkout until=7d zone=Europe/Berlin",
    ),
    arguments={
        "anything": Argument("Who or what", usage="[anything]"),
        "since": Argument("From", "now, 2h, 7d, or a date; now when left out.", named=True, usage=OPTION),
        "until": Argument("Until", "The same, at most 90 days ahead.", named=True, usage=OPTION),
        "zone": Argument("Time zone", "Such as Europe/Berlin.", named=True, usage=OPTION),
        "limit": Argument("Lines at most", "25 when left out.", named=True, usage=OPTION),
        "earliest": Argument("Only the next of each", named=True, usage=OPTION),
        "total": Argument("How many in all", named=True, usage=OPTION),
        "policies": Argument("Escalation policies", "By commas.", named=True, usage=OPTION),
        "schedules": Argument("Schedules", "By commas.", named=True, usage=OPTION),
        "users": Argument("People", "By commas.", named=True, usage=OPTION),
        "include": Argument("Details of", "users, schedules.", named=True, usage=OPTION),
    },
)
async def oncall(
    ctx: Context,
    anything: Query | None = None,
    *,
    since: Line | None = None,
    until: Line | None = None,
    zone: Word | None = None,
    limit: Word | None = None,
    earliest: YesNo | None = None,
    total: YesNo | None = None,
    policies: Query | None = None,
    schedules: Query | None = None,
    users: Query | None = None,
    include: Line | None = None,
) -> Reply:
    """Show who is on call, until when, and who is next.

    With options it lists shifts: `since=` and `until=` (2h, 7d, a date; up to 90 days ahead), `zone=`
    (Europe/Berlin), `limit=`, `earliest=yes`, `total=yes`, `policies=`, `schedules=`, `users=` (names, by
    commas), `include=` (users, schedules, escalation_policies).
    """
    options = Options(
        since=since or "",
        until=until or "",
        zone=zone or "",
        limit=limit or "",
        include=include or "",
        policies=policies or "",
        schedules=schedules or "",
        users=users or "",
        earliest=earliest == "yes",
        total=total == "yes",
    )
    if options != Options():
        return await list_with(ctx, anything or "", options)
    return await answer(ctx, anything or "")


async def answer(ctx: Context, asked: str, *, shared_by: str = "") -> Reply:
    """The reply to any words; `shared_by` makes it one for the channel (commands/share.py)."""
    words = without_question(asked)
    ref = incident_ref(words, sure=ctx.request.from_control)
    if ref is not None and ctx.request.from_control:  # the control of an incident's message
        return await show_for_incident(ctx, ref, shared_by)
    if not words:
        return await _of_this_place(ctx)
    targets = await all_targets(ctx.directory)
    found = find(asked, targets)
    if words.startswith("@"):
        person = await ctx.people.person_id(SlackUser(ctx.who.user.team_id, words[1:]))
        found = [one for one in targets if one.kind == "person" and one.id == person]
        if not found:
            raise UserError(NOBODY_KNOWN)
    if len(found) > 1:
        return pick_match(words, [one.choice("oncall") for one in found[:100]])
    if found:
        return await show_on_call(ctx, found[0], shared_by)
    if ref is not None:
        return await show_for_incident(ctx, ref, shared_by)
    offered = [one.choice("oncall") for one in near(words, targets)]
    return no_match(words, "service, team, policy, schedule or person", offered)


async def _of_this_place(ctx: Context) -> Reply:
    if ctx.where.incident is not None and ctx.where.incident.policy is not None:
        return await show_for_incident(ctx, IncidentRef(ctx.where.incident.id), "")
    targets = await all_targets(ctx.directory)
    followed = await ctx.subscriptions.of_channel(ctx.where.channel) if ctx.where.channel.id else []
    named = {(one.kind.value, one.target.id) for one in followed if one.target is not None}
    here = [one for one in targets if (one.kind, one.id) in named]
    if len(here) == 1:
        return await show_on_call(ctx, here[0], "")
    offered = here or [one for one in targets if one.kind == "service"]
    if not offered:
        kinds = "a service, team, policy, schedule or person"
        raise UserError(f"Say for what: `{ctx.slash} oncall` and {kinds}.")
    return pick_match("on call", [one.choice("oncall") for one in offered[:100]])
