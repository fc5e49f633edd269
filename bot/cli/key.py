"""`python -m bot key`: a new key for ENCRYPTION_KEYS."""

from __future__ import annotations

import argparse

from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.store.sealing import new_key


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del arguments, catalog
    print(new_key())
    return 0


VERB = Verb("key", "print a new key for ENCRYPTION_KEYS", _run)
