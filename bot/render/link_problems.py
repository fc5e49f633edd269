"""Why linking did not go on: what the page says, and the one thing to do next. Pure.

Each is honest about what changed: nothing, unless it says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`status` is the page's HTTP status; `said` what happened, `then` what to do next. Plain text."""

    title: str
    said: str
    then: str
    status: int = 400


def no_ticket(slash: str) -> Problem:
    return Problem(
        "I do not know this link",
        "It is incomplete, or so old that I have forgotten it. Nothing changed.",
        _again(slash),
        404,
    )


def ticket_expired(slash: str) -> Problem:
    return Problem(
        "This link has expired", "It was good for a short time only. Nothing changed.", _again(slash), 410
    )


def ticket_done(slash: str) -> Problem:
    return Problem(
        "This link has done its work",
        "You were linked with it, or with another one, so it cannot be used again. Nothing changed.",
        f"You can close this page. Type {slash} whoami in Slack to see as whom you act.",
        410,
    )


def too_many(slash: str) -> Problem:
    return Problem(
        "This link was started too often",
        "To be safe it cannot be used any more. Nothing changed.",
        _again(slash),
        429,
    )


def no_cookie(slash: str) -> Problem:
    return Problem(
        "This page was not sent from the browser that opened it",
        "It needs a cookie, which keeps others from linking you. Your browser did not send it, so nothing "
        "changed.",
        f"Allow cookies for this site and press Link in Slack again, or type {slash} link.",
        403,
    )


def other_browser(slash: str) -> Problem:
    return Problem(
        "This was begun in another browser",
        "What PagerDuty answered is only good in the browser where you pressed Continue. Nothing changed.",
        f"Go on in that browser. Or start here: type {slash} link in Slack and open the link in this one.",
        403,
    )


def state_unknown(slash: str) -> Problem:
    return Problem(
        "I did not ask for this",
        "PagerDuty sent you here with an answer to a question I do not remember. Nothing changed.",
        _again(slash),
        400,
    )


def state_used(slash: str) -> Problem:
    return Problem(
        "This answer was used already",
        "An answer from PagerDuty counts once, and this one has been taken. Nothing changed by opening it "
        "again.",
        f"Type {slash} whoami in Slack to see whether you are linked. If not: {slash} link.",
        409,
    )


def state_expired(slash: str) -> Problem:
    return Problem(
        "That took too long",
        "You have ten minutes to say yes in PagerDuty, and they are over. Nothing changed.",
        _again(slash),
        410,
    )


def denied(slash: str) -> Problem:
    return Problem(
        "You said no in PagerDuty",
        "So nothing is linked, and nothing changed.",
        f"If that was a mistake, press Link in Slack again, or type {slash} link.",
        200,
    )


def pagerduty_error(slash: str) -> Problem:
    return Problem(
        "PagerDuty could not do it",
        "It sent you back with an error instead of an answer. Nothing changed.",
        f"Type {slash} link in Slack to try again. If it stays like this, tell whoever runs this bot: the "
        "app registration in PagerDuty may not fit its settings.",
        502,
    )


def code_refused(slash: str) -> Problem:
    return Problem(
        "PagerDuty did not take its own answer back",
        "Its answer is good for 30 seconds and once. It came too late, or twice. Nothing changed.",
        _again(slash),
        409,
    )


def app_refused(error: str) -> Problem:
    return Problem(
        "PagerDuty does not accept this bot's credentials",
        f"Its sign-in answered {error}. Nothing changed, and it is not your fault.",
        "Ask whoever runs this bot to check PAGERDUTY_CLIENT_ID, PAGERDUTY_CLIENT_SECRET and the redirect "
        "URL of the app registration.",
        502,
    )


def pagerduty_away(slash: str) -> Problem:
    return Problem(
        "PagerDuty does not answer",
        "It did not tell me who you are, so nothing is linked.",
        f"Type {slash} link in Slack in a minute to try again.",
        503,
    )


def slack_away(slash: str) -> Problem:
    return Problem(
        "Slack does not answer",
        "I cannot see who you are in Slack right now. Nothing changed.",
        f"Reload this page in a minute, or type {slash} link in Slack then.",
        503,
    )


