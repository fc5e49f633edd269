"""The workspaces we were told about: a start while Slack is away still knows whose messages are whose."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from bot.store.database import Database
from bot.store.people_tables import workspaces
from bot.store.upsert import insert_into


@dataclass(frozen=True, slots=True)
class Workspace:
    """A Slack workspace and our bot in it; ids are Slack's."""

    team_id: str
    name: str
    bot_user_id: str
    bot_id: str
    enterprise_id: str | None = None


class KnownWorkspaces:
    """One row per workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, workspace: Workspace) -> None:
        """What Slack said of it just now."""
        told = {
            "enterprise_id": workspace.enterprise_id,
            "name": workspace.name,
            "bot_user_id": workspace.bot_user_id,
            "bot_id": workspace.bot_id,
        }
        row = insert_into(workspaces, self._database.dialect).values(
            team_id=workspace.team_id, installed_at=self._database.now_sql(), **told
        )
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["team_id"], set_=told))

    async def only(self) -> Workspace | None:
        """The one workspace we know; None when there is none yet, or several."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(workspaces).limit(2))).all()
        if len(rows) != 1:
            return None
        row = rows[0]
        return Workspace(row.team_id, row.name, row.bot_user_id, row.bot_id, row.enterprise_id)
