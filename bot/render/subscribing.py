"""What a channel follows: the greeting, the list, the confirmations, and the question before a flood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.declaration import Reply
from bot.model import ScopeKind, Subscription
from bot.render import text
from bot.render.blocks import Block, actions, button, context, section
from bot.render.limits import Rendered, finish, reply
from bot.render.text import bold, line, link, plural

FLOOD = 20  # open incidents above which a new subscription asks first


def greeting(*, slash: str = "/pager") -> Rendered:
    """Posted when the bot is invited to a channel."""
    blocks = [
        section(
            ":wave:  Hello. I show PagerDuty's incidents here, one message each that stays true, "
            "and act in PagerDuty as whoever presses a button."
        ),
        actions([button("Subscribe this channel", "subscribe", style="primary"), button("Help", "help")]),
        context(f"Or type `{slash} subscribe` and a service, a team or `all`."),
    ]
    told = f"Hello. Type {slash} subscribe and a service, a team or all to see PagerDuty's incidents here."
    return finish(told, blocks)


def what(subscription: Subscription) -> str:
    """`Checkout, high urgency, P1 or P2`: what it follows, as mrkdwn."""
    return ", ".join([_target(subscription), *_filters(subscription)])


def _target(subscription: Subscription) -> str:
    if subscription.kind is ScopeKind.ALL or subscription.target is None:
        return bold("every service")
    name = bold(link(subscription.target.url, subscription.target.name, 80))
    return f"team {name}" if subscription.kind is ScopeKind.TEAM else name


def _filters(subscription: Subscription) -> list[str]:
    found = [f"{urgency.value} urgency" for urgency in sorted(subscription.urgencies)]
    if subscription.priorities:
        found.append(" or ".join(line(name, 40) for name in sorted(subscription.priorities)))
    if not subscription.mention:
        found.append("mentioning nobody")
    return found


def target_words(one: Subscription) -> str:
    """The argument words for what it follows: `service PSVC001`, `team PTEAM01`, `all`."""
    return f"{one.kind.value} {one.target.id}" if one.target else "all"


def words(one: Subscription) -> str:
    """The whole words that subscribe a channel to this again."""
    filters = [*sorted(urgency.value for urgency in one.urgencies), ",".join(sorted(one.priorities))]
    quiet = "" if one.mention else "quiet"
    return " ".join(part for part in ("subscribe", target_words(one), *filters, quiet) if part)


def subscribed(subscription: Subscription, *, posting: int = 0, undo: str = "") -> Reply:
    """It is done; `posting` open incidents appear now. `undo` are the words that take it back."""
    now = f" {plural(posting, 'open incident appears', 'open incidents appear')} now." if posting else ""
    blocks: list[Block] = [section(f":white_check_mark:  This channel follows {what(subscription)}.{now}")]
    if undo:
        blocks.append(actions([button("Unsubscribe", undo)]))
    return reply(f"This channel follows {_plain(subscription)}.{now}", blocks, replaces=True)


def already_subscribed(subscription: Subscription) -> Reply:
    told = f"This channel already follows {what(subscription)}; nothing changed."
    return reply(
        f"This channel already follows {_plain(subscription)}; nothing changed.",
        [section(told)],
        replaces=True,
    )


def unsubscribed(subscription: Subscription, *, undo: str = "") -> Reply:
    blocks: list[Block] = [section(f"This channel no longer follows {what(subscription)}.")]
    if undo:
        blocks.append(actions([button("Subscribe again", undo)]))
    blocks.append(context("Messages already here stay true until their incidents are resolved."))
    return reply(f"This channel no longer follows {_plain(subscription)}.", blocks, replaces=True)


def ask_before_flood(
    subscription: Subscription,
    *,
    open_now: int,
    urgent: int,
    everything: str,
    only_urgent: str,
    only_new: str,
) -> Reply:
    """More than `FLOOD` incidents are open: which of them should appear? Each answer is whole argument
    words.
    """
    blocks = [
        section(
            f"{plural(open_now, 'incident')} of {what(subscription)} are open now. Which should appear here?"
        ),
        actions(
            [
                button("Only new ones", only_new, style="primary"),
                button(f"P1 and high urgency ({urgent:,})", only_urgent),
                button(f"All {open_now:,}", everything),
            ]
        ),
        context("Nothing is subscribed until you choose."),
    ]
    told = f"{plural(open_now, 'incident')} of {_plain(subscription)} are open. Which should appear here?"
    return reply(told, blocks)


def subscription_list(subscriptions: Sequence[Subscription], *, slash: str = "/pager") -> Reply:
    """`subscriptions`: what this channel follows, and what is broken and why."""
    if not subscriptions:
        blocks: list[Block] = [
            section(
                f"This channel follows nothing yet. Type `{slash} subscribe` and a service, a team or `all`."
            ),
            actions([button("Subscribe this channel", "subscribe", style="primary")]),
        ]
        return reply(
            f"This channel follows nothing yet. {slash} subscribe follows a service, a team or all.", blocks
        )
    blocks = [section(bold("This channel follows"))]
    for one in subscriptions[:40]:
        blocks.append(section(_entry(one), button("Unsubscribe", f"unsubscribe {target_words(one)}")))
    if len(subscriptions) > 40:
        blocks.append(context(f"{len(subscriptions) - 40} more."))
    told = "; ".join(_plain(one) + (" (broken)" if one.broken_since else "") for one in subscriptions)
    return reply(f"This channel follows {told}.", blocks)


def broken_notices(
    channel_id: str, broken: Sequence[Subscription], reason: str
) -> Iterator[tuple[str, Rendered]]:
    """For each who set some of these up (a Slack user id): what to tell them. Of unknown makers nothing."""
    for maker in sorted({one.made_by for one in broken if one.made_by}):
        yield maker, broken_notice(channel_id, [one for one in broken if one.made_by == maker], reason)


def broken_notice(channel_id: str, subscriptions: Sequence[Subscription], reason: str) -> Rendered:
    """The DM to whoever set it up: why nothing arrives any more, and what mends it. `reason` is a plain
    sentence.
    """
    problem = f"I can no longer post to <#{line(channel_id, 40)}>. {line(reason)}"
    mend = "Invite me to the channel again and everything that is open appears there."
    about = ", ".join(what(one) for one in subscriptions)
    blocks = [section(f":warning:  {problem}"), context(f"It follows {about}. {mend}")]
    return finish(f"{problem} {mend}", blocks)


def _entry(one: Subscription) -> str:
    made = f"set up by <@{one.made_by}>" if one.made_by.isalnum() else None
    lines = [what(one), made]
    if one.broken_since:
        since = text.moment(one.broken_since, "since ")
        lines.insert(1, f":warning:  Broken {since}: I cannot post here. Invite me to this channel again.")
    return "\n".join(part for part in lines if part)


def _plain(subscription: Subscription) -> str:
    name = line(subscription.target.name, 80) if subscription.target else "every service"
    if subscription.kind is ScopeKind.TEAM:
        name = f"team {name}"
    return ", ".join([name, *_filters(subscription)])
