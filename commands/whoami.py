"""Who the bot takes you for, and how your link stands: `/pager whoami`."""

from __future__ import annotations

from bot.accounts.acting import Ended, Link
from bot.command.context import Context
from bot.declaration import Reply, command
from bot.errors import NotLinked, PagerDutyFailure, PagerDutyUnavailable
from bot.model import Person, SlackProfile
from bot.render.outcomes import whoami as told
from bot.render.own_link import how_linked, not_linked_now

WORKS = "PagerDuty accepts it just now."
UNKNOWN = "PagerDuty does not answer just now, so I cannot tell whether it works."
REFUSED = "PagerDuty refuses it just now: unlink, then link again."


@command("whoami", aliases=("me",), examples=("whoami",))
async def whoami(ctx: Context) -> Reply:
    """Show who you are in Slack and in PagerDuty, and how I know."""
    profile = await ctx.accounts.member(ctx.who.user)
    if ctx.accounts.mode == "oauth":
        return await _linked(ctx, profile)
    try:
        person = await ctx.accounts.person(profile)
    except NotLinked:
        return told(slack_name=profile.name, person_name=None, email=profile.email, mode=ctx.accounts.mode)
    return told(
        slack_name=profile.name,
        person_name=person.name,
        email=person.email,
        role=person.role,
        mode=ctx.accounts.mode,
        url=person.url,
    )


async def _linked(ctx: Context, profile: SlackProfile) -> Reply:
    me, health = await _asked_pagerduty(ctx)  # which may find out that the link has ended
    found = await ctx.accounts.link_of(ctx.who.user)
    if isinstance(found, Link):
        return how_linked(
            slack_name=profile.name,
            person_name=found.person.name,
            url=me.url if me else None,
            role=me.role if me else None,
            linked_at=found.linked_at,
            ends_at=found.ends_at,
            scopes=found.scopes,
            missing=found.missing,
            health=health,
            slash=ctx.slash,
        )
    if isinstance(found, Ended):
        return not_linked_now(
            slack_name=profile.name,
            was=found.person.name,
            ended_at=found.ended_at,
            why=found.why,
            slash=ctx.slash,
        )
    return not_linked_now(slack_name=profile.name, slash=ctx.slash)


async def _asked_pagerduty(ctx: Context) -> tuple[Person | None, str]:
    """Who PagerDuty says they are, by their own token; and how the link stands, in a sentence."""
    try:
        acting = await ctx.accounts.act_as(ctx.who.user, "users.read")
        return await acting.pagerduty.me(), WORKS
    except NotLinked as ended:
        return None, str(ended)
    except PagerDutyUnavailable:
        return None, UNKNOWN
    except PagerDutyFailure:
        return None, REFUSED
