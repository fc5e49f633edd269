"""Installed workspaces: whose token serves whom, sealed; and the states of installs that are under way.

Written by bot/inbound/install.py when Slack grants a token, read by bot/slack/workspaces.py. Four kinds of
rows in `workspaces`: a workspace with its own token · an organisation (its row has the enterprise's id and
the token) · a workspace of it, served by that token (`is_organisation`, no token) · the workspace of the
settings' token (neither; bot/store/workspaces.py).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import SecretStr
from sqlalchemy import Row, delete, insert, or_, select, union, update

from bot.model import Channel
from bot.store.database import Database
from bot.store.people_tables import install_states, workspaces
from bot.store.sealing import Sealer, Unsealable
from bot.store.tables import messages, subscriptions
from bot.store.upsert import insert_into

log = structlog.get_logger("pagerline.store")

STATE_SECONDS = 600.0
MOST_STATES = 1000
"""Whoever opens the install page makes one: the oldest go, so that nobody can fill the table."""


@dataclass(frozen=True, slots=True)
class Install:
    """What Slack granted. For an organisation-wide install `team_id` is the enterprise's id."""

    team_id: str
    name: str
    token: SecretStr
    bot_user_id: str
    bot_id: str
    enterprise_id: str | None = None
    is_organisation: bool = False
    app_id: str | None = None
    scopes: str = ""
    installed_by: str | None = None  # Slack user id


@dataclass(frozen=True, slots=True)
class Served:
    """A workspace, and the token that works in it: its own, or its organisation's."""

    team_id: str
    token: SecretStr
    by_organisation: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """A token as it lies in the database; `sealed` tells whether it is still the same one."""

    key: str
    token: SecretStr
    sealed: str


