"""`python -m bot gameday --channel C…`: a rehearsal with the running bot, on a test service.

    python -m bot gameday --channel C0123456789 --scenario storm --yes

Run it with the settings of the bot, GAMEDAY_SERVICE among them, where the bot's database is reached
(docs/gameday.md). Exit status: 0 all within their budgets,
1 something late, missing or left behind, 2 refused.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from contextlib import AsyncExitStack

from bot.cli.gameday_opening import open_scene
from bot.cli.settings import require, settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.errors import Failure
from bot.model import Urgency
from bot.rehearsal.budgets import PATIENCE
from bot.rehearsal.day import SCENARIOS, GameDay
from bot.rehearsal.ground import Ground
from bot.rehearsal.report import Report
from bot.rehearsal.storm import MANY, MOST
from bot.settings import Settings

NEEDS = ("gameday_service", "pagerduty_api_key")
REFUSED = 2


def say(words: str) -> None:
    """To whoever watches; standard output is the report's."""
    print(words, file=sys.stderr, flush=True)


def warning(ground: Ground, scenario: str, count: int) -> str:
    """What is about to happen, and to whom."""
    opened = f"{count} incidents" if scenario == "storm" else "an incident"
    calls = ", ".join(ground.on_call) or "nobody is on call"
    way = "by an event" if ground.routing_key is not None and scenario != "storm" else "by REST"
    lines = [
        f"Game day, {scenario}: {SCENARIOS[scenario]}.",
        f"  It opens {opened} on {ground.service.name} ({ground.service.id}), {way}, of {ground.urgency}",
        "  urgency unless the service's own rule for events says otherwise.",
        f"  It watches #{ground.channel_name}, and acts in the name of {ground.person.name}.",
        f"  PagerDuty would call: {calls}.",
    ]
    return "\n".join(lines)


def _agreed(arguments: argparse.Namespace) -> bool:
    if arguments.yes:
        return True
    if not sys.stdin.isatty():
        say("Nothing was done: say --yes to go on.")
        return False
    say("Go on? Type yes:")
    return sys.stdin.readline().strip().casefold() == "yes"


async def _done(settings: Settings, arguments: argparse.Namespace) -> Report | None:
    """The report, None when the operator did not agree. Raises Failure for what was refused."""
    began = time.time()
    async with AsyncExitStack() as stack:
        opened = await open_scene(settings, arguments, stack, began=began, say=say)
        ground = opened.scene.ground
        say(warning(ground, arguments.scenario, arguments.count))
        if not _agreed(arguments):
            return None
        day = GameDay(opened.scene, opened.database, opened.report, say)
        run = asyncio.ensure_future(day.run(count=arguments.count))
        loop, told = asyncio.get_running_loop(), False

        def stop() -> None:
            nonlocal told
            if not told:
                told = True
                run.cancel()

        for wanted in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(wanted, stop)
        return await run


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    settings = settings_for(arguments)
    require(settings, NEEDS, arguments)
    try:
        report = asyncio.run(_done(settings, arguments))
    except Failure as failure:
        say(f"Refused: {failure}")
        return REFUSED
    if report is None:
        return REFUSED
    print(report.as_json() if arguments.json else f"\n{report}")
    return report.status


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 2 <= int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"{text!r}: write a number from 2 to {MOST}")
    return int(text)


def _patience(text: str) -> float:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10):
        raise argparse.ArgumentTypeError(f"{text!r}: write a number from 1 to 10")
    return float(text)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--channel",
        required=True,
        metavar="C…",
        help="id of a channel that follows GAMEDAY_SERVICE (T…:C… in another workspace)",
    )
    parser.add_argument("--scenario", choices=list(SCENARIOS), default="outage", help="default: outage")
    parser.add_argument(
        "--as",
        dest="person",
        metavar="EMAIL",
        help="PagerDuty login whose name the acts carry (default: the first of ADMINS)",
    )
    parser.add_argument(
        "--count", type=_count, default=MANY, help=f"incidents of a storm (default: {MANY}, at most {MOST})"
    )
    parser.add_argument(
        "--urgency",
        choices=[str(one) for one in Urgency],
        default=str(Urgency.LOW),
        help="of what is opened (default: low, which calls nobody out of bed and is not escalated)",
    )
    parser.add_argument(
        "--patience",
        type=_patience,
        default=PATIENCE,
        metavar="TIMES",
        help=f"how many times its budget a thing is waited for, before it is missing (default: {PATIENCE:g})",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask whether to go on")
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")


VERB = Verb(
    "gameday",
    "rehearse on a test service whether the running bot keeps its promises",
    _run,
    _add_arguments,
    reads_settings=True,
)
