"""An admin's word on a link that needs one: the Approve and Refuse buttons of bot/render/linking.py.

Nobody types these. Whoever presses first decides, and the messages themselves then say how.
"""

from __future__ import annotations

from bot.command.context import Context
from bot.declaration import Word, command
from bot.errors import UserError
from bot.render.linking import APPROVE, REFUSE

NOBODY_LINKS = "Nobody links an account here any more: people are matched by e-mail."


@command(APPROVE, hidden=True, admins_only=True)
async def approve(ctx: Context, link: Word) -> None:
    """Approve a link between a Slack user and a PagerDuty user."""
    if ctx.link_decisions is None:
        raise UserError(NOBODY_LINKS)
    if decided := await ctx.link_decisions.approve(link, ctx.who.user):
        ctx.changed(decided)


@command(REFUSE, hidden=True, admins_only=True)
async def refuse(ctx: Context, link: Word) -> None:
    """Refuse a link between a Slack user and a PagerDuty user."""
    if ctx.link_decisions is None:
        raise UserError(NOBODY_LINKS)
    if decided := await ctx.link_decisions.refuse(link, ctx.who.user):
        ctx.changed(decided)
