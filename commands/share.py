"""*Share to channel* under a private answer: the same words once more, this time for everybody."""

from __future__ import annotations

from bot.command.context import Context
from bot.declaration import Query, Reply, command
from bot.errors import UserError
from commands import oncall


@command("share", scope="oncalls.read", hidden=True)
async def share(ctx: Context, what: Query) -> Reply:
    """Post who is on call into the channel."""
    verb, _, rest = what.partition(" ")
    if verb != "oncall":
        raise UserError("Only who is on call can be shared.")
    profile = await ctx.accounts.member(ctx.who.user)
    return await oncall.answer(ctx, rest, shared_by=profile.name)