def cannot_remember() -> Problem:
    return Problem(
        "I cannot remember anything right now",
        "My database does not answer, so nothing changed.",
        "Reload this page in a minute.",
        503,
    )


def apology(error_id: str) -> Problem:
    """A bug of ours; the id is in the log beside the traceback."""
    return Problem(
        "That went wrong, and it is our mistake",
        "I cannot tell how far it came.",
        f"Tell whoever runs this bot the id {error_id}.",
        500,
    )


def not_allowed(why: str) -> Problem:
    """`why` is a sentence of bot/accounts/members.py with its next step."""
    return Problem("You cannot be linked", why, "Nothing changed.", 403)


def missing_scopes(missing: Iterable[str]) -> Problem:
    return Problem(
        "PagerDuty gave less than this bot needs",
        "It did not grant " + ", ".join(sorted(missing)) + ", and does not say why. Nothing is linked.",
        "Ask a PagerDuty admin to add these scopes to this bot's app: Integrations, Developer Tools, App "
        "Registration, the app, OAuth 2.0. Then link again.",
        502,
    )


def other_region(region: str) -> Problem:
    """`region` is where the bot looks: us or eu."""
    other = {"us": "the EU", "eu": "the US"}.get(region, "another")
    return Problem(
        "This PagerDuty account lives in the other region",
        f"You signed in to an account that {region.upper()} PagerDuty does not know; this bot works with "
        f"the {region.upper()} service region, and yours is probably in {other}. Nothing is linked.",
        "Sign in to the account this Slack workspace uses. If that is the one you chose, ask whoever runs "
        "this bot to set PAGERDUTY_REGION.",
        403,
    )


def nobody_can_prove(slack_email: str, pagerduty_email: str) -> Problem:
    return Problem(
        "I cannot tell that both accounts are yours",
        f"Slack knows you as {slack_email}, PagerDuty as {pagerduty_email}, and this bot has no other way to "
        "find out. Nothing is linked, and what PagerDuty gave was thrown away.",
        "Use the same e-mail address in both. Or ask whoever runs this bot to set ADMINS (somebody besides "
        "you who approves links), or SLACK_CLIENT_ID and SLACK_CLIENT_SECRET (Sign in with Slack).",
        403,
    )


def nobody_reached(slash: str) -> Problem:
    return Problem(
        "I could not reach an admin",
        "An admin has to approve this link, and Slack did not take my message to them. Nothing is linked.",
        f"Ask whoever runs this bot to check ADMINS and ADMIN_CHANNEL, then type {slash} link in Slack.",
        503,
    )


def somebody_else(slack_name: str) -> Problem:
    return Problem(
        "You are somebody else in Slack",
        f"This link is for {slack_name}, and in this browser somebody else is signed in to Slack. Nothing is "
        "linked, and what PagerDuty gave was thrown away.",
        "If you opened a link that was sent to you: close this page and tell an admin. If you have two Slack "
        "accounts, sign in as the right one and link again.",
        403,
    )


def not_signed_in(slash: str) -> Problem:
    return Problem(
        "You did not sign in with Slack",
        "Without it I cannot tell that both accounts are yours. Nothing is linked.",
        f"Go back one page to try again, or type {slash} link in Slack.",
        403,
    )


def linked_elsewhere(slash: str) -> Problem:
    return Problem(
        "You linked in another window meanwhile",
        "That one was first, and it stands. Nothing changed here.",
        f"You can close this page. {slash} whoami tells as whom you act, {slash} unlink starts over.",
        409,
    )


def refused(slash: str) -> Problem:
    return Problem(
        "This link was refused",
        "Nothing is linked, and what PagerDuty gave was thrown away.",
        f"If that was wrong, talk to whoever runs this bot, then type {slash} link in Slack.",
        403,
    )


def cancelled(slash: str) -> Problem:
    return Problem(
        "Nothing was linked",
        "You said that this is not right, so what PagerDuty gave was thrown away.",
        f"If somebody sent you the link, tell an admin. To link your own account type {slash} link in Slack.",
        200,
    )


def confirm_expired(slash: str) -> Problem:
    return Problem(
        "That took too long",
        "It was not confirmed in time. Nothing is linked, and what PagerDuty gave is thrown away.",
        _again(slash),
        410,
    )


def _again(slash: str) -> str:
    return f"Type {slash} link in Slack for a new one."
