"""What somebody is told of their own link: that they have to link first and what is kept meanwhile, how it
stands, that it is gone. What linking itself says is bot/render/linking.py's.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.declaration import Reply
from bot.model import Incident
from bot.render import text
from bot.render.blocks import Block, actions, button, context, link_button, section
from bot.render.limits import reply
from bot.render.problems import with_state
from bot.render.text import bold, dotted, line, link, safe_url

LABEL = "Link my PagerDuty account"


def link_first(
    why: str, url: str, ticket: str, *, asked: str = "", incident: Incident | None = None, kept: bool = False
) -> Reply:
    """Somebody has to link before what they `asked` for can be done; `kept`: it waits for that."""
    about = f"“{line(asked, 120)}”"
    if incident is not None:  # people know it by its number
        about = f"“{line(asked.replace(incident.id, incident.label), 120)}” ({line(incident.title, 60)})"
    if kept:
        then = f"I keep {about} for 15 minutes, and do it as you once you have linked."
    else:
        then = "Then ask again." if asked else "It takes a moment, once."
    said = line(why, 600)
    blocks: list[Block] = [section(f":link:  {said}")]
    if safe_url(url):
        blocks.append(actions([link_button(LABEL, url, "link", value=ticket)]))
    blocks.append(context(then))
    return reply(f"{said} {then} {link(url, LABEL)}", blocks)


def waited_too_long(asked: str, incident: Incident | None = None, *, again: str = "") -> Reply:
    """Kept for somebody who did not link in time. `again` is what a button carries that does it now."""
    lead = f"“{line(asked, 120)}” waited 15 minutes for you to link your PagerDuty account. It was not done."
    return with_state(lead, incident, again=again)


def linked_already(name: str, *, slash: str = "/pager") -> Reply:
    """`link` by somebody who is."""
    then = f"{slash} whoami shows how the link stands, {slash} unlink ends it."
    return reply(
        f"You are linked: you act as {line(name, 80)} in PagerDuty. {then}",
        [
            section(f":white_check_mark:  You are linked: you act as {bold(line(name, 80))} in PagerDuty."),
            context(then),
        ],
    )


def unlinked(*, revoked: bool | None, slash: str = "/pager") -> Reply:
    """`unlink`: None when there was nothing, else whether PagerDuty says that it revoked the tokens."""
    if revoked is None:
        told = f"You are not linked, so there is nothing to forget. {slash} link links you."
    elif revoked:
        told = (
            "You are unlinked: I deleted your tokens, and PagerDuty has revoked them. "
            f"{slash} link links you again."
        )
    else:
        told = (
            "You are unlinked: I deleted your tokens. PagerDuty did not confirm that it revoked them, so "
            "they run out by themselves. To be sure, ask a PagerDuty admin to revoke this app's tokens."
        )
    return reply(told, [section(told)])


def nothing_to_link(*, slash: str = "/pager") -> Reply:
    """`link` and `unlink` where people are matched by e-mail."""
    told = (
        "Nobody links an account here: I know people by their e-mail address, which has to be the same in "
        f"Slack and PagerDuty. {slash} whoami shows whom I take you for."
    )
    return reply(told, [section(told)])


def how_linked(
    *,
    slack_name: str,
    person_name: str,
    url: str | None = None,
    role: str | None = None,
    linked_at: datetime,
    ends_at: datetime | None = None,
    scopes: Collection[str],
    missing: Collection[str] = (),
    health: str,
    slash: str = "/pager",
) -> Reply:
    """`whoami` of somebody with a living link. `health` is a plain sentence: whether it works just now."""
    slack, person = line(slack_name, 80), line(person_name, 80)
    ends = None
    if ends_at is not None:
        ends = f":warning:  It ends {text.day(ends_at)}, and PagerDuty gave nothing to renew it by."
    lacks = f":warning:  Not granted: {line(', '.join(sorted(missing)), 400)}. `{slash} link` links again."
    blocks: list[Block] = [
        section(
            f"You are {bold(slack)} in Slack and act as {bold(link(url, person_name, 80))} in PagerDuty."
        ),
        context(
            dotted(
                f"linked by your own sign-in {text.day(linked_at, 'since ')}",
                f"role {line(role, 40)}" if role else None,
                line(health, 200),
            )
        ),
        context(f"Granted: {line(', '.join(sorted(scopes)), 600)}"),
    ]
    blocks += [context(warning) for warning in (ends, lacks if missing else None) if warning]
    told = f"You are {slack} in Slack and act as {person} in PagerDuty, linked {text.day_utc(linked_at)}."
    told += f" {line(health, 200)}"
    if missing:
        told += f" Not granted: {', '.join(sorted(missing))}; {slash} link links again."
    return reply(told, blocks)


def not_linked_now(
    *,
    slack_name: str,
    was: str = "",
    ended_at: datetime | None = None,
    why: str = "",
    slash: str = "/pager",
) -> Reply:
    """`whoami` of somebody without a link: never linked, or linked as `was` until `ended_at`."""
    slack = line(slack_name, 80)
    if was and ended_at is not None:
        ended = f"Your link as {line(was, 80)} in PagerDuty ended"
        told = f"You are {slack} in Slack. {ended} {text.day_utc(ended_at)}. {line(why, 300)}"
        shown = f"You are {bold(slack)} in Slack. {ended} {text.day(ended_at)}. {line(why, 300)}"
    else:
        told = shown = f"You are {slack} in Slack, and not linked to PagerDuty."
    then = f"{slash} link links you; until then you may look, not act."
    return reply(
        f"{told} {then}", [section(shown), actions([button(LABEL, "link", style="primary")]), context(then)]
    )
