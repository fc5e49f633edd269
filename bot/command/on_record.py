"""What the audit keeps of a request that ended: its outcome in one word, and the incidents it was about.

bot/command/run.py asks when it writes the outcome down; docs/audit.md explains the words.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from bot.command.filling import incident_refs
from bot.command.ports import IncidentStore
from bot.command.steps import Errand
from bot.declaration import IncidentRef, Reply
from bot.pagerduty.journal import Journal
from bot.store.audit import Audit, Entry

MOST_SUBJECTS = 250  # incidents in one write, PagerDuty's limit
NOBODY = "none"  # the identity of what is not done in PagerDuty
NO_ACTS = frozenset({"done", "misunderstood"})  # when nothing had begun: a form was opened, or words not read

_LINK = re.compile(r"<https?:[^<>|]*\|?(?P<label>[^<>]*)>")


def outcome_for_audit(errand: Errand, outcome: str) -> str:
    """What really came of it. A handler answers also when PagerDuty changed nothing, or refused: `outcome` is
    `done` then, for the person has their answer.
    """
    desk = errand.desk
    if desk is None:
        return outcome
    written = desk.journal.status
    if outcome == "pagerduty_unavailable" and written is not None and written != 429:
        return "unknown"
    if outcome != "done" or desk.subjects:
        return outcome
    return _of_answer(desk.journal)


def _of_answer(journal: Journal) -> str:
    """Of an act that changed no incident as far as we know."""
    status = journal.status
    if status is None:
        return "unchanged"
    if 200 <= status < 300:
        return "done"
    if status == 429:
        return "pagerduty_unavailable"
    return "unknown" if status in {0, 408} or status >= 500 else "pagerduty_refused"


def what_was_told(reply: Reply | None) -> str:
    """The answer's plain text, links by their labels alone: the address of a Link button is a secret."""
    return _LINK.sub(lambda found: found["label"] or "(link)", reply.text) if reply else ""


def is_refused_act(errand: Errand, outcome: str) -> bool:
    """Whether it is on record though it never began."""
    command = errand.called.command
    return command is not None and command.acts and outcome not in NO_ACTS


async def keep_changes(errand: Errand, outcome: str, audit: Audit) -> None:
    """Put on record what a command changed of the bot's own (what channels follow, who is linked), and who
    was refused that. Raises StoreUnavailable.
    """
    command = errand.called.command
    if command is None or command.acts:
        return
    changes = errand.ctx.changes if errand.ctx else []
    refused = outcome == "not_allowed" and (command.admins_only or command.subscribers_only)
    if not (changes or refused):
        return
    request = errand.request
    entry = Entry(
        intent_id=errand.intent.id if errand.intent else None,
        team_id=request.user.team_id,
        user_id=request.user.id,
        person_id=None,
        identity=NOBODY,
        surface=request.surface,
        channel_id=request.channel_id,
        verb=command.verb,
        words=errand.words,
    )
    seconds = time.monotonic() - errand.began
    await audit.note(entry, outcome, detail="; ".join(changes), seconds=seconds)


async def subjects_of(errand: Errand, incidents: IncidentStore) -> Sequence[str]:
    """The ids of the incidents it changed; when there are none, of those that were meant."""
    if errand.desk is not None and errand.desk.subjects:
        return list(dict.fromkeys(errand.desk.subjects))
    return await subjects_meant(incident_refs(errand.given.values) if errand.given else (), incidents)


async def subjects_meant(refs: Sequence[IncidentRef], incidents: IncidentStore) -> Sequence[str]:
    """Their ids; a number stays where we never heard of it."""
    found = []
    for ref in refs[:MOST_SUBJECTS]:
        known = await incidents.find(ref.id) if ref.id.isdigit() else None
        found.append(known.id if known else ref.id)
    return list(dict.fromkeys(found))
