"""The workspace of the settings' token: a start while Slack is away still knows whose messages are whose.

Workspaces that were installed by OAuth are bot/store/installs.py's; both are rows of `workspaces`.
"""

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
    """Whose token the settings hold, as Slack told it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, workspace: Workspace) -> None:
        """What Slack said of it just now."""
        told = {
            "enterprise_id": workspace.enterprise_id,
            "name": workspace.name,
            "bot_user_id": workspace.bot_user_id,
            "bot_id": workspace.bot_id,
            "broken_since": None,
        }
        row = insert_into(workspaces, self._database.dialect).values(
            team_id=workspace.team_id, installed_at=self._database.now_sql(), **told
        )
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["team_id"], set_=told))

    async def own(self) -> Workspace | None:
        """The one workspace that the settings' token was for; None when there is none yet, or several."""
        query = select(workspaces).where(
            workspaces.c.bot_token.is_(None),
            workspaces.c.is_organisation.is_(False),
            workspaces.c.broken_since.is_(None),
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query.limit(2))).all()
        if len(rows) != 1:
            return None
        row = rows[0]
        return Workspace(row.team_id, row.name, row.bot_user_id, row.bot_id, row.enterprise_id)
