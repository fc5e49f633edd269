"""`check`, the store: reachable, and its schema what this code needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.cli import probe_keys
from bot.cli.findings import Finding, failure, ok, unknown, warning
from bot.cli.probe_links import links
from bot.errors import StoreUnavailable
from bot.inbound.pagerduty import NOTICE
from bot.settings import Settings
from bot.store.database import Database
from bot.store.notices import Notices
from bot.store.schema import schema_state


def wrongly_signed(notices: list[str]) -> list[Finding]:
    """A failure for each webhook subscription whose deliveries the running bot could not verify of late."""
    todo = "Add its secret to PAGERDUTY_WEBHOOK_SECRETS and restart the bot; PagerDuty retries for 48 hours."
    return [
        failure("Webhook secret", f"{key.removeprefix(NOTICE)} signs with one that is not configured", todo)
        for key in notices
    ]


async def look(settings: Settings, asked: frozenset[str] = frozenset()) -> AsyncIterator[Finding]:
    """Opens the database, reads its schema's version, changes nothing. `asked`: the scopes commands use."""
    try:
        database = await Database.open(settings.database_url.get_secret_value())
    except ValueError as wrong:
        yield failure("Database", str(wrong), "Set DATABASE_URL.")
        yield probe_keys.without_database("DATABASE_URL leads nowhere")
        return
    try:
        await database.ping()
        yield ok("Database", f"{database.dialect} answers")
        state = await schema_state(database)
        if state.is_current:
            yield ok("Migrations", f"the schema is at {state.current}")
            for finding in wrongly_signed(await Notices(database).told(NOTICE)):
                yield finding
            async for finding in probe_keys.ages(settings, database):
                yield finding
            async for finding in links(settings, database, asked):
                yield finding
        elif state.current is None:
            how = "`python -m bot run` makes it" if settings.on_sqlite else "Run `python -m bot migrate`"
            yield warning("Migrations", "the database is empty", f"{how}.")
            yield probe_keys.without_database("the database is empty")
        elif state.is_older:
            how = "`python -m bot run` brings it up" if settings.on_sqlite else "Run `python -m bot migrate`"
            yield failure(
                "Migrations", f"the schema is at {state.current}, older than {state.head}", f"{how}."
            )
        else:
            yield warning(
                "Migrations",
                f"the schema is at {state.current}, newer than {state.head}",
                "Update this code.",
            )
        if not (state.is_current or state.current is None):
            yield probe_keys.without_database("the schema is not this code's")
    except StoreUnavailable as away:
        yield failure(
            "Database", str(away), "Check DATABASE_URL, and that the server runs and lets this user in."
        )
        yield unknown("Migrations", "the database cannot be reached")
        yield probe_keys.without_database("the database cannot be reached")
    finally:
        await database.close()
