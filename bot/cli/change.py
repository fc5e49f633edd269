"""`python -m bot change`: tell PagerDuty of a deploy or another change; it calls nobody.

    python -m bot change "Deployed checkout 4.2" --source deploy --link "https://ci.example.com/42 Build 42"
    PagerDuty took the change in.

Needs a routing key and nothing else (event_options.py). Exit status: 0 taken in, 1 not, 2 misused.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Awaitable

from pydantic import SecretStr

from bot.cli.event_options import add_content, add_sending, send, short_summary, tell
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.pagerduty.event_fields import Change
from bot.pagerduty.event_words import read_details, read_link, read_moment, readable
from bot.pagerduty.events import EventsApi, Taken
from bot.pagerduty.journal import Journal


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("summary", help="what was changed, up to 1,024 characters; a longer one is cut")
    parser.add_argument("--source", default="", help="where it happened (default: this host)")
    add_content(parser)
    add_sending(parser)


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    change = Change(
        summary=short_summary(arguments.summary),
        source=readable(arguments.source) or socket.gethostname(),
        at=read_moment(arguments.timestamp) if arguments.timestamp else None,
        details=read_details(arguments.detail),
        links=tuple(read_link(one) for one in arguments.link),
    )

    def by(events: EventsApi, key: SecretStr) -> Awaitable[Taken]:
        return events.send_change(key, change, Journal())

    status, taken = send(arguments, by, keyed=False)
    if taken is not None:
        tell(arguments, "PagerDuty took the change in.", outcome="taken", summary=change.summary)
    return status


VERB = Verb("change", "tell PagerDuty of a deploy or another change", _run, _add_arguments, True)
