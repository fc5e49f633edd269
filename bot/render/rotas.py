"""Who on the next two weeks' rotas is linked: the answer to `team-links`, and what came of reminding.

Handed people with the turn they serve or serve next; those not linked stand first, the rest is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.declaration import Reply
from bot.model import OnCall
from bot.render import text
from bot.render.blocks import Block, actions, button, context, section
from bot.render.limits import reply
from bot.render.text import bold, line, link, plural

_ROTAS = "on the rotas of the next two weeks"
_MOST = 30  # people named one by one
_TOGETHER = 10  # of them in one block: Slack folds a longer one away


@dataclass(frozen=True, slots=True)
class OnRota:
    """One person and the turn they serve or serve next; `user_id` is Slack's, None when it is not known."""

    shift: OnCall
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class NotReminded:
    """`why` is half a plain sentence: `reminded less than a day ago`."""

    name: str
    why: str


def team_links(
    *,
    unlinked: Sequence[OnRota],
    unknown: Sequence[OnRota],
    linked: Sequence[str],
    now: datetime,
    by_email: bool = False,
    about: str = "",
    remind: str = "",
    reminds: bool = False,
    slash: str = "/pager",
) -> Reply:
    """`unlinked` can be written to, `unknown` have no Slack user, `linked` are names.

    `about` names the part of the rotas that was asked for; `remind` are the words of the button; `reminds`:
    they are reminded without it too.
    """
    everybody = len(unlinked) + len(unknown) + len(linked)
    rotas = f"on call for {line(about, 80)} in the next two weeks" if about else _ROTAS
    if not everybody:
        told = f"Nobody is {rotas}."
        todo = "Look at the schedules and escalation policies in PagerDuty: incidents would page no one."
        return reply(f"{told} {todo}", [section(f":warning:  {bold(told)}"), context(todo)])
    is_linked = "matched" if by_email else "linked"
    heading, mark = _heading(len(unlinked) + len(unknown), everybody, rotas, is_linked)
    blocks: list[Block] = [section(f"{mark}  {bold(heading)}")]
    words = [heading + ("." if not unlinked else ":")]
    blocks += _named(unlinked, now)
    if unlinked:
        words.append(f"{'; '.join(_words(one, now) for one in unlinked[:_MOST])}.")
        if remind:
            blocks.append(actions([button("Remind them", remind, style="primary")]))
    if unknown:
        what = _unknown_in_slack(by_email=by_email, slash=slash)
        blocks.append(section(f":grey_question:  {bold('Not found in Slack')}\n{what}"))
        blocks += _named(unknown, now)
        named = "; ".join(_words(one, now) for one in unknown[:_MOST])
        words.append(f"Not found in Slack: {named}. {what.replace('`', '')}")
    blocks.append(context(_rest(linked, is_linked, reminds=reminds and bool(unlinked))))
    words.append(f"{len(linked):,} {'is' if len(linked) == 1 else 'are'} {is_linked}.")
    return reply(" ".join(words), blocks)


def reminded(sent: Sequence[str], not_sent: Sequence[NotReminded]) -> Reply:
    """What came of *Remind them*: to whom it went (names), to whom not and why. It takes the list's place."""
    lead = f"Sent {plural(len(sent), 'reminder')}" if sent else "Sent no reminder"
    whom = f" to {text.names(sent, 10)}" if sent else ""
    blocks: list[Block] = [
        section(f"{':incoming_envelope:' if sent else ':information_source:'}  {lead}{whom}.")
    ]
    if not_sent:
        rows = [f"{bold(line(one.name, 60))}: {line(one.why, 200)}" for one in not_sent[:_MOST]]
        rows += [f"… and {len(not_sent) - _MOST} more."] if len(not_sent) > _MOST else []
        blocks.append(section("\n".join([bold("Not sent to"), *rows])))
    why = "; ".join(f"{line(one.name, 60)}: {line(one.why, 200)}" for one in not_sent[:_MOST])
    told = f"{lead}{' to ' + text.plain_names(sent, 10) if sent else ''}."
    return reply(f"{told} Not sent to {why}." if why else told, blocks, replaces=True)


def _heading(missing: int, everybody: int, rotas: str, is_linked: str) -> tuple[str, str]:
    if missing:
        verb = "is" if missing == 1 else "are"
        return (
            f"{missing:,} of {plural(everybody, 'person', 'people')} {rotas} {verb} not {is_linked}",
            ":link:",
        )
    all_of = "The one person" if everybody == 1 else f"All {everybody:,} people"
    return f"{all_of} {rotas} {'is' if everybody == 1 else 'are'} {is_linked}", ":white_check_mark:"


def _unknown_in_slack(*, by_email: bool, slash: str) -> str:
    if by_email:
        return (
            "No full member here has the e-mail address of their PagerDuty login, so they cannot act from "
            "Slack. Give both accounts the same address."
        )
    return (
        "Nobody here has the e-mail address of their PagerDuty login, so I cannot write to them. "
        f"Ask them to type `{slash} link`."
    )


def _rest(linked: Sequence[str], is_linked: str, *, reminds: bool) -> str:
    by_name = f": {text.plain_names(linked, 10)}" if linked else ""
    rest = f"{len(linked):,} {'is' if len(linked) == 1 else 'are'} {is_linked}{by_name}."
    return f"{rest} I remind the others by myself on the day before their turn." if reminds else rest


def _named(people: Sequence[OnRota], now: datetime) -> Iterable[Block]:
    for at in range(0, min(len(people), _MOST), _TOGETHER):
        yield section("\n".join(_row(one, now) for one in people[at : min(at + _TOGETHER, _MOST)]))
    if len(people) > _MOST:
        yield context(f"… and {len(people) - _MOST:,} more.")


def _row(one: OnRota, now: datetime) -> str:
    person = one.shift.person
    slack = f"<@{one.user_id}>" if one.user_id and one.user_id.isalnum() else None
    return text.dotted(
        " ".join(part for part in ("•", bold(link(person.url, person.name, 60)), slack) if part),
        _when(one.shift, now),
        place(one.shift),
    )


def _words(one: OnRota, now: datetime) -> str:
    return f"{line(one.shift.person.name, 60)}, {_when(one.shift, now, utc=True)}, {place(one.shift)}"


def _when(shift: OnCall, now: datetime, *, utc: bool = False) -> str:
    if shift.start is not None and shift.start > now:
        return f"from {text.day_utc(shift.start)}" if utc else text.day(shift.start, "from ")
    if shift.end is None:
        return "always"
    return f"now, until {text.day_utc(shift.end)}" if utc else text.day(shift.end, "now, until ")


def place(shift: OnCall) -> str:
    """Where somebody stands: `level 1 of Checkout primary (Checkout rota)`; mrkdwn, escaped."""
    rota = f" ({line(shift.schedule.name, 60)})" if shift.schedule else ""
    return f"level {shift.level} of {line(shift.policy.name, 60)}{rota}"
