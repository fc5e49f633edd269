"""`python -m bot event trigger|acknowledge|resolve`: an alert by the Events API, for scripts.

    python -m bot event trigger "Disk full on db-1" --source db-1 --severity warning
    PagerDuty took the event in: dedup key 3f1c….
    python -m bot event resolve 3f1c…

Needs a routing key and nothing else (event_options.py). Exit status: 0 taken in, 1 not, 2 misused.
"""

from __future__ import annotations

import argparse
import secrets
import socket
from collections.abc import Awaitable

from pydantic import SecretStr

from bot.cli.event_options import add_content, add_sending, send, short_summary, tell
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.pagerduty.event_fields import CLIENT, Action, Alert, Severity
from bot.pagerduty.event_words import read_details, read_image, read_link, read_moment, readable
from bot.pagerduty.events import EventsApi, Taken
from bot.pagerduty.journal import Journal
from bot.render.events import taken_in_words

LEGACY = "v1"
NO_PERSON = (
    "An event carries no person: PagerDuty shows the integration. To act as yourself, use Slack or PagerDuty."
)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"{NO_PERSON} `event ACTION --help` names the fields of each."
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, aliases, what in (
        (Action.TRIGGER, (), "something is wrong"),
        (Action.ACKNOWLEDGE, ("ack",), "somebody works on it"),
        (Action.RESOLVE, (), "it is over"),
    ):
        own = actions.add_parser(action, aliases=aliases, help=what, description=what, epilog=NO_PERSON)
        own.set_defaults(event_action=action)
        if action is Action.TRIGGER:
            _add_trigger(own)
        else:
            own.add_argument("dedup_key", help="the key the alert was triggered with")
        own.add_argument(
            "--api",
            choices=("v2", LEGACY),
            default="v2",
            help=f"{LEGACY}: the legacy form, for integrations of that kind (default: v2)",
        )
        add_sending(own)


def _add_trigger(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("summary", help="what is wrong, up to 1,024 characters; a longer one is cut")
    parser.add_argument(
        "--dedup-key",
        default="",
        help="the same again is the same alert; up to 255 characters (default: new)",
    )
    parser.add_argument("--source", default="", help="what is broken, such as a host (default: this host)")
    parser.add_argument(
        "--severity", type=str.lower, choices=[str(one) for one in Severity], default=str(Severity.CRITICAL)
    )
    parser.add_argument("--component", default="", help="the part of the source, such as mysql")
    parser.add_argument("--group", default="", help="what the source belongs to, such as prod-db")
    parser.add_argument("--class", dest="kind", default="", help="the kind of event, such as disk")
    parser.add_argument("--client", default=CLIENT, help=f"who sends it (default: {CLIENT})")
    parser.add_argument("--client-url", default="", help="where the client is found")
    parser.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="'URL [LINK] WORDS'",
        help="an image by https address, and where it leads; may be repeated",
    )
    add_content(parser)


def _alert(arguments: argparse.Namespace) -> Alert:
    """Raises UserError for what PagerDuty would not take."""
    action: Action = arguments.event_action
    if action is not Action.TRIGGER:
        return Alert(action=action, key=readable(arguments.dedup_key))
    return Alert(
        # Of our own making when none is given: then a try whose answer was lost may be repeated.
        key=readable(arguments.dedup_key) or secrets.token_hex(16),
        summary=short_summary(arguments.summary),
        source=readable(arguments.source) or socket.gethostname(),
        severity=Severity(arguments.severity),
        at=read_moment(arguments.timestamp) if arguments.timestamp else None,
        component=readable(arguments.component),
        group=readable(arguments.group),
        kind=readable(arguments.kind),
        details=read_details(arguments.detail),
        client=readable(arguments.client),
        client_url=readable(arguments.client_url),
        links=tuple(read_link(one) for one in arguments.link),
        images=tuple(read_image(one) for one in arguments.image),
    )


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    alert = _alert(arguments)

    def by(events: EventsApi, key: SecretStr) -> Awaitable[Taken]:
        return events.send(key, alert, Journal(), legacy=arguments.api == LEGACY)

    status, taken = send(arguments, by)
    if taken is not None:
        tell(
            arguments,
            taken_in_words(alert.action, taken.key),
            outcome="taken",
            action=str(alert.action),
            dedup_key=taken.key,
        )
    return status


VERB = Verb(
    "event", "trigger, acknowledge or resolve an alert by its routing key", _run, _add_arguments, True
)
