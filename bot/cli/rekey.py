"""`python -m bot rekey`: seal everything in the database with the first of ENCRYPTION_KEYS, so that the
others may be removed. The bot may run meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from bot.cli.settings import settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.errors import UserError
from bot.settings import Settings
from bot.store.database import Database
from bot.store.keyfile import path_beside
from bot.store.resealing import Resealed, Resealing
from bot.store.schema import require_current
from bot.store.sealing import Sealer


async def _rekey(settings: Settings) -> tuple[Resealed, Path | None]:
    """What was done, and the key's file when there is one."""
    database = await Database.open(settings.database_url.get_secret_value())
    try:
        if database.is_missing:
            raise UserError(f"There is no database at {database.path}. Check DATABASE_URL.")
        await require_current(database)
        file = path_beside(database.path) if database.path is not None else None
        file = file if file is not None and file.exists() else None
        return await Resealing(database, Sealer(_keys(settings, file))).run(), file
    finally:
        await database.close()


def _keys(settings: Settings, file: Path | None) -> list[str]:
    """Those of the settings, then the one beside SQLite's file: it sealed before there were others."""
    keys = [key.get_secret_value() for key in settings.encryption_keys]
    if file is not None:
        keys.append(file.read_text(encoding="ascii").strip())
    if not keys:
        raise UserError("ENCRYPTION_KEYS is empty. `python -m bot key` prints a new key: put it first there.")
    return keys


def _told(done: Resealed, configured: int, file: Path | None) -> list[str]:
    lines = [f"Sealed again with the first key: {_values(done.changed)}."]
    lines += [
        f"Could not be opened in {column}: {_values(count)}."
        for column, count in sorted(done.unsealable.items())
    ]
    if done.unsealable:
        lines.append(
            "The key that sealed these is missing. Put it at the end of ENCRYPTION_KEYS and run this again. "
            "If it is lost, so are they: people whose tokens these are will be asked to link again."
        )
    if done.restless:
        lines.append(
            "Something still seals with an older key: start every running bot with these ENCRYPTION_KEYS, "
            "then run this again. Remove no key yet."
        )
        return lines
    return [*lines, _removable(configured, file)]


def _removable(configured: int, file: Path | None) -> str:
    going = [f"key {number}" for number in range(2, configured + 1)]
    if going:
        going[-1] += " of ENCRYPTION_KEYS"
    if file is not None and configured:
        going.append(f"the file {file.name}")
    if not going:
        return "There is one key, and it stays: put a new one before it in ENCRYPTION_KEYS to replace it."
    return f"Once every running bot has started with this first key, you may remove {' and '.join(going)}."


def _values(count: int) -> str:
    return f"{count} value" if count == 1 else f"{count} values"


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    settings = settings_for(arguments)
    done, file = asyncio.run(_rekey(settings))
    for line in _told(done, len(settings.encryption_keys), file):
        print(line)
    return 1 if done.unsealable or done.restless else 0


VERB = Verb("rekey", "seal everything with the first of ENCRYPTION_KEYS", _run, reads_settings=True)
