"""What the verbs share that call PagerDuty's REST API for a script: `incident`, `oncall`, `watch`, `api`.

They need PAGERDUTY_API_KEY, and PAGERDUTY_REGION where it is not `us`: no Slack, no database, nothing is
stored. Exit status: 0 done, 1 failed, 2 misused; an error is one line on standard error, and with `--json` an
object beside it. docs/integration.md explains the fields.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from pydantic import SecretStr

from bot import logs
from bot.cli.settings import require, secrets_of, settings_for
from bot.command.matching import best, ranked
from bot.errors import PagerDutyFailure, PagerDutyUnauthorized, UserError
from bot.model import Person, Policy, Reference, Service
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.http import PagerDutyHttp, open_session
from bot.settings import Settings, is_outside

NEEDS = ("pagerduty_api_key",)
FAILED, MISUSED = 1, 2

T = TypeVar("T")
Named = TypeVar("Named", Service, Reference, Person, Policy)
Act = Callable[[PagerDuty], Awaitable[int]]


def add_json(parser: argparse.ArgumentParser) -> None:
    """How to answer."""
    parser.add_argument("--json", action="store_true", help="answer in JSON (docs/integration.md)")


def add_sender(parser: argparse.ArgumentParser) -> None:
    """Who acts."""
    parser.add_argument(
        "--from",
        dest="sender",
        metavar="EMAIL",
        help="login e-mail of the PagerDuty user who acts; an account's key needs it, a user's own does not",
    )


def run(
    arguments: argparse.Namespace, read: Callable[[], T], act: Callable[[PagerDuty, T], Awaitable[int]]
) -> int:
    """`read` makes sense of the options before anything is asked; `act` gets it and gives the exit status."""
    try:
        wanted = read()
    except UserError as error:
        print(error, file=sys.stderr)
        return MISUSED
    settings = settings_for(arguments)
    require(settings, NEEDS, arguments)
    if settings.log_level != "DEBUG":
        # Every retry would be a line beside the one that tells the outcome.
        logs.configure(level="ERROR", style=settings.log_format, secrets=secrets_of(settings))
    try:
        status = asyncio.run(
            _with_client(settings, getattr(arguments, "sender", None), lambda it: act(it, wanted))
        )
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has enough. What is still in the buffer must not complain at our exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except PagerDutyFailure as failure:
        if arguments.json:
            tell_json({"error": failure_fields(failure)})
        print(failure_words(failure), file=sys.stderr)
        return FAILED
    return status


async def _with_client(settings: Settings, sender: str | None, act: Act) -> int:
    key = settings.pagerduty_api_key
    assert isinstance(key, SecretStr)
    async with open_session(trust_env=is_outside(settings.api_url)) as session:
        return await act(PagerDuty(PagerDutyHttp(session, settings.api_url), AccountKey(key), sender=sender))


# ------------------------------------------------------------------------------------------------- telling


def tell_json(value: object) -> None:
    """One line; ASCII: nothing in it can move a terminal's cursor."""
    print(json.dumps(value), flush=True)


def plain(text: str) -> str:
    """On one line, without what would steer a terminal."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def failure_fields(failure: PagerDutyFailure) -> dict[str, Any]:
    """What PagerDuty said, under stable names; `status` 0: it said nothing."""
    return {
        "status": failure.status,
        "code": failure.code,
        "message": str(failure),
        "errors": list(failure.reasons),
        "maybe_done": failure.maybe_done,
        "request_id": failure.request_id,
    }


def failure_words(failure: PagerDutyFailure) -> str:
    """The same in a line, with what to do next."""
    said = plain("; ".join(dict.fromkeys([str(failure), *failure.reasons]))).rstrip(".")
    status = f" ({failure.status})" if failure.status else ""
    if isinstance(failure, PagerDutyUnauthorized):
        return f"{said}{status}. Check PAGERDUTY_API_KEY and PAGERDUTY_REGION with `python -m bot check`."
    if failure.maybe_done:
        return f"{said}{status}. It may have been done: look before you try again."
    if "From" in said:
        return f"{said}{status}. Give --from with the login e-mail of whoever does it."
    return f"{said}{status}."


# -------------------------------------------------------------------------------------------------- names


def one_of(what: str, wanted: str, things: Sequence[Named]) -> Named:
    """The one thing so called, by name, id or (people) e-mail address, forgiving as in Slack. Raises
    UserError, with what comes near.
    """
    email = wanted.strip().casefold()
    found = [one for one in things if (getattr(one, "email", None) or "").casefold() == email]
    found = found or best(wanted, things, _name, _ident)
    if len(found) == 1:
        return found[0]
    near = found or ranked(wanted, things, _name, _ident)
    names = ", ".join(f"{plain(one.name)} ({one.id})" for one in near[:4])
    if found:
        raise UserError(f"“{wanted[:60]}” could be {names}. Give the id of the {what} that is meant.")
    raise UserError(f"There is no {what} called “{wanted[:60]}”." + (f" Near it: {names}." if names else ""))


def _name(one: Service | Reference | Person | Policy) -> str:
    return one.name


def _ident(one: Service | Reference | Person | Policy) -> str:
    return one.id
