"""Stop following something in this channel: `/pager unsubscribe checkout`. What is here stays true."""

from __future__ import annotations

from bot.command.context import Context
from bot.command.matching import best
from bot.declaration import Argument, Query, Reply, command
from bot.errors import UserError
from bot.model import Subscription
from bot.render.blocks import Choice
from bot.render.pickers import pick_match
from bot.render.subscribing import subscription_list, target_words, unsubscribed, words


@command(
    "unsubscribe",
    aliases=("unfollow", "unsub"),
    scope="services.read",
    subscribers_only=True,
    examples=("unsubscribe checkout", "unsubscribe all"),
    arguments={"name": Argument("What", usage="<service|team|all>")},
)
async def unsubscribe(ctx: Context, name: Query | None = None) -> Reply:
    """Stop following a service, a team or everything in this channel."""
    followed = list(await ctx.subscriptions.of_channel(ctx.where.channel))
    if not followed:
        raise UserError("This channel follows nothing, so there is nothing to stop.")
    if name is None:
        return subscription_list(followed, slash=ctx.slash)
    wanted = name.removeprefix("service ").removeprefix("team ").strip()
    found = best(wanted, followed, _name, _ident)
    if not found:
        raise UserError(
            f"This channel does not follow “{wanted[:60]}”. `{ctx.slash} subscriptions` lists what it does."
        )
    if len(found) > 1:
        return pick_match(
            wanted, [Choice(_name(one), f"unsubscribe {target_words(one)}", one.kind.value) for one in found]
        )
    one = found[0]
    await ctx.subscriptions.remove(one.channel, one.kind, one.target.id if one.target else "")
    ctx.changed(f"The channel no longer follows {_name(one)}.")
    return unsubscribed(one, undo=f"{words(one)} none-open")


def _name(one: Subscription) -> str:
    return one.target.name if one.target else "all"


def _ident(one: Subscription) -> str:
    return one.target.id if one.target else "all"
