"""Who did what through the bot, newest first, one act to a line: `/pager audit`, for admins.

A line says when (in the reader's own time), who, which verb on which incident, what came of it in words, and
from where. What was typed stands there only where no incident tells what it was about, and never more of it
than a line holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.declaration import Reply
from bot.model import Incident
from bot.render import text
from bot.render.blocks import Block, actions, button, context, section
from bot.render.limits import reply
from bot.render.text import bold, dotted, line, link, plural

_TITLE = 50  # characters of an incident's title
_WORDS = 60  # of what was typed
_INCIDENTS = 2  # named in a line; the rest are counted
_PLAIN = 15  # acts told in the plain text
_SECTION = 2900  # characters: a section takes 3,000

_OUTCOMES: Mapping[str, tuple[str, str]] = {
    "done": (":white_check_mark:", "done"),
    "unchanged": (":information_source:", "nothing changed"),
    "not_linked": (":no_entry:", "refused, not linked"),
    "not_allowed": (":no_entry:", "refused, not allowed"),
    "misunderstood": (":information_source:", "no such thing"),
    "pagerduty_refused": (":x:", "refused by PagerDuty"),
    "pagerduty_unavailable": (":warning:", "not done, PagerDuty was away"),
    "unknown": (":grey_question:", "sent, no answer came"),
    "not_done": (":warning:", "interrupted, not done"),
    "expired": (":warning:", "too late, not done"),
    "slack_refused": (":warning:", "not done, Slack refused"),
    "store_unavailable": (":warning:", "not done, the database was away"),
    "error": (":x:", "our mistake, see the log"),
}
_BEGUN = (":hourglass_flowing_sand:", "begun, end not known")
_FROM = {
    "slash": "typed",
    "mention": "mention",
    "direct": "direct message",
    "button": "button",
    "dialog": "dialog",
    "form": "form",
    "browser": "browser",
}


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One act. `subjects` are incidents, or their ids where they are not known; `outcome` is the record's
    word (docs/audit.md), None: begun; `status` PagerDuty's to its last write.
    """

    at: datetime
    user_id: str
    verb: str
    words: str
    subjects: tuple[Incident | str, ...]
    outcome: str | None
    surface: str
    status: int | None = None


def audit_list(
    acts: Sequence[AuditLine],
    *,
    heading: str,
    total: int,
    more_words: str = "",
    replaces: bool = False,
) -> Reply:
    """The acts, newest first, of `total` there are. `heading` is plain; `more_words` are what a button runs
    that shows more of them (none: no button).
    """
    if not acts:
        none = f"{heading}: nothing on record."
        return reply(line(none), [section(f"{bold(line(heading))}: nothing on record.")], replaces=replaces)
    blocks: list[Block] = [section(bold(line(heading)))]
    shown = 0
    for some in _pieces([_row(act) for act in acts]):
        blocks.append(section("\n".join(some)))
        shown += len(some)
    if shown < total:
        if more_words:
            blocks.append(actions([button("Show more", more_words)]))
        blocks.append(
            context(
                f"The newest {shown:,} of {plural(total, 'act')}. All of them: `python -m bot audit`, where "
                "the bot runs."
            )
        )
    told = "; ".join(_plain_row(act) for act in acts[:_PLAIN])
    return reply(f"{line(heading)}: {shown:,} of {plural(total, 'act')}. {told}", blocks, replaces=replaces)


def _pieces(rows: Sequence[str]) -> list[list[str]]:
    """Rows in as few sections as hold them."""
    pieces: list[list[str]] = [[]]
    room = _SECTION
    for row in rows:
        if pieces[-1] and len(row) + 1 > room:
            pieces.append([])
            room = _SECTION
        pieces[-1].append(row)
        room -= len(row) + 1
    return pieces


def _row(act: AuditLine) -> str:
    icon, outcome = _outcome(act)
    surface = _FROM.get(act.surface, line(act.surface, 20))
    who = f"<@{act.user_id}>" if act.user_id.isalnum() else line(act.user_id, 40)
    return (
        f"{icon}  {dotted(text.moment(act.at), who, _what(act, bold(line(act.verb, 20))), outcome, surface)}"
    )


def _outcome(act: AuditLine) -> tuple[str, str]:
    if act.outcome is None:
        return _BEGUN
    icon, words = _OUTCOMES.get(act.outcome, (":grey_question:", line(act.outcome, 40)))
    return icon, f"{words} ({act.status})" if act.outcome == "pagerduty_refused" and act.status else words


def _what(act: AuditLine, verb: str) -> str:
    if not act.subjects:
        _, _, rest = act.words.partition(" ")
        return f"{verb} {line(rest, _WORDS)}".strip()
    named = [_subject(one) for one in act.subjects[:_INCIDENTS]]
    more = len(act.subjects) - len(named)
    return f"{verb} {', '.join(named)}{f' and {more:,} more' if more else ''}"


def _subject(one: Incident | str) -> str:
    if isinstance(one, str):
        return line(f"#{one}" if one.isdigit() else one, 30)
    return f"{link(one.url, one.label)} {line(one.title, _TITLE)}"


def _plain_row(act: AuditLine) -> str:
    _, outcome = _outcome(act)
    about = ", ".join(
        line(one if isinstance(one, str) else one.label, 30) for one in act.subjects[:_INCIDENTS]
    )
    who = f"<@{act.user_id}>" if act.user_id.isalnum() else line(act.user_id, 40)
    return f"{text.moment_utc(act.at)} {who} {line(act.verb, 20)} {about}: {outcome}".replace(" :", ":")
