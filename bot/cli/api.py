"""`python -m bot api METHOD PATH`: any call to PagerDuty's REST API, for scripts.

    python -m bot api GET /incidents --query limit=1 --query 'statuses[]=triggered'
    python -m bot api POST /incidents/Q1/notes --body @note.json --from alice@acme.example

Prints what PagerDuty answered; with `--json` one object with status, request id and body. rest.py says what
it needs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bot.cli.rest import add_json, add_sender, run, tell_json
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.errors import UserError
from bot.pagerduty.calls import ApiCall, make_call, read_call
from bot.pagerduty.client import PagerDuty

STDIN = "-"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "The key goes to PagerDuty and nowhere else: PATH is a path, never an address."
    parser.add_argument("method", metavar="METHOD", help="GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS")
    parser.add_argument("path", metavar="PATH", help="such as /incidents/1234/notes")
    parser.add_argument(
        "--query",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter, lists as 'name[]=value'; may be repeated",
    )
    parser.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'", help="may be repeated"
    )
    parser.add_argument(
        "--body", default="", metavar="JSON|@FILE|-", help="the JSON, a file that holds it, or standard input"
    )
    add_sender(parser)
    add_json(parser)


def _read(arguments: argparse.Namespace) -> ApiCall:
    """Raises UserError."""
    return read_call(
        arguments.method,
        arguments.path,
        query=arguments.query,
        headers=arguments.header,
        body=_text_of(arguments.body),
    )


def _text_of(body: str) -> str:
    try:
        if body == STDIN:
            return sys.stdin.read()
        return Path(body[1:]).read_text(encoding="utf-8") if body.startswith("@") else body
    except (OSError, UnicodeDecodeError):
        raise UserError(f"--body: {body[1:] or 'standard input'} cannot be read.") from None


async def _act(client: PagerDuty, call: ApiCall, arguments: argparse.Namespace) -> int:
    answer = await make_call(client, call)
    if arguments.json:
        tell_json({"status": answer.status, "request_id": answer.request_id, "body": answer.data or None})
    elif answer.data:
        print(json.dumps(answer.data, indent=2))
    else:
        print(f"PagerDuty answered {answer.status}, without a body.", file=sys.stderr)
    return 0


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    return run(arguments, lambda: _read(arguments), lambda client, call: _act(client, call, arguments))


VERB = Verb("api", "make any call to PagerDuty's REST API", _run, _add_arguments, reads_settings=True)
