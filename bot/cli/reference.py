"""`python -m bot reference`: the tables of the README, `.env.example` and manifest.yml, for those who change
the code.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import bot
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.reference import command_table, derived_files, scope_table, settings_table

CHECKOUT = Path(bot.__file__).resolve().parents[1]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--write", action="store_true", help="bring the derived files of this checkout up to date"
    )


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    if not arguments.write:
        print("\n\n".join((command_table(catalog), settings_table(), scope_table())))
        return 0
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    for name, text in derived_files(catalog, readme).items():
        (CHECKOUT / name).write_text(text, encoding="utf-8")
    return 0


VERB = Verb("reference", "print the tables of commands, settings and scopes", _run, _add_arguments)