class Installs:
    """`welcome`: the ids of the workspaces and organisations that may be connected; nobody else is served."""

    def __init__(self, database: Database, sealer: Sealer, *, welcome: Collection[str]) -> None:
        self._database = database
        self._sealer = sealer
        self._welcome = frozenset(welcome)
        self._unsealable: set[str] = set()

    def is_welcome(self, team_id: str | None, enterprise_id: str | None) -> bool:
        """Whether whoever runs the bot has named this workspace or its organisation."""
        return team_id in self._welcome or enterprise_id in self._welcome

    async def save(self, install: Install) -> None:
        """Installed, or installed anew: its token is the one that counts from now on."""
        told = {
            "enterprise_id": install.enterprise_id,
            "is_organisation": install.is_organisation,
            "name": install.name,
            "app_id": install.app_id,
            "bot_user_id": install.bot_user_id,
            "bot_id": install.bot_id,
            "bot_token": self._sealer.seal(install.token.get_secret_value()),
            "scopes": install.scopes,
            "installed_by": install.installed_by,
            "installed_at": self._database.now_sql(),
            "broken_since": None,
        }
        row = insert_into(workspaces, self._database.dialect).values(team_id=install.team_id, **told)
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["team_id"], set_=told))
            if install.is_organisation:
                await connection.execute(
                    update(workspaces)
                    .where(
                        workspaces.c.enterprise_id == install.team_id,
                        workspaces.c.is_organisation,
                        workspaces.c.bot_token.is_(None),
                    )
                    .values(broken_since=None)
                )

    async def living(self) -> list[Served]:
        """Every workspace that can be served now."""
        async with self._database.read() as connection:
            rows = (
                await connection.execute(select(workspaces).where(workspaces.c.broken_since.is_(None)))
            ).all()
        by_id = {row.team_id: row for row in rows}
        return [one for row in rows if (one := self._served(row, by_id)) is not None]

    async def find(self, team_id: str) -> Served | None:
        """How this workspace is served; None when it is not, or not known to be one of an organisation."""
        organisation = (
            select(workspaces.c.enterprise_id)
            .where(workspaces.c.team_id == team_id, workspaces.c.is_organisation)
            .scalar_subquery()
        )
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(workspaces).where(
                    or_(workspaces.c.team_id == team_id, workspaces.c.team_id == organisation),
                    workspaces.c.broken_since.is_(None),
                )
            )
            by_id = {row.team_id: row for row in rows}
        return self._served(by_id[team_id], by_id) if team_id in by_id else None

    async def join(self, team_id: str, enterprise_id: str) -> Served | None:
        """The workspace is one of this organisation, whose install serves it; None without such an install.
        One with a token of its own keeps it.
        """
        member = {
            "enterprise_id": enterprise_id,
            "is_organisation": True,
            "broken_since": None,
        }
        async with self._database.write() as connection:
            found = await connection.execute(
                select(workspaces).where(
                    workspaces.c.team_id == enterprise_id,
                    workspaces.c.bot_token.is_not(None),
                )
            )
            organisation = found.one_or_none()
            if organisation is None or team_id == enterprise_id:
                return None
            row = insert_into(workspaces, self._database.dialect).values(
                team_id=team_id,
                name="",
                app_id=organisation.app_id,
                bot_user_id=organisation.bot_user_id,
                bot_id=organisation.bot_id,
                installed_at=self._database.now_sql(),
                **member,
            )
            await connection.execute(
                row.on_conflict_do_update(
                    index_elements=["team_id"], set_=member, where=workspaces.c.bot_token.is_(None)
                )
            )
        return await self.find(team_id)

    async def holding(self, key: str) -> Holding | None:
        """The token of its own that this workspace or organisation has; None without one."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(workspaces).where(workspaces.c.team_id == key))
            ).one_or_none()
        token = None if row is None else self._opened(row)
        return None if row is None or token is None else Holding(key, token, row.bot_token)

    async def end(self, holding: Holding) -> list[str] | None:
        """Slack took the token back: it is erased. The workspaces that nothing serves any more; None when it
        had been replaced meanwhile.
        """
        now = self._database.now_sql()
        ended = update(workspaces).where(
            workspaces.c.team_id == holding.key, workspaces.c.bot_token == holding.sealed
        )
        members = update(workspaces).where(
            workspaces.c.enterprise_id == holding.key,
            workspaces.c.is_organisation,
            workspaces.c.bot_token.is_(None),
            workspaces.c.broken_since.is_(None),
        )
        async with self._database.write() as connection:
            gone = (
                await connection.execute(
                    ended.values(bot_token=None, broken_since=now).returning(workspaces.c.is_organisation)
                )
            ).one_or_none()
            if gone is None:
                return None
            if not gone.is_organisation:
                return [holding.key]
            left = await connection.execute(members.values(broken_since=now).returning(workspaces.c.team_id))
            return sorted(left.scalars())

    async def channels(self, team_id: str) -> list[Channel]:
        """Every channel of the workspace that we write to."""
        places = union(
            select(subscriptions.c.channel_id).where(subscriptions.c.team_id == team_id),
            select(messages.c.channel_id).where(messages.c.team_id == team_id),
        )
        async with self._database.read() as connection:
            return [Channel(team_id, one) for one in (await connection.execute(places)).scalars()]

    def problems(self) -> list[str]:
        """One line for each token that none of our keys opens."""
        return [
            f"The token of workspace {one} was sealed with a key that ENCRYPTION_KEYS does not have: add it, "
            "or install the app there again."
            for one in sorted(self._unsealable)
        ]

    # ------------------------------------------------------------------------------------------------ inside

    def _served(self, row: Row[Any], by_id: dict[str, Row[Any]]) -> Served | None:
        if row.team_id == row.enterprise_id or not self.is_welcome(row.team_id, row.enterprise_id):
            return None
        holder: Row[Any] | None = row
        if row.is_organisation and row.bot_token is None:
            holder = by_id.get(row.enterprise_id)
        token = None if holder is None else self._opened(holder)
        return None if token is None else Served(row.team_id, token, by_organisation=holder is not row)

    def _opened(self, row: Row[Any]) -> SecretStr | None:
        if row.bot_token is None:
            return None
        try:
            token = SecretStr(self._sealer.open(row.bot_token))
        except Unsealable:
            if row.team_id not in self._unsealable:
                log.warning("workspace_token_unsealable", team=row.team_id, todo="restore ENCRYPTION_KEYS")
            self._unsealable.add(row.team_id)
            return None
        self._unsealable.discard(row.team_id)
        return token


class InstallStates:
    """OAuth's `state`: random, good once and for ten minutes; only its hash is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(self) -> str:
        """A new one."""
        state = secrets.token_urlsafe(32)
        newest = (
            select(install_states.c.state_hash)
            .order_by(install_states.c.created_at.desc())
            .limit(MOST_STATES - 1)
        )
        row = {
            "state_hash": _hash(state),
            "created_at": self._database.now_sql(),
            "expires_at": self._database.now_sql(STATE_SECONDS),
        }
        async with self._database.write() as connection:
            await connection.execute(
                delete(install_states).where(
                    or_(
                        install_states.c.expires_at <= self._database.now_sql(),
                        install_states.c.state_hash.not_in(newest),
                    )
                )
            )
            await connection.execute(insert(install_states).values(row))
        return state

    async def consume(self, state: str) -> bool:
        """True for the one who brings it back in time."""
        async with self._database.write() as connection:
            used = await connection.execute(
                delete(install_states)
                .where(install_states.c.state_hash == _hash(state))
                .returning((install_states.c.expires_at > self._database.now_sql()).label("in_time"))
            )
            row = used.one_or_none()
            return row is not None and bool(row.in_time)


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
