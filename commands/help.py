"""What the bot can do: `/pager help`, or `/pager help ack` for one command."""

from __future__ import annotations

from bot.command.context import Context
from bot.declaration import Argument, Reply, Word, command
from bot.render.help import help_list, help_one, unknown_verb


@command(
    "help",
    aliases=("h", "?", "commands"),
    examples=("help", "help ack"),
    arguments={"about": Argument("Command", usage="[command]")},
)
async def help_(ctx: Context, about: Word | None = None) -> Reply:
    """Show what I can do, or one command in full."""
    if about is None:
        is_admin = await ctx.permissions.is_admin(ctx.who.user)
        shown = [one for one in ctx.catalog.shown() if is_admin or not one.admins_only]
        return help_list(shown, slash=ctx.slash)
    found = ctx.catalog.find(about)
    if found is None:
        near = ctx.catalog.nearest(about)
        return unknown_verb(about, [f"help {near.verb}"] if near else [], slash=ctx.slash)
    return help_one(found, slash=ctx.slash)
