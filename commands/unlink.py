"""Forget your PagerDuty account: `/pager unlink`. Tokens are deleted, and revoked where PagerDuty can."""

from __future__ import annotations

from bot.command.context import Context
from bot.declaration import Reply, command
from bot.render.own_link import nothing_to_link, unlinked


@command("unlink", aliases=("logout", "disconnect"), examples=("unlink",))
async def unlink(ctx: Context) -> Reply:
    """Unlink your PagerDuty account: I forget your tokens."""
    if ctx.offers is None:
        return nothing_to_link(slash=ctx.slash)
    # Whoever asks: also a guest who was a member once may take their tokens back.
    revoked = await ctx.accounts.unlink(ctx.who.user)
    if revoked is not None:
        ctx.changed("Unlinked.")
    return unlinked(revoked=revoked, slash=ctx.slash)
