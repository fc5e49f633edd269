"""Follow a service, a team or everything in this channel.

    /pager subscribe checkout high P1,P2
    ✓ This channel follows Checkout, high urgency, P1 or P2. 3 open incidents appear now.

The first post of a high-urgency incident mentions who has it; with `quiet` it mentions nobody.

Without a name a form opens. More than 20 open incidents are not poured in: it asks which should appear.
"""

from __future__ import annotations

from bot.command.context import Context, Filter
from bot.declaration import (
    Argument,
    Mentions,
    OpenOnes,
    PriorityName,
    Reply,
    ScopeRef,
    UrgencyWord,
    command,
)
from bot.errors import UserError
from bot.model import Incident, Reference, ScopeKind, Subscription, Urgency
from bot.render.subscribing import (
    FLOOD,
    already_subscribed,
    ask_before_flood,
    subscribed,
    target_words,
    words,
)


@command(
    "subscribe",
    aliases=("follow", "sub"),
    scope="services.read",
    subscribers_only=True,
    examples=("subscribe checkout", "subscribe payments high", "subscribe all P1,P2"),
    title="Subscribe this channel",
    submit="Subscribe",
    arguments={
        "scope": Argument(
            "Service or team", "Its incidents appear in this channel.", usage="<service|team|all>"
        ),
        "urgency": Argument("Urgency", "Both when left out.", usage="[high]"),
        "priorities": Argument("Priorities", "Such as P1, P2. All when left out.", usage="[P1,P2]"),
        "mentions": Argument(
            "Mentions", "The first post of a high-urgency incident notifies who has it.", usage="[quiet]"
        ),
        "open_ones": Argument(asked=False),
    },
)
async def subscribe(
    ctx: Context,
    scope: ScopeRef,
    *,
    urgency: UrgencyWord | None = None,
    priorities: list[PriorityName] | None = None,
    mentions: Mentions | None = None,
    open_ones: OpenOnes | None = None,
) -> Reply:
    """Follow a service, a team or everything in this channel."""
    if not ctx.where.channel.id or ctx.request.in_direct_message:
        raise UserError("Incidents are followed in channels. Type this in the channel that should see them.")
    await ctx.must_see_channel()
    wish = Subscription(
        channel=ctx.where.channel,
        kind=ScopeKind(scope.kind),
        target=Reference(scope.id, scope.name) if scope.kind != "all" else None,
        urgencies=frozenset({Urgency(urgency)} if urgency else ()),
        priorities=frozenset(str(name) for name in priorities or ()),
        mention=mentions != "quiet",
        made_by=ctx.who.user.id,
    )
    if any(_same(wish, one) for one in await ctx.subscriptions.of_channel(wish.channel)):
        return already_subscribed(wish)
    since = await ctx.incidents.now()
    found = [one for one in await ctx.incidents.open_ones(_filter(wish)) if wish.matches(one)]
    urgent = [one for one in found if _is_urgent(one)]
    if open_ones is None and len(found) > FLOOD:
        whole = words(wish)
        return ask_before_flood(
            wish,
            open_now=len(found),
            urgent=len(urgent),
            everything=f"{whole} all-open",
            only_urgent=f"{whole} urgent-open",
            only_new=f"{whole} none-open",
        )
    shown = {"urgent-open": urgent, "none-open": []}.get(open_ones or "all-open", found)
    await ctx.incidents.keep(shown)
    # One that opened since the list was asked for is new, whatever was chosen.
    await ctx.subscriptions.add(wish, incidents=shown, since=since, listed={one.id for one in found})
    ctx.changed(f"The channel follows {scope.name}.")
    return subscribed(wish, posting=len(shown), undo=f"unsubscribe {target_words(wish)}")


def _filter(wish: Subscription) -> Filter:
    of_service = (wish.target.id,) if wish.kind is ScopeKind.SERVICE and wish.target else ()
    of_team = (wish.target.id,) if wish.kind is ScopeKind.TEAM and wish.target else ()
    return Filter(services=of_service, teams=of_team, urgencies=tuple(wish.urgencies))


def _is_urgent(incident: Incident) -> bool:
    most_severe = incident.priority is not None and incident.priority.name.casefold() == "p1"
    return most_severe or incident.urgency is Urgency.HIGH


def _same(wish: Subscription, one: Subscription) -> bool:
    targets = (wish.target and wish.target.id) == (one.target and one.target.id)
    filters = wish.urgencies == one.urgencies and wish.priorities == one.priorities
    filters = filters and wish.mention is one.mention
    return wish.kind is one.kind and targets and filters and one.broken_since is None
