"""`python -m bot incident get|update`: one incident, for scripts.

    python -m bot incident get 1234
    #1234 Disk full on db-1
    triggered · Checkout · high urgency · P1 …
    python -m bot incident update 1234 --urgency low --from alice@acme.example
    Updated #1234: urgency low.

rest.py says what it needs.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass, replace
from typing import Any

from bot.cli.incident_fields import (
    change_fields,
    entry_fields,
    incident_fields,
    incident_lines,
    moment,
    note_fields,
)
from bot.cli.rest import add_json, add_sender, one_of, plain, run, tell_json
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.command.values import incident_ref
from bot.declaration import IncidentRef
from bot.errors import PagerDutyNotFound, UserError
from bot.model import Incident, Priority, Reference, Status, Urgency
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.directory import Directory
from bot.pagerduty.edits import Edit
from bot.pagerduty.levels import Levels
from bot.render.updated import changed_words

MOST_CHANGES = 5


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    get = acts.add_parser("get", help="show it", description="Show an incident.")
    get.add_argument("incident", metavar="N|ID", help="its number, id or address")
    get.add_argument("--notes", action="store_true", help="its notes as well")
    get.add_argument("--log", action="store_true", help="its history as well")
    get.add_argument("--changes", action="store_true", help="what was changed before it as well")
    add_json(get)
    update = acts.add_parser("update", help="change it", description="Change an incident, in one write.")
    update.add_argument("incident", metavar="N|ID", help="its number, id or address")
    update.add_argument(
        "--status", choices=[str(one) for one in Status], help="triggered reopens one that is resolved"
    )
    update.add_argument("--resolution", default="", metavar="TEXT", help="how, with --status resolved")
    update.add_argument("--title", metavar="TEXT")
    update.add_argument("--level", type=_level, metavar="N", help="a level of its escalation policy, from 1")
    update.add_argument("--urgency", choices=[str(one) for one in Urgency])
    update.add_argument("--priority", metavar="NAME", help="a priority of the account, such as P1")
    add_sender(update)
    add_json(update)


def _level(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:4]) < 1000 and len(text) < 4):
        raise argparse.ArgumentTypeError(f"{text!r} is no level: write a number such as 2")
    return int(text)


def _ref(text: str) -> IncidentRef:
    ref = incident_ref(text)
    if ref is None:
        raise UserError(f"“{text[:60]}” is no incident: write a number such as 1234, an id or its address.")
    return ref


@dataclass(frozen=True, slots=True)
class _Update:
    """What was asked; the priority is a name still."""

    ref: IncidentRef
    edit: Edit
    priority: str


def _read_update(arguments: argparse.Namespace) -> _Update:
    edit = Edit(
        status=Status(arguments.status) if arguments.status else None,
        title=arguments.title,
        level=arguments.level,
        urgency=Urgency(arguments.urgency) if arguments.urgency else None,
        resolution=arguments.resolution,
    )
    if not edit.names and not arguments.priority:
        raise UserError("Say what to change: --status, --title, --level, --urgency or --priority.")
    return _Update(_ref(arguments.incident), edit, arguments.priority or "")


async def _found(client: PagerDuty, ref: IncidentRef, *, with_level: bool) -> Incident:
    """Raises UserError when there is none."""
    try:
        found = (await client.incident(ref.id)).incident
    except PagerDutyNotFound:
        name = f"#{ref.id}" if ref.id.isdigit() else ref.id[:40]
        raise UserError(f"There is no incident {name}. Check the number.") from None
    if not with_level:
        return found
    directory = Directory(client)
    try:
        return await Levels(directory, client).with_level(found, ask=True)
    finally:
        await directory.close()


# ----------------------------------------------------------------------------------------------------- acts


async def _get(client: PagerDuty, ref: IncidentRef, arguments: argparse.Namespace) -> int:
    found = await _found(client, ref, with_level=True)
    notes, log, changes = await asyncio.gather(
        client.notes(found.id) if arguments.notes else _nothing(),
        client.log_entries(found.id) if arguments.log else _nothing(),
        client.related_changes(found.id, MOST_CHANGES) if arguments.changes else _nothing(),
    )
    if arguments.json:
        told = incident_fields(found)
        told |= {"notes": [note_fields(one) for one in notes]} if arguments.notes else {}
        told |= {"log": [entry_fields(one) for one in log]} if arguments.log else {}
        told |= {"changes": [change_fields(one) for one in changes]} if arguments.changes else {}
        tell_json(told)
        return 0
    print("\n".join(incident_lines(found)))
    for change in changes:
        print(f"Changed {moment(change.at)}: {plain(change.summary)}")
    for entry in log:
        print(f"{moment(entry.at)}  {plain(entry.summary)}")
    for note in notes:
        print(f"Note {moment(note.at)} by {plain(note.by)}: {plain(note.content)}")
    return 0


async def _nothing() -> list[Any]:
    return []


async def _update(client: PagerDuty, wanted: _Update, arguments: argparse.Namespace) -> int:
    found = await _found(client, wanted.ref, with_level=wanted.edit.level is not None)
    edit = wanted.edit
    if wanted.priority:
        edit = replace(edit, priority=await _priority(client, wanted.priority))
    left = edit.beyond(found)
    if refusal := left.why_not(found):
        raise UserError(f"{found.label} was left as it is. {refusal}")
    after = found
    if left.names:
        reading = await client.edit_incident(found.id, left)
        after = reading.incident
    if arguments.json:
        outcome = "updated" if left.names else "unchanged"
        tell_json({"outcome": outcome, "changed": list(left.names), "incident": incident_fields(after)})
    elif left.names:
        print(plain(f"Updated {after.label}: {changed_words(left.pairs)}."))
    else:
        print(f"{found.label} is so already; nothing was done.")
    return 0


async def _priority(client: PagerDuty, name: str) -> Priority:
    known = await client.priorities()
    if not known:
        raise UserError("This PagerDuty account has no priorities.")
    chosen = one_of("priority", name, [Reference(one.id, one.name) for one in known])
    return next(one for one in known if one.id == chosen.id)


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    if arguments.act == "get":
        return run(
            arguments, lambda: _ref(arguments.incident), lambda client, ref: _get(client, ref, arguments)
        )
    return run(
        arguments, lambda: _read_update(arguments), lambda client, wanted: _update(client, wanted, arguments)
    )


VERB = Verb("incident", "show or change an incident", _run, _add_arguments, reads_settings=True)
