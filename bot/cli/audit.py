"""`python -m bot audit`: who did what through the bot, oldest first, as a table or for machines.

Streams from the database and needs nothing but DATABASE_URL; docs/audit.md explains the fields.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import io
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.cli.settings import settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.command.spans import span
from bot.model import MadeCall
from bot.settings import Settings
from bot.store.audit_reading import Act, AuditReading, Wanted
from bot.store.database import Database
from bot.store.schema import require_current

FIELDS = (
    "id",
    "accepted_at",
    "done_at",
    "team_id",
    "user_id",
    "person_id",
    "identity",
    "surface",
    "channel_id",
    "verb",
    "words",
    "incident_ids",
    "outcome",
    "detail",
    "status",
    "request_id",
    "calls",
)
"""Their names and order are a promise (docs/audit.md)."""

Bound = datetime | timedelta
"""A moment, or how long before now."""


def fields_of(act: Act) -> dict[str, Any]:
    """The act under its stable names; moments as ISO 8601 in UTC, to the millisecond."""
    values = {name: getattr(act, name) for name in FIELDS}
    return values | {
        "accepted_at": _moment(act.accepted_at),
        "done_at": _moment(act.done_at),
        "incident_ids": list(act.incident_ids),
        "calls": [asdict(one) for one in act.calls],
    }


def _moment(at: datetime | None) -> str | None:
    return (
        None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


# ------------------------------------------------------------------------------------------------ the formats


def _jsonl(act: Act) -> str:
    return json.dumps(fields_of(act))  # ASCII: nothing in it can move a terminal's cursor


def _csv(act: Act) -> str:
    values = fields_of(act) | {
        "incident_ids": " ".join(act.incident_ids),
        "calls": "; ".join(_call(one) for one in act.calls),
    }
    return _csv_line(["" if values[name] is None else _flat(str(values[name])) for name in FIELDS])


def _call(one: MadeCall) -> str:
    return f"{one.method} {one.path} {one.status} {one.request_id or '-'} {one.seconds:g}s"


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


_WIDTHS: Mapping[str, int] = {
    "ACCEPTED": 24,
    "WHO": 22,
    "AS": 14,
    "VERB": 11,
    "OUTCOME": 21,
    "FROM": 7,
    "INCIDENTS": 28,
    "WORDS": 60,
}


def _table(act: Act) -> str:
    ids = act.incident_ids
    more = f" +{len(ids) - 1}" if len(ids) > 1 else ""
    return _row(
        _moment(act.accepted_at) or "",
        f"{act.team_id}:{act.user_id}",
        act.person_id or "-",
        act.verb,
        act.outcome or "begun",
        act.surface,
        (ids[0] + more) if ids else "-",
        act.words,
    )


def _row(*cells: str) -> str:
    padded = (_short(cell, width).ljust(width) for cell, width in zip(cells, _WIDTHS.values(), strict=True))
    return "  ".join(padded).rstrip()


def _short(text: str, width: int) -> str:
    text = _flat(text)
    return text if len(text) <= width else text[: width - 1] + "…"


def _flat(text: str) -> str:
    """On one line, without what would steer a terminal."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


_FORMATS: Mapping[str, tuple[str | None, Callable[[Act], str]]] = {
    "table": (_row(*_WIDTHS), _table),
    "jsonl": (None, _jsonl),
    "csv": (_csv_line(list(FIELDS)), _csv),
}
"""Name to head line and how an act is written."""


# ------------------------------------------------------------------------------------------------- the verb


def _bound(text: str) -> Bound:
    """`24h`, `2026-11-01` or `2026-11-01T08:00Z`; without a zone it is UTC."""
    if (length := span(text)) is not None:
        return length
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write 30m, 24h or 7d, or a date such as 2026-11-01 or 2026-11-01T08:00Z"
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _user(text: str) -> str:
    """`U0ALICE`, `@U0ALICE`, or a PagerDuty user id."""
    return text.strip("<@> ").partition("|")[0]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    when = "30m, 24h, 7d, or a UTC date such as 2026-11-01"
    parser.add_argument("--since", type=_bound, help=f"from then on: {when} (default: everything)")
    parser.add_argument("--until", type=_bound, help="up to then, in the same words (default: now)")
    parser.add_argument("--user", type=_user, default="", help="only of this Slack or PagerDuty user id")
    # `verb` is the command line's own word for which of ours was typed.
    parser.add_argument("--verb", dest="only", default="", help="only of this verb, such as ack")
    parser.add_argument(
        "--format", choices=sorted(_FORMATS), default="table", help="how to print (default: table)"
    )


async def _print_all(settings: Settings, arguments: argparse.Namespace, verb: str) -> None:
    head, write = _FORMATS[arguments.format]
    database = await Database.open(settings.database_url.get_secret_value())
    try:
        await require_current(database)
        reading = AuditReading(database)
        now = await reading.now()
        wanted = Wanted(
            since=_at(arguments.since, now),
            until=_at(arguments.until, now),
            who=arguments.user,
            verb=verb,
        )
        if head is not None:
            print(head)
        async with contextlib.aclosing(reading.stream(wanted)) as acts:
            async for act in acts:
                print(write(act))
        sys.stdout.flush()
    finally:
        await database.close()


def _at(bound: Bound | None, now: datetime) -> datetime | None:
    return now - bound if isinstance(bound, timedelta) else bound


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    settings = settings_for(arguments)
    command = catalog.find(arguments.only) if arguments.only else None
    try:
        asyncio.run(_print_all(settings, arguments, command.verb if command else arguments.only))
    except BrokenPipeError:
        # Whoever reads has enough. What is still in the buffer must not complain at our exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


VERB = Verb("audit", "print who did what through the bot", _run, _add_arguments, reads_settings=True)
