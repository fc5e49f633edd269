"""What Slack says about linking: that it is done, and what admins are asked."""

from __future__ import annotations

from bot.declaration import Reply
from bot.render.blocks import actions, button, context, section
from bot.render.limits import reply
from bot.render.text import line

APPROVE = "link-approve"
REFUSE = "link-refuse"


def linked_as(person: str) -> Reply:
    """Takes the place of the message with the Link button."""
    said = f"Linked as {line(person, 100)} in PagerDuty."
    return reply(
        f"{said} What you do from here carries your name.",
        [section(f":white_check_mark:  Linked as *{line(person, 100)}* in PagerDuty.")],
    )


def ask_admin(
    link_id: str,
    *,
    user_id: str,
    slack_name: str,
    slack_email: str | None,
    person: str,
    person_email: str | None,
    why: str,
) -> Reply:
    """To each admin, or into their channel. `why` is a sentence: what keeps it from being plain."""
    lead = _who(user_id, slack_name, slack_email, person, person_email)
    advice = "Approve only if you know that both are the same person: who is linked acts with that name."
    return reply(
        f"{line(slack_name)} wants to act in PagerDuty as {line(person)}. {line(why, 400)} {advice}",
        [
            section(f":link:  *Approve a link?*\n{lead}"),
            section(line(why, 400)),
            context(advice),
            actions(
                [
                    button(
                        "Approve", f"{APPROVE} {link_id}", style="primary", spoken=f"Approve {slack_name}"
                    ),
                    button("Refuse", f"{REFUSE} {link_id}", style="danger", spoken=f"Refuse {slack_name}"),
                ]
            ),
        ],
    )


def decided(
    outcome: str,
    *,
    by: str | None,
    user_id: str,
    slack_name: str,
    slack_email: str | None,
    person: str,
    person_email: str | None,
) -> Reply:
    """Takes the place of every message that asked the admins, and is the answer to a late press. `outcome` is
    the store's word, `by` the Slack id of the admin.
    """
    admin = f"<@{by}>" if by else "an admin"
    icon, said = {
        "linked": (":white_check_mark:", f"Approved by {admin}." if by else "Linked."),
        "refused": (":no_entry:", f"Refused by {admin}." if by else "Taken back: nothing was linked."),
        "late": (":information_source:", "They were linked in another window meanwhile."),
    }.get(outcome, (":hourglass:", "Nobody decided in time, so nothing was linked."))
    lead = _who(user_id, slack_name, slack_email, person, person_email)
    return reply(
        f"{said} {line(slack_name)} as {line(person)} in PagerDuty.", [section(f"{icon}  *{said}*\n{lead}")]
    )


def _who(
    user_id: str, slack_name: str, slack_email: str | None, person: str, person_email: str | None
) -> str:
    """Names of both; the mention is a link to the profile, and notifies nobody who is not there."""
    slack = f"*{line(slack_name)}* (<@{user_id}>, {line(slack_email or 'no e-mail')})"
    return f"Slack: {slack}\nPagerDuty: *{line(person)}* ({line(person_email or 'no e-mail')})"


def approved(person: str) -> Reply:
    """To the person, when an admin approved."""
    return reply(
        f"An admin approved: you are linked as {line(person)} in PagerDuty.",
        [section(f":white_check_mark:  An admin approved: you are linked as *{line(person)}* in PagerDuty.")],
    )


def not_approved(person: str, *, expired: bool, slash: str) -> Reply:
    """To the person, when an admin refused or nobody decided for a day."""
    what = "Nobody approved" if expired else "An admin refused"
    said = f"{what} your link to {line(person)} in PagerDuty, so nothing is linked."
    then = f"Talk to whoever runs this bot, or type {slash} link to try again."
    return reply(f"{said} {then}", [section(f":no_entry:  {said} {then}")])


def replaced(person: str, by: str, slash: str) -> Reply:
    """To somebody whose PagerDuty user was linked to another Slack user, with proof."""
    said = f"{line(person)} in PagerDuty is now linked to <@{by}>, so you are not linked any more."
    then = f"If that is wrong, tell an admin now. To link again type {slash} link."
    return reply(f"{said} {then}", [section(f":warning:  {said} {then}")])
