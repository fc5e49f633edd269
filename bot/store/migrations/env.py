"""Alembic runs this to migrate, on the connection and in the transaction that bot/store/schema.py opened."""

from __future__ import annotations

from alembic import context

from bot.store.people_tables import people_metadata
from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=[metadata, people_metadata]
)
context.run_migrations()
