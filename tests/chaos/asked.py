"""What people asked for in Slack and Slack was told is accepted: each was answered, and nothing done twice.

Read from the fakes' own records once the storm is over. A plain look-up may be lost with its process; acts
may not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot.render.problems import working
from bot.sandbox.slack.journal import Exchange
from bot.store.database import Database
from bot.store.people_tables import intents
from tests.chaos.plan import ASKERS, FOLLOWED, Plan
from tests.stories.office import Office
from tests.stories.reading import words_of

ACTS = ("ack", "resolve", "escalate", "note", "trigger")
REFUSED = "so nothing was done"  # told at once: without its memory the bot accepts nothing
CARRIED_OUT = "drop_after"  # the fault at Slack after which the answer stands there all the same


@dataclass(frozen=True, slots=True)
class Asked:
    """An act that was accepted: Slack got 200 for it."""

    user: str
    words: str
    address: str
    told_at_once: bool
    at: datetime

    def __str__(self) -> str:
        return f"{self.user} at {self.at:%H:%M:%S}: {self.words}"


def accepted(office: Office) -> list[Asked]:
    """Every one of them, once however often Slack repeated it."""
    found: dict[str, Asked] = {}
    for one in office.slack.journal.deliveries():
        if one.status == 200 and (asked := _asked(one)):
            found.setdefault(asked.address, asked)
    return list(found.values())


def _asked(one: Exchange) -> Asked | None:
    payload = one.body
    if one.name == "slash_commands":
        user, words = payload["user_id"], payload["text"]
    elif one.name == "block_actions" and payload.get("response_url"):
        user, words = payload["user"]["id"], str(payload["actions"][0].get("value", ""))
    else:
        return None
    if not words.startswith(ACTS):
        return None
    at_once = one.answer.get("text") if isinstance(one.answer, dict) else str(one.answer or "")
    if at_once and REFUSED in at_once:
        return None
    return Asked(user, words, payload["response_url"].rpartition("/")[2], bool(at_once), one.at)


def unanswered(office: Office, asked: list[Asked]) -> list[Asked]:
    """Those of whom the asker heard nothing."""
    answered = set(_addresses_used(office))
    return [
        one
        for one in asked
        if not one.told_at_once and one.address not in answered and not _told_otherwise(office, one)
    ]


def _addresses_used(office: Office) -> Iterator[str]:
    """Reply addresses that got more than the note that it takes a while."""
    for one in office.slack.journal:
        if one.direction != "response_url" or not isinstance(one.body, dict):
            continue
        text = str(one.body.get("text"))
        if (one.status == 200 or one.fault == CARRIED_OUT) and text != working().text:
            yield one.path.rpartition("/")[2]


async def what_became(office: Office, database: Database, asked: Asked) -> list[str]:
    """Of one that was not answered: what its reply address got, and how the bot remembers it."""
    tried = [
        f"  its address at {one.at:%H:%M:%S} got {one.status} ({one.fault or 'no fault'})"
        for one in office.slack.journal
        if one.direction == "response_url" and one.path.endswith(asked.address)
    ]
    query = select(intents).where(intents.c.words == asked.words, intents.c.user_id == asked.user)
    async with database.read() as connection:
        rows = await connection.execute(query)
        kept = [
            f"  kept as {row.id}: begun {row.started_at}, {row.state} {row.finished_at}: {row.outcome!r}"
            for row in rows
        ]
    return [*tried, *(kept or ["  not kept"])]


def _told_otherwise(office: Office, asked: Asked) -> bool:
    """By a private message in the channel or in the direct conversation that says what was asked."""
    names = [asked.words, *_names(office, asked.words)]
    return any(name in words for words in _private(office, asked.user) for name in names)


def _private(office: Office, user: str) -> list[str]:
    """What only this person has been told, in channels and directly."""
    workspace = office.slack.workspace
    private = [
        one
        for channel in FOLLOWED
        for one in workspace.channel(channel).ephemerals.values()
        if one.seen_by == user
    ]
    direct = workspace.direct_messages(user).messages.values()
    return [f"{one.text} {words_of(one.blocks)}" for one in [*private, *direct]]


def _names(office: Office, words: str) -> list[str]:
    """What an answer would call it: the incident's number, or the title of one to be made."""
    if words.startswith("trigger"):
        return [words.rpartition('" ')[2]]
    found = [office.pagerduty.state.find(word) for word in re.findall(r"\w+", words)]
    return [f"#{one.number}" for one in found if one is not None]


def twice(office: Office, plan: Plan) -> list[str]:
    """Whatever was done more than once though it was asked for once."""
    incidents = office.pagerduty.state.incidents.values()
    titles = Counter(one.log[0].channel.get("summary") or one.title for one in incidents)
    wanted = {story.title for story in plan.stories}
    found = [f"{title!r} was triggered {n} times" for title, n in titles.items() if n > 1 and title in wanted]
    for incident in incidents:
        notes = Counter(note.content for note in incident.notes)
        found += [f"#{incident.number} has {n} notes {text!r}" for text, n in notes.items() if n > 1]
        climbs = Counter(
            entry.agent.id for entry in incident.log if entry.type == "escalate" and entry.agent is not None
        )
        askers = set(ASKERS.values())
        found += [
            f"#{incident.number} was escalated {n} times by {who}"
            for who, n in climbs.items()
            if n > 1 and who in askers
        ]
    return found


def pretended(office: Office, asked: list[Asked]) -> list[str]:
    """Notes that somebody was told are written, and are not."""
    found = []
    for one in asked:
        if not one.words.startswith("note "):
            continue
        _, number, text = one.words.split(" ", 2)
        incident = office.pagerduty.state.find(number)
        told = any(_says_added(exchange, one) for exchange in office.slack.journal)
        if incident is not None and told and all(note.content != text for note in incident.notes):
            found.append(f"{one} was told as done and is not there")
    return found


def _says_added(exchange: Exchange, asked: Asked) -> bool:
    body: Any = exchange.body
    return (
        exchange.direction == "response_url"
        and exchange.path.endswith(asked.address)
        and isinstance(body, dict)
        and str(body.get("text", "")).startswith("Note added")
    )
