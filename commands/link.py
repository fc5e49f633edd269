"""Link your PagerDuty account, so that what you do from Slack carries your name: `/pager link`."""

from __future__ import annotations

from bot.accounts.acting import Ended, Link
from bot.accounts.tokens import UNREADABLE
from bot.command.context import Context
from bot.declaration import Reply, command
from bot.render.own_link import link_first, linked_already, nothing_to_link

NEW = "Link your PagerDuty user once, and I act as you from then on."


@command("link", aliases=("login", "connect"), examples=("link",))
async def link(ctx: Context) -> Reply:
    """Link your PagerDuty account, once: then you act as yourself."""
    if ctx.offers is None:
        return nothing_to_link(slash=ctx.slash)
    await ctx.accounts.member(ctx.who.user)
    found = await ctx.accounts.link_of(ctx.who.user)
    why = NEW
    if isinstance(found, Ended):
        why = f"Your link to PagerDuty has ended. {found.why} Link again to go on."
    elif isinstance(found, Link):
        if not found.is_readable:
            why = UNREADABLE
        elif found.missing:
            why = f"Your link does not cover {', '.join(found.missing)}. Link again and allow it."
        else:
            return linked_already(found.person.name, slash=ctx.slash)
    offer = await ctx.offers.offer(ctx.who.user, None)
    return link_first(why, offer.url, offer.ticket)
