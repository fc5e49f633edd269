"""`python -m bot key`: a new key for ENCRYPTION_KEYS."""

from __future__ import annotations

import argparse

from cryptography.fernet import Fernet

from bot.cli.verb import Verb
from bot.command.catalog import Catalog


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del arguments, catalog
    print(Fernet.generate_key().decode())
    return 0


VERB = Verb("key", "print a new key for ENCRYPTION_KEYS", _run)
