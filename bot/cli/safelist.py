"""`python -m bot safelist`: what a firewall must let through, and whether it is different from the last run.

Needs no setting and no bot. Exit status 3 when something changed, so that a timer can tell. docs/network.md
explains it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from bot.cli import safelist_picture as pictures
from bot.cli.hosts import Resolve, resolve
from bot.cli.safelist_picture import REST, WEBHOOKS, Addresses, Change, Origin, Picture
from bot.cli.security_group import bring_up_to_date
from bot.cli.settings import settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.errors import UserError
from bot.pagerduty.http import open_session
from bot.settings import Settings, is_outside

CHANGED = 3  # exit status
WATCH_SECONDS = 300.0
WIDTH = 100  # of a line of addresses


class Safelist:
    """One run, or many with `--watch`. Tests pass their own `resolve` and `sleep`."""

    def __init__(
        self,
        settings: Settings,
        arguments: argparse.Namespace,
        *,
        resolve: Resolve = resolve,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._arguments = arguments
        self._region = arguments.region or settings.pagerduty_region
        self._file = arguments.state or Path(f"safelist-{self._region}.json")
        self._resolve = resolve
        self._sleep = sleep

    async def run(self) -> int:
        """The exit status; with `--watch` it goes on until it is interrupted."""
        status = await self.once()
        while self._arguments.watch is not None:
            await self._sleep(self._arguments.watch)
            try:
                await self.once(only_changes=True)
            except UserError as error:
                # Whoever watches wants to hear of it and to go on.
                print(error, file=sys.stderr, flush=True)
        return status

    async def once(self, *, only_changes: bool = False) -> int:
        """Look, compare, print, act, and only then keep it: what could not be acted on is tried again the
        next time. Raises UserError.
        """
        last = pictures.read_last(self._file)
        async with open_session(trust_env=is_outside(self._settings.safelist_url)) as session:
            now = await pictures.look(self._settings, session, self._resolve, region=self._region, last=last)
        found = pictures.changes(last, now)
        if found or not only_changes:
            self._print(now, found, compared=bool(last))
        if self._arguments.aws_security_group and (found or not only_changes):
            await self._update_group(now)
        if found and self._arguments.exec:
            await asyncio.to_thread(_execute, self._arguments.exec, _json(now, found, compared=True))
        pictures.keep(self._file, now)
        return CHANGED if found else 0

    def _print(self, now: Picture, found: Sequence[Change], *, compared: bool) -> None:
        if self._arguments.format == "json":
            print(_json(now, found, compared=compared), flush=True)
        else:
            print("\n".join(_lines(now, found, compared=compared)), flush=True)

    async def _update_group(self, now: Picture) -> None:
        webhooks = now.published[WEBHOOKS]
        lines = await asyncio.to_thread(
            bring_up_to_date,
            self._arguments.aws_security_group,
            webhooks.addresses,
            port=self._arguments.port,
            apply=self._arguments.apply,
            remove=webhooks.origin is Origin.NOW,
        )
        # Beside the JSON, not in it.
        print(
            "\n".join(lines), file=sys.stderr if self._arguments.format == "json" else sys.stdout, flush=True
        )


def _json(now: Picture, found: Sequence[Change], *, compared: bool) -> str:
    return json.dumps(pictures.as_json(now, found, compared=compared))


def _execute(command: str, told: str) -> None:
    """Run it without a shell, the JSON on its standard input. Raises UserError when it fails."""
    words = shlex.split(command)
    try:
        ended = subprocess.run(words, input=told, text=True, check=False)  # noqa: S603 - whoever runs us wrote it
    except OSError as error:
        raise UserError(f"--exec: {words[0]} cannot be run: {error.strerror}.") from None
    if ended.returncode:
        raise UserError(f"--exec: {words[0]} ended with {ended.returncode}. The next run tries again.")


# ------------------------------------------------------------------------------------------------- for people


def _lines(now: Picture, found: Sequence[Change], *, compared: bool) -> Iterator[str]:
    yield f"Service region {now.region}."
    yield ""
    yield "Outbound, TCP 443:"
    for host in now.hosts:
        yield f"  {host.name}: {host.why}"
        yield from _addresses(now.outbound[host.name])
    yield "  PagerDuty's REST API as published (changes are announced 30 days ahead):"
    yield from _addresses(now.published[REST])
    yield ""
    yield "Inbound, to where PUBLIC_URL leads: PagerDuty's webhooks come from"
    yield from _addresses(now.published[WEBHOOKS])
    yield ""
    if not compared:
        yield "This is the first run: the next one says what changed."
    elif not found:
        yield "Nothing changed since the last run."
    else:
        yield "Changed since the last run:"
    for change in found:
        yield from (f"  + {change.name} {one}" for one in change.added)
        yield from (f"  - {change.name} {one}" for one in change.gone)


def _addresses(one: Addresses) -> Iterator[str]:
    if one.origin is not Origin.NOW:
        yield f"    ({one.origin}; {one.problem})"
    line = ""
    for address in one.addresses:
        if len(line) + len(address) > WIDTH:
            yield f"    {line.rstrip()}"
            line = ""
        line += address + "  "
    if line:
        yield f"    {line.rstrip()}"


# --------------------------------------------------------------------------------------------------- the verb


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds: write 1 or more")
    return value


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--region", choices=("us", "eu"), help="service region (default: PAGERDUTY_REGION)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print")
    parser.add_argument(
        "--state", type=Path, metavar="FILE", help="what the last run saw (default: safelist-REGION.json)"
    )
    parser.add_argument(
        "--watch",
        nargs="?",
        type=_seconds,
        const=WATCH_SECONDS,
        metavar="SECONDS",
        help=f"go on, and print again when something changes (asks every {WATCH_SECONDS:g} s)",
    )
    parser.add_argument(
        "--exec", metavar="CMD", help="run this when something changed, with the JSON on its standard input"
    )
    parser.add_argument(
        "--aws-security-group",
        metavar="sg-…",
        help="bring this EC2 group's inbound rules to the webhook sources; a dry run unless --apply",
    )
    parser.add_argument("--port", type=int, default=443, help="the group's port (default: 443)")
    parser.add_argument("--apply", action="store_true", help="change the group; without it nothing is")


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    return asyncio.run(Safelist(settings_for(arguments), arguments).run())


VERB = Verb(
    "safelist",
    "print what firewalls must let through, and what changed since the last run",
    _run,
    _add_arguments,
    reads_settings=True,
)
