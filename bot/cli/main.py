"""Picks the verb, turns foreseen failures into a line and an exit status: 0 done, 1 failed, 2 misused."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bot.cli import (
    api,
    audit,
    change,
    check,
    event,
    event_keys,
    gameday,
    incident,
    key,
    manifest,
    migrate,
    oncall,
    reference,
    rekey,
    run,
    safelist,
    sandbox,
    watch,
    webhooks,
)
from bot.cli.settings import add_places
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.environment import SettingsError
from bot.errors import Failure

VERBS: tuple[Verb, ...] = (
    run.VERB,
    sandbox.VERB,
    check.VERB,
    migrate.VERB,
    manifest.VERB,
    audit.VERB,
    safelist.VERB,
    webhooks.VERB,
    key.VERB,
    rekey.VERB,
    event.VERB,
    change.VERB,
    incident.VERB,
    watch.VERB,
    oncall.VERB,
    api.VERB,
    event_keys.VERB,
    gameday.VERB,
    reference.VERB,
)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; `--help` on it and on each verb."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Pagerline: PagerDuty from Slack.")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS:
        own = verbs.add_parser(verb.name, help=verb.summary, description=verb.summary)
        if verb.reads_settings:
            add_places(own)
        verb.add_arguments(own)
        own.set_defaults(chosen=verb)
    return parser


def main(argv: Sequence[str], catalog: Catalog) -> int:
    """Run one verb; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    chosen: Verb = arguments.chosen
    try:
        return chosen.run(arguments, catalog)
    except SettingsError as error:
        for line in error.lines:
            print(line, file=sys.stderr)
        print(f"\n`python -m bot {chosen.name} --help` and the README name every setting.", file=sys.stderr)
        return 2
    except Failure as failure:
        print(f"{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
