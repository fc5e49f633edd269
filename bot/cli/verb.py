"""What a verb of the command line is: a name, a line of help, its own arguments, and what it does."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from bot.command.catalog import Catalog


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """Most verbs take none."""
    del parser


@dataclass(frozen=True, slots=True)
class Verb:
    """`run` gets the parsed arguments and the catalog, and returns the exit status.

    `reads_settings`: it takes the options that say where settings are.
    """

    name: str
    summary: str
    run: Callable[[argparse.Namespace, Catalog], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = _no_arguments
    reads_settings: bool = False
