"""What is said when something does not work: what happened, and exactly one next step.

Four families are kept apart, because their next steps differ: not linked · not allowed · PagerDuty is down
or limiting · Slack cannot see the channel. Everything else is ours: an apology with an id that stands in
the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.declaration import Reply
from bot.errors import (
    Failure,
    NotAllowed,
    NotLinked,
    PagerDutyFailure,
    PagerDutyForbidden,
    PagerDutyNotFound,
    PagerDutyRefused,
    PagerDutyUnauthorized,
    PagerDutyUnavailable,
    SlackFailure,
    StoreUnavailable,
    UserError,
)
from bot.model import Incident
from bot.render.blocks import Block, actions, button, section, verb_of
from bot.render.carried import MOST
from bot.render.incident import headline, state_line
from bot.render.limits import reply
from bot.render.summary import summary
from bot.render.text import bold, duration, line, plain_names, sentence

WORKING = "Working on it, the answer follows."


def problem(failure: Failure, *, scope: str | None = None, words: str = "") -> Reply:
    """The answer to any foreseen failure.

    `scope` is the PagerDuty scope the command needs, `words` what was asked for, so that it can be tried
    again with one press. Where people link their accounts, bot/render/own_link.py answers those who have not.
    """
    if isinstance(failure, NotLinked):
        return not_linked(str(failure))
    if isinstance(failure, PagerDutyFailure):
        return _pagerduty(failure, scope, words)
    if isinstance(failure, SlackFailure):
        return _slack(failure)
    if isinstance(failure, StoreUnavailable):
        return cannot_remember()
    icon = next((icon for kind, icon in _ICONS if isinstance(failure, kind)), ":warning:")
    return _said(icon, str(failure))


_ICONS = ((NotAllowed, ":no_entry:"), (UserError, ":information_source:"))


def not_linked(why: str = "") -> Reply:
    """We do not know who this is in PagerDuty; `why` is a plain sentence with the next step."""
    said = sentence(why) or (
        "I do not know who you are in PagerDuty. "
        "Ask a PagerDuty admin to give your user the e-mail address you use in Slack."
    )
    return reply(said, [section(f":link:  {said}")])


def cannot_remember() -> Reply:
    """The database is away: nothing was noted, so nothing will be done."""
    return _said(
        ":warning:", "I cannot remember anything right now, so nothing was done. Try again in a minute."
    )


def left_for_a_moment() -> Reply:
    """The database went away before an act had begun: it is noted, and taken up when the database is back."""
    return _said(
        ":hourglass:",
        "I cannot get at what I remember right now. I have your request, and will do it or tell you in a "
        "moment: no need to ask again.",
    )


def sent_and_not_noted() -> Reply:
    """The database went away after PagerDuty was asked, and what it answered is not known any more."""
    return _said(
        ":warning:",
        "PagerDuty was asked, but I could not note what came of it. Look at it there before you try again.",
    )


def restarting() -> Reply:
    """Asked while we stop: another replica, or we in a moment, will do it."""
    return _said(":hourglass:", "I am just restarting, so nothing was done. Try again in a moment.")


def apology(error_id: str) -> Reply:
    """A bug of ours; the id is in the log beside the traceback."""
    lead = "Sorry, that went wrong, and it is our mistake. Tell whoever runs this bot the id"
    return reply(f"{lead} {line(error_id)}.", [section(f":warning:  {lead} `{line(error_id)}`.")])


def trigger_expired(words: str) -> Reply:
    """Slack gives a form 3 seconds to open; a press gives it another three."""
    said = "Slack did not let me open the form in time."
    if not words or len(words) > MOST:
        return _said(":hourglass:", f"{said} Type that again.")
    return _said(":hourglass:", f"{said} Press to try again.", (actions([button("Open the form", words)]),))


def needs_a_press(words: str) -> Reply:
    """Something is missing that a form asks for; Slack opens forms for presses and slash commands only."""
    # What is too long to be carried still stands in the person's own message.
    carries = words if len(words) <= MOST else verb_of(words)
    return _said(":memo:", "I need to know a little more.", (actions([button("Open the form", carries)]),))


def role_refused(act: str, service: str, on_call: Sequence[str]) -> Reply:
    """PagerDuty refused somebody's own token. `act` is the command's title in lower case; `on_call` are names
    of people who can, `service` may be unknown.
    """
    here, shown = "your role there", "your role there"
    if service:
        here, shown = f"your role on {line(service, 80)}", f"your role on {bold(line(service, 80))}"
    instead = "a PagerDuty admin"
    if on_call:
        instead = f"{plain_names(line(name, 60) for name in on_call)}, on call for it, or a PagerDuty admin"
    then = f"cannot {line(act, 60)}. Ask {instead}."
    return reply(f"PagerDuty says {here} {then}", [section(f":no_entry:  PagerDuty says {shown} {then}")])


def working() -> Reply:
    """Said only when an answer takes more than a second; the answer takes its place where Slack lets it."""
    return reply(WORKING, [section(f":hourglass_flowing_sand:  {WORKING}")])


def _said(icon: str, said: str, blocks: tuple[Block, ...] = ()) -> Reply:
    return reply(sentence(said), [section(f"{icon}  {sentence(said)}"), *blocks])


def _pagerduty(failure: PagerDutyFailure, scope: str | None, words: str) -> Reply:
    if isinstance(failure, PagerDutyUnavailable):
        return _unavailable(failure, words)
    if isinstance(failure, PagerDutyForbidden):
        needed = f" It takes a role that may respond, such as Responder (scope {scope})." if scope else ""
        return _said(":no_entry:", f"PagerDuty does not let you do that.{needed} Ask a PagerDuty admin.")
    if isinstance(failure, PagerDutyUnauthorized):
        return _said(
            ":no_entry:",
            "PagerDuty does not accept my credentials, nothing was done. Ask whoever runs me to check them.",
        )
    if isinstance(failure, PagerDutyNotFound):
        return _said(
            ":information_source:",
            "PagerDuty has no such thing, or you may not see it. Check the number or name.",
        )
    reasons = "; ".join(failure.reasons) or str(failure)
    if isinstance(failure, PagerDutyRefused):
        return _said(
            ":x:", f"PagerDuty refused: {reasons.rstrip('.')}. Look at the incident, then try again."
        )
    return _said(":x:", f"PagerDuty did not do it: {reasons.rstrip('.')}. Try again in a minute.")


def _unavailable(failure: PagerDutyFailure, words: str) -> Reply:
    limiting = failure.status == 429
    what = "PagerDuty is limiting how much I may ask." if limiting else "PagerDuty does not answer right now."
    if failure.maybe_done:
        return _said(
            ":warning:", f"{what} Your change may or may not have happened: look at the incident first."
        )
    wait = duration(timedelta(seconds=max(failure.retry_after, 1))) if failure.retry_after else "a minute"
    again: tuple[Block, ...] = ()
    if words and len(words) <= MOST:
        again = (actions([button("Try again", words)]),)
    return _said(":warning:", f"{what} Nothing was done. Try again in {wait}.", again)


_UNSEEN = {"channel_not_found", "not_in_channel", "is_archived", "is_inactive", "user_not_in_channel"}


# Slack's own troubles, which end by themselves; any other refusal is a fault in how we are set up.
_PASSING = frozenset(
    {"timeout", "unreachable", "dropped", "not_json", "internal_error", "fatal_error", "service_unavailable"}
)


def _slack(failure: SlackFailure) -> Reply:
    if failure.code in _UNSEEN:
        return cannot_see_channel(archived=failure.code in {"is_archived", "is_inactive"})
    if failure.retry_after is not None:
        wait = duration(timedelta(seconds=max(failure.retry_after, 1)))
        return _said(":warning:", f"Slack is limiting how much I may post. Try again in {wait}.")
    if failure.code in _PASSING or failure.code.startswith("http_5"):
        return _said(":warning:", "Slack did not answer me properly just now. Try again in a minute.")
    return _said(":warning:", f"Slack refused ({failure.code}). Ask whoever runs this bot to run its check.")


def cannot_see_channel(*, archived: bool = False) -> Reply:
    """Slack does not let us into the channel."""
    if archived:
        return _said(
            ":no_entry:", "This channel is archived, so I cannot post here. Unarchive it, or use another one."
        )
    return _said(":no_entry:", "I am not in this channel, so I cannot post here. Invite me, then try again.")


# ------------------------------------------------------------------------------------ what was interrupted


def expired(words: str, incident: Incident | None = None, *, again: str = "") -> Reply:
    """Asked too long ago to be carried out now, when the world may have moved on: it was not done. `again` is
    what a button carries that does it now.
    """
    lead = f"I was down when you asked for “{line(words, 120)}”. It is too old to do now, so it was not done."
    return with_state(lead, incident, again=again)


def interrupted(words: str, incident: Incident | None = None, *, done: bool | None, again: str = "") -> Reply:
    """Begun, then cut off; PagerDuty was asked what became of it (`done` None: it could not tell). `again` is
    what a button carries that does it now.
    """
    asked = f"I was interrupted while doing “{line(words, 120)}”."
    if done is None:
        return with_state(f"{asked} I cannot tell whether it was done: look before trying again.", incident)
    if done:
        return with_state(f"{asked} It was done.", incident)
    return with_state(f"{asked} It was not done.", incident, again=again)


def with_state(lead: str, incident: Incident | None, *, again: str = "") -> Reply:
    """`lead`, the incident as it stands now, and a button that does it now (`again`: what it carries)."""
    blocks: list[Block] = [section(f":information_source:  {lead}")]
    if incident is not None:
        blocks.append(section(f"{headline(incident)}\n{state_line(incident)}"))
    if again and len(again) <= MOST:
        blocks.append(actions([button("Do it now", again)]))
    return reply(f"{lead} {summary(incident)}" if incident else lead, blocks)
