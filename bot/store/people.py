"""PagerDuty user ↔ Slack user, both ways: who to mention, whose incidents are "mine".

Filled at start and on a period (bot/command/people.py) by comparing e-mail addresses, and whenever somebody
acts (bot/accounts). Both ids are unique in their workspace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import SlackUser
from bot.store.database import Database
from bot.store.people_tables import people
from bot.store.upsert import insert_into


@dataclass(frozen=True, slots=True)
class Match:
    """One person in both systems."""

    user: SlackUser
    person_id: str
    name: str
    email: str | None = None


class People:
    """The `people` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def slack_ids(self, team_id: str, person_ids: Sequence[str]) -> Mapping[str, str]:
        """PagerDuty user id → Slack user id, for those known in this workspace."""
        if not person_ids:
            return {}
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(people.c.person_id, people.c.user_id).where(
                    people.c.team_id == team_id, people.c.person_id.in_(list(person_ids))
                )
            )
            return {str(row.person_id): str(row.user_id) for row in rows}

    async def person_id(self, user: SlackUser) -> str | None:
        """The PagerDuty user id of a Slack user, when known."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(people.c.person_id).where(
                    people.c.team_id == user.team_id, people.c.user_id == user.id
                )
            )
            return rows.scalar_one_or_none()

    async def remember(self, match: Match) -> None:
        """Keep one match, instead of whatever either of the two was matched with before."""
        async with self._database.write() as connection:
            await self._put(connection, match)

    async def replace_all(self, team_id: str, matches: Iterable[Match]) -> int:
        """The workspace's matches become exactly these; of two that share an id the last one counts. Returns
        how many there are now.
        """
        by_person = {match.person_id: match for match in matches}
        by_user = {match.user.id: match for match in by_person.values()}
        async with self._database.write() as connection:
            await connection.execute(delete(people).where(people.c.team_id == team_id))
            rows = [self._row(match) for match in by_user.values()]
            for start in range(0, len(rows), 500):
                # Another replica may do the same in this moment: whoever was first has written the same.
                await connection.execute(
                    insert_into(people, self._database.dialect)
                    .values(seen_at=self._database.now_sql())
                    .on_conflict_do_nothing(),
                    rows[start : start + 500],
                )
        return len(rows)

    async def _put(self, connection: AsyncConnection, match: Match) -> None:
        await connection.execute(
            delete(people).where(
                people.c.team_id == match.user.team_id,
                or_(people.c.person_id == match.person_id, people.c.user_id == match.user.id),
            )
        )
        await connection.execute(insert(people).values(seen_at=self._database.now_sql(), **self._row(match)))

    @staticmethod
    def _row(match: Match) -> dict[str, str | None]:
        return {
            "team_id": match.user.team_id,
            "person_id": match.person_id,
            "user_id": match.user.id,
            "name": match.name,
            "email": match.email,
        }
