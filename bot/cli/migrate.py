"""`python -m bot migrate`: bring the database's schema up to what this code needs. Safe to run twice, or from
two places at once.
"""

from __future__ import annotations

import argparse
import asyncio

from bot.cli.settings import settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.settings import Settings
from bot.store.database import Database
from bot.store.schema import migrate, schema_state


async def _migrate(settings: Settings) -> str:
    database = await Database.open(settings.database_url.get_secret_value())
    try:
        before = await schema_state(database)
        await migrate(database)
        after = await schema_state(database)
    finally:
        await database.close()
    if before.current == after.current:
        return f"The schema is at {after.current} already: nothing to do."
    return f"The schema went from {before.current or 'nothing'} to {after.current}."


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    print(asyncio.run(_migrate(settings_for(arguments))))
    return 0


VERB = Verb("migrate", "bring the database's schema up to date", _run, reads_settings=True)
