"""Who the bot takes you for: `/pager whoami`."""

from __future__ import annotations

from bot.command.context import Context
from bot.declaration import Reply, command
from bot.errors import NotLinked
from bot.render.outcomes import whoami as told


@command("whoami", aliases=("me",), examples=("whoami",))
async def whoami(ctx: Context) -> Reply:
    """Show who you are in Slack and in PagerDuty, and how I know."""
    profile = await ctx.accounts.member(ctx.who.user)
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
