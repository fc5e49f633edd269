"""Answers to acts: what was done, one line per incident, and never more than was done.

Private, because the incident's own message already shows the new state to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.declaration import Reply
from bot.model import Incident, Reference, Status
from bot.render import text
from bot.render.blocks import Block, actions, button, context, section
from bot.render.incident import headline, name, responder_line, state_line
from bot.render.limits import reply
from bot.render.summary import acknowledgers, summary
from bot.render.text import bold, dotted, line, link, plural

MANY = 24
"""Of more than these an answer has a line for each way it ended, and not for each incident."""
_SHORT = 90  # characters of a title in an answer
_SHORTER = 40  # … about several incidents


class Result(StrEnum):
    """What came of an act on one incident."""

    DONE = "done"
    ALREADY = "already"  # it was so before: success
    RESOLVED = "resolved"  # before it could be acknowledged: left alone, PagerDuty would have reopened it
    REOPENED = "reopened"  # resolved in the moment between: this acknowledgement reopened it
    REFUSED = "refused"  # PagerDuty said no; `reason` says why
    NOT_DONE = "not done"  # PagerDuty is away or limiting us: nothing was changed
    NOT_FOUND = "not found"
    UNKNOWN = "unknown"  # asked for, no answer, and a look afterwards did not settle it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act on one incident: `asked` is the name it was given, `reason` a plain sentence."""

    result: Result
    asked: str
    incident: Incident | None = None
    reason: str = ""


def acknowledged(outcomes: Sequence[Outcome]) -> Reply:
    """`ack`: done, already, resolved meanwhile, reopened by this, refused, not found."""
    reopened = [one.incident for one in outcomes if one.result is Result.REOPENED and one.incident]
    buttons = [
        button(
            "Resolve" if len(outcomes) == 1 else f"Resolve {one.label}", f"resolve {one.id}", style="primary"
        )
        for one in reopened[:5]
    ]
    return _told(outcomes, "Acknowledged", buttons)


def resolved(outcomes: Sequence[Outcome]) -> Reply:
    """`resolve`: done, already, refused, not found."""
    return _told(outcomes, "Resolved", [])


def _told(outcomes: Sequence[Outcome], done: str, buttons: Sequence[Block]) -> Reply:
    if len(outcomes) > MANY:
        return _told_of_many(outcomes, done, buttons)
    worded = [_line(one, done, _SHORT if len(outcomes) == 1 else _SHORTER) for one in outcomes]
    blocks: list[Block] = []
    count = sum(one.result is Result.DONE for one in outcomes)
    if len(outcomes) > 1:
        blocks.append(section(f"{bold(done)} {count} of {plural(len(outcomes), 'incident')}."))
    blocks += [
        section("\n".join(f"{icon}  {words}" for icon, words in worded[start : start + 8]))
        for start in range(0, len(worded), 8)
    ]
    if buttons:
        blocks.append(actions(buttons))
    plain = " ".join(_plain_line(one, done) for one in outcomes)
    lead = f"{done} {count} of {len(outcomes)}. " if len(outcomes) > 1 else ""
    return reply(lead + plain, blocks)


def _told_of_many(outcomes: Sequence[Outcome], done: str, buttons: Sequence[Block]) -> Reply:
    """What was not done first: that is what is left to look at."""
    order = list(_OF_MANY)
    ends: dict[tuple[Result, str], list[str]] = {}
    for one in outcomes:
        name = one.incident.label if one.incident else f"“{line(one.asked, 40)}”"
        ends.setdefault((one.result, one.reason), []).append(name)
    count = sum(one.result is Result.DONE for one in outcomes)
    told = []
    for (result, reason), names in sorted(ends.items(), key=lambda end: order.index(end[0][0])):
        icon, _ = _WORDS[result]
        why = f" {line(reason, 200)}" if reason else ""
        told.append((icon, f"{_OF_MANY[result].format(done=done)}:{why} {', '.join(names)}."))
    blocks: list[Block] = [
        section(f"{bold(done)} {count} of {plural(len(outcomes), 'incident')}."),
        *(section(f"{icon}  {words}") for icon, words in told),
    ]
    if buttons:
        blocks.append(actions(buttons))
    plain = " ".join(words.replace("*", "") for _, words in told)
    return reply(f"{done} {count} of {len(outcomes)}. {plain}", blocks)


