"""The options that `event` and `change` share: the routing key, what stands in the event, how it is sent and
how the outcome is told. Nothing is stored: no Slack, no database, one setting (or an option) is enough.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from bot.cli.settings import settings_for
from bot.environment import SettingsError
from bot.errors import PagerDutyRefused, PagerDutyUnavailable, UserError
from bot.pagerduty.event_fields import plain_key
from bot.pagerduty.event_words import fit_summary
from bot.pagerduty.events import EventsApi, Taken, pauses_within
from bot.pagerduty.http import open_session
from bot.render.events import refused_event, unavailable_events
from bot.settings import Settings, is_outside

PATIENCE = 300  # seconds
STDIN = "-"

T = TypeVar("T")


def add_sending(parser: argparse.ArgumentParser) -> None:
    """Which integration, how long to try, how to answer."""
    parser.add_argument(
        "--routing-key-file",
        metavar="FILE",
        help="file with the integration's routing key; - reads it from standard input "
        "(default: PAGERDUTY_ROUTING_KEY)",
    )
    parser.add_argument(
        "--routing-key",
        metavar="KEY",
        help="the routing key itself; other users of this machine may see it in the list of processes",
    )
    parser.add_argument(
        "--give-up-after",
        type=_seconds,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"how long to wait between tries in all, while PagerDuty takes nothing (default: {PATIENCE})",
    )
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")


def add_content(parser: argparse.ArgumentParser) -> None:
    """What an alert and a change have in common."""
    parser.add_argument("--timestamp", metavar="TIME", help="when it happened, ISO 8601 (default: now)")
    parser.add_argument(
        "--detail",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a custom detail, or several as a JSON object; may be repeated",
    )
    parser.add_argument(
        "--link", action="append", default=[], metavar="'URL WORDS'", help="a link; may be repeated"
    )


def send(
    arguments: argparse.Namespace,
    by: Callable[[EventsApi, SecretStr], Awaitable[Taken]],
    *,
    keyed: bool = True,
) -> tuple[int, Taken | None]:
    """Let `by` send, and tell of failure; the exit status, and what PagerDuty took in. `keyed`: an alert."""
    settings = settings_for(arguments)
    key = _routing_key(arguments, settings)
    try:
        return 0, asyncio.run(_sent(settings, arguments.give_up_after, key, by))
    except PagerDutyRefused as refused:
        _tell_failure(arguments, "refused", refused_event(refused), refused.status)
    except PagerDutyUnavailable as away:
        _tell_failure(arguments, "unavailable", unavailable_events(away, keyed=keyed), away.status)
    return 1, None


def tell(arguments: argparse.Namespace, said: str, **fields: object) -> None:
    """One line for people, or one object for machines."""
    print(json.dumps(fields) if arguments.json else said)


def short_summary(text: str) -> str:
    """Fit for PagerDuty; says on standard error when something was cut off."""
    summary, was_cut = fit_summary(text)
    if was_cut:
        print(f"The summary was cut to {len(summary):,} characters.", file=sys.stderr)
    return summary


def _tell_failure(arguments: argparse.Namespace, outcome: str, said: str, status: int) -> None:
    if arguments.json:
        print(json.dumps({"outcome": outcome, "status": status, "message": said}))
    print(said, file=sys.stderr)


async def _sent(
    settings: Settings, patience: int, key: SecretStr, by: Callable[[EventsApi, SecretStr], Awaitable[T]]
) -> T:
    async with open_session(trust_env=is_outside(settings.events_url)) as session:
        return await by(EventsApi(session, settings.events_url, pauses=tuple(pauses_within(patience))), key)


def _routing_key(arguments: argparse.Namespace, settings: Settings) -> SecretStr:
    """The one given, looked at before anything is sent. Raises UserError, SettingsError."""
    if arguments.routing_key and arguments.routing_key_file:
        raise UserError("Give --routing-key or --routing-key-file, not both.")
    key = settings.pagerduty_routing_key
    if arguments.routing_key:
        key = SecretStr(arguments.routing_key.strip())
    elif arguments.routing_key_file:
        key = SecretStr(_text_of(arguments.routing_key_file).strip())
    if key is None:
        lines = settings.missing(["pagerduty_routing_key"])
        raise SettingsError([*lines, "Or give --routing-key-file."])
    plain_key(key)
    return key


def _text_of(name: str) -> str:
    if name == STDIN:
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UserError(f"--routing-key-file: {name} cannot be read.") from None


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds: write one such as 60")
    return int(text)
