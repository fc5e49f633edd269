"""What this channel follows, and what is broken: `/pager subscriptions`."""

from __future__ import annotations

from bot.command.context import Context
from bot.declaration import Reply, command
from bot.render.subscribing import subscription_list


@command("subscriptions", aliases=("subs", "following"), scope="services.read", examples=("subscriptions",))
async def subscriptions(ctx: Context) -> Reply:
    """List what this channel follows."""
    return subscription_list(await ctx.subscriptions.of_channel(ctx.where.channel), slash=ctx.slash)