_OF_MANY: Mapping[Result, str] = {
    Result.REOPENED: (
        "Resolved a moment ago, and *reopened* by this acknowledgement. Resolve them if they are over"
    ),
    Result.UNKNOWN: (
        "These may or may not have changed, PagerDuty did not answer. Look at them before trying again"
    ),
    Result.REFUSED: "Left as they are, PagerDuty refused",
    Result.NOT_DONE: "Left as they are: PagerDuty does not answer right now. Try these again in a minute",
    Result.NOT_FOUND: "No incidents I can find",
    Result.RESOLVED: "Resolved already, so I left them alone; acknowledging would reopen them",
    Result.ALREADY: "{done} already",
    Result.DONE: "{done}",
}
"""In the order in which they are told."""


def _line(one: Outcome, done: str, limit: int) -> tuple[str, str]:
    icon, words = _WORDS[one.result]
    if one.incident is None:
        return icon, f"“{line(one.asked, 40)}” {_reasoned(words, one)}"
    said = name(one.incident, limit)
    if one.result is Result.DONE:
        return icon, f"{done} {said}"
    if one.result is Result.ALREADY:
        return icon, f"{said} was already {done.lower()}{_holder(one.incident)}"
    return icon, f"{said} {_reasoned(words, one)}"


_WORDS: Mapping[Result, tuple[str, str]] = {
    Result.DONE: (":white_check_mark:", "is done."),
    Result.ALREADY: (":white_check_mark:", "was so already."),
    Result.RESOLVED: (
        ":information_source:",
        "is resolved already, so I left it alone: acknowledging would reopen it.",
    ),
    Result.REOPENED: (
        ":warning:",
        "was resolved a moment ago, and this acknowledgement *reopened* it. Resolve it if it is over.",
    ),
    Result.REFUSED: (":x:", "was left as it is: PagerDuty refused"),
    Result.NOT_DONE: (
        ":warning:",
        "was left as it is: PagerDuty does not answer right now. Try again in a minute.",
    ),
    Result.NOT_FOUND: (":x:", "is no incident I can find. Check the number, or list the open ones."),
    Result.UNKNOWN: (
        ":grey_question:",
        "may or may not have changed: PagerDuty did not answer. Look at it before trying again.",
    ),
}


def _reasoned(words: str, one: Outcome) -> str:
    if one.result is not Result.REFUSED:
        return words
    return f"{words}. {line(one.reason, 200)}" if one.reason else f"{words}."


def _holder(incident: Incident) -> str:
    if incident.status is Status.RESOLVED:
        return f", by {bold(line(incident.resolved_by, 60))}" if incident.resolved_by else ""
    who = text.names(acknowledgers(incident))
    return f", by {who}" if who else ""


def _plain_line(one: Outcome, done: str) -> str:
    title = f" {line(one.incident.title, 60)}" if one.incident else ""
    called = one.incident.label + title if one.incident else line(one.asked, 40)
    if one.result is Result.DONE:
        return f"{done} {called}."
    if one.result is Result.ALREADY:
        return f"{called} was already {done.lower()}."
    words = _reasoned(_WORDS[one.result][1], one).replace("*", "")
    return f"{called} {words}"


# ------------------------------------------------------------------------------------------- escalating


