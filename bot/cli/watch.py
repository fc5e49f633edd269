"""`python -m bot watch`: a line for each change of an incident, until it is stopped.

    python -m bot watch --service checkout --json
    {"at": "2026-11-01T08:00:00Z", "change": "acknowledged", "by": {...}, "incident": {...}, ...}

Reads the account's log every few seconds, more rarely while PagerDuty is away; nothing that happens meanwhile
is lost, and nothing is told twice. Ends with status 0 when it is interrupted or nobody reads any more. In
Slack a channel does the same by `subscribe`. rest.py says what it needs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.background import rest
from bot.cli.incident_fields import agent_fields, incident_fields, moment
from bot.cli.rest import failure_words, one_of, plain, run, tell_json
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.command.moments import read_when
from bot.delivery.following import EVENT_OF, LONGEST_PAUSE
from bot.errors import PagerDutyFailure, PagerDutyForbidden, PagerDutyUnauthorized
from bot.model import Incident, Status, Urgency
from bot.pagerduty.account_log import AccountLog, News
from bot.pagerduty.client import PagerDuty

PERIOD = 5.0  # seconds
WORDS = {kind: event.removeprefix("incident.") for kind, event in EVENT_OF.items()} | {
    "assign": "assigned",
    "urgency_change": "urgency changed",
    "priority_change": "priority changed",
    "field_value_change": "changed",
    "custom_field_value_change": "custom field changed",
    "snooze": "snoozed",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """Which incidents: every field narrows, an empty one does not. Service ids; the rest is PagerDuty's."""

    services: tuple[str, ...] = ()
    urgencies: tuple[Urgency, ...] = ()
    statuses: tuple[Status, ...] = ()

    def has(self, incident: Incident) -> bool:
        """Whether it is told, as it is now."""
        return (
            (not self.services or incident.service.id in self.services)
            and (not self.urgencies or incident.urgency in self.urgencies)
            and (not self.statuses or incident.status in self.statuses)
        )


class Watch:
    """`tell` is handed each change; `complain` a line where PagerDuty stops answering, and where it answers
    again.
    """

    def __init__(
        self,
        log: AccountLog,
        watched: Watched,
        *,
        seconds: float,
        tell: Callable[[News], None],
        complain: Callable[[str], None],
    ) -> None:
        self._log = log
        self._watched = watched
        self._seconds = seconds
        self._tell = tell
        self._complain = complain
        self._failures = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises PagerDutyFailure for a key that PagerDuty does not let in."""
        while not stop.is_set():
            try:
                news = await self._log.news()
            except (PagerDutyUnauthorized, PagerDutyForbidden):
                raise
            except PagerDutyFailure as failure:
                if not self._failures:
                    self._complain(f"{failure_words(failure)} I go on trying.")
                self._failures = min(self._failures + 1, 10)
            else:
                if self._failures:
                    self._complain("PagerDuty answers again.")
                self._failures = 0
                for one in news:
                    if self._watched.has(one.incident):
                        self._tell(one)
            await rest(stop, min(self._seconds * 2**self._failures, max(LONGEST_PAUSE, self._seconds)))


def change_of(news: News) -> dict[str, Any]:
    """One change under stable names (docs/integration.md)."""
    entry = news.entry
    return {
        "id": entry.id,
        "at": moment(entry.at),
        "change": word_for(entry.kind),
        "by": agent_fields(entry.agent),
        "summary": entry.summary,
        "note": entry.note,
        "incident": incident_fields(news.incident),
    }


def word_for(kind: str) -> str:
    """`acknowledge` → `acknowledged`; a kind we do not know as PagerDuty calls it."""
    return WORDS.get(kind, kind.replace("_", " "))


def _line(news: News) -> str:
    entry, incident = news.entry, news.incident
    by = f" by {entry.by}" if entry.by else ""
    said = f": {entry.note}" if entry.note else ""
    about = f"{incident.title} ({incident.service.name}, {incident.urgency}, {incident.status})"
    return plain(f"{moment(entry.at)} {incident.label} {word_for(entry.kind)}{by}{said} · {about}")


# -------------------------------------------------------------------------------------------------- the verb


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    for option, what in (("--service", "of this service"), ("--team", "of this team")):
        parser.add_argument(
            option, action="append", default=[], metavar="NAME|ID", help=f"only {what}; may be repeated"
        )
    parser.add_argument(
        "--urgency",
        action="append",
        default=[],
        choices=[str(one) for one in Urgency],
        help="only of this one",
    )
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        choices=[str(one) for one in Status],
        help="only while the incident stands so; may be repeated",
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="begin with what happened since then: 2h, 7d, or a date (default: now)",
    )
    parser.add_argument(
        "--every",
        type=_seconds,
        default=PERIOD,
        metavar="SECONDS",
        help=f"how often to look (default: {PERIOD:g})",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line (docs/integration.md)")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds: write 1 to 3600")
    return value


def _read(arguments: argparse.Namespace) -> datetime | None:
    """Where to begin. Raises UserError."""
    return read_when(arguments.since, now=datetime.now(UTC), back=True) if arguments.since else None


async def _act(client: PagerDuty, since: datetime | None, arguments: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    watching = asyncio.ensure_future(_watch(client, since, arguments, stop))
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({watching, stopped}, return_when=asyncio.FIRST_COMPLETED)
    for task in (watching, stopped):
        if not task.done():  # a call may be on its way: nobody waits for it any more
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    if not watching.cancelled():
        watching.result()
    return 0


async def _watch(
    client: PagerDuty, since: datetime | None, arguments: argparse.Namespace, stop: asyncio.Event
) -> None:
    def tell(news: News) -> None:
        if arguments.json:
            tell_json(change_of(news))
        else:
            print(_line(news), flush=True)

    def complain(said: str) -> None:
        print(said, file=sys.stderr, flush=True)

    services = await _ids("service", arguments.service, client)
    teams = await _ids("team", arguments.team, client)
    watched = Watched(
        services,
        tuple(Urgency(one) for one in arguments.urgency),
        tuple(Status(one) for one in arguments.status),
    )
    log = AccountLog(client, since, teams)
    await Watch(log, watched, seconds=arguments.every, tell=tell, complain=complain).run(stop)


async def _ids(what: str, names: Sequence[str], client: PagerDuty) -> tuple[str, ...]:
    """Raises UserError."""
    if not names:
        return ()
    if what == "team":
        teams = await client.teams()
        return tuple(one_of(what, name, teams).id for name in names)
    services = await client.services()
    return tuple(one_of(what, name, services).id for name in names)


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    return run(arguments, lambda: _read(arguments), lambda client, since: _act(client, since, arguments))


VERB = Verb("watch", "print each change of an incident as it happens", _run, _add_arguments, True)