def escalated(incident: Incident, *, level: int, of: int | None, to: Sequence[Reference] = ()) -> Reply:
    """`Escalated to Bob Brown, level 2 of 3`."""
    who = text.names(person.name for person in to)
    place = f"level {level} of {of}" if of else f"level {level}"
    told = f"Escalated to {who}, {place}" if who else f"Escalated to {place}"
    named = text.plain_names(person.name for person in to)
    plain = f"Escalated {incident.label} to {f'{named}, {place}' if named else place}."
    return reply(plain, [section(f":arrow_double_up:  {told}: {name(incident, _SHORT)}")])


def already_escalated(incident: Incident, *, level: int, wanted: int) -> Reply:
    """It stands at the level the button leads to, or higher: nothing was done."""
    told = (
        f"is at level {level} already"
        if level == wanted
        else f"is at level {level} already, past level {wanted}"
    )
    blocks = [section(f":information_source:  {name(incident, _SHORT)} {told}; nothing was done.")]
    return reply(f"{incident.label} {told}; nothing was done.", blocks)


def cannot_escalate(incident: Incident, reason: str) -> Reply:
    """Resolved, low urgency, last level, nobody there …: `reason` is a plain sentence that says what to do
    instead.
    """
    blocks = [section(f":information_source:  {name(incident, _SHORT)} was not escalated. {line(reason)}")]
    return reply(f"{incident.label} was not escalated. {line(reason)}", blocks)


def ask_level(
    incident: Incident, levels: Sequence[tuple[int, Sequence[Reference]]], *, why: str = ""
) -> Reply:
    """Which level? `levels` are numbers with whom they page; `why` is a plain sentence said first."""
    lead = f"{line(why)} " if why else ""
    buttons = [
        button(
            f"Level {number}: {', '.join(person.name for person in people) or 'nobody'}",
            f"escalate {incident.id} {number}",
        )
        for number, people in levels[:10]
    ]
    blocks: list[Block] = [section(f"{lead}Which level should {name(incident, _SHORT)} go to?")]
    if buttons:
        blocks.append(actions(buttons))
    return reply(f"{lead}Which level should {incident.label} go to?", blocks)


# ---------------------------------------------------------------------------------- notes, trigger, whoami


def note_added(incident: Incident, note: str) -> Reply:
    blocks = [section(f":memo:  Note added to {name(incident, _SHORT)}\n{text.quote(text.prose(note, 600))}")]
    return reply(f"Note added to {incident.label}.", blocks)


def triggered(incident: Incident, *, existed: bool = False) -> Reply:
    """A new incident, linked; `existed`: the same form was sent before, and this is what it made."""
    lead = "You triggered this already." if existed else ""
    blocks = [
        section("\n".join(part for part in (lead, headline(incident), state_line(incident)) if part)),
        section(responder_line(incident, {})),
    ]
    return reply(f"{lead} {summary(incident)}", blocks)


def whoami(
    *,
    slack_name: str,
    person_name: str | None,
    email: str | None = None,
    role: str | None = None,
    mode: str = "email",
    url: str | None = None,
) -> Reply:
    """Who the bot takes somebody for; `mode` is how that is known (email or oauth)."""
    if person_name is None:
        tried = f" I looked for {line(email, 100)}." if email else ""
        blocks = [
            section(f"You are {bold(line(slack_name, 80))} in Slack, and nobody I know in PagerDuty.{tried}"),
            context("Ask a PagerDuty admin to give your user the e-mail address you use in Slack."),
        ]
        return reply(f"You are {line(slack_name, 80)} in Slack, and nobody I know in PagerDuty.", blocks)
    how = "your own PagerDuty sign-in" if mode == "oauth" else "your e-mail address"
    person = link(url, person_name, 80)
    blocks = [
        section(f"You are {bold(line(slack_name, 80))} in Slack and act as {bold(person)} in PagerDuty."),
        context(
            dotted(
                f"known by {how}",
                line(email, 100) if email else None,
                f"role {line(role, 40)}" if role else None,
            )
        ),
    ]
    return reply(
        f"You are {line(slack_name, 80)} in Slack and act as {line(person_name, 80)} in PagerDuty.", blocks
    )
