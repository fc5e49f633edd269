"""Who is linked to which PagerDuty user, and their tokens, sealed: a Slack user has one link, and a PagerDuty
user one Slack user in each workspace.

bot/accounts/linking.py makes links, bot/accounts/tokens.py renews and ends them. Every change of the tokens
raises `generation`, and whoever changes them says which one they saw: a pair that was replaced meanwhile is
never overwritten. Nothing here says a token in clear but `opened` and `remove`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import SecretStr
from sqlalchemy import BigInteger, ColumnElement, Double, Row, cast, delete, func, select, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Person, SlackUser
from bot.store.database import Database
from bot.store.people_tables import accounts
from bot.store.sealing import Sealer, Unsealable
from bot.store.upsert import insert_into

MOST_DUE = 5000  # links looked at in one round


class Grant(Protocol):
    """What PagerDuty gave (bot/pagerduty/oauth.py: `Granted`). `expires_in`: seconds from now."""

    @property
    def access(self) -> SecretStr: ...
    @property
    def refresh(self) -> SecretStr | None: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def expires_in(self) -> float: ...


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and, where PagerDuty gave one, its refresh token."""

    access: SecretStr
    refresh: SecretStr | None


@dataclass(frozen=True, slots=True)
class Account:
    """A living link. `person` is as PagerDuty told when it was made (no role); `seconds_left` is what the
    access token had to live when this was read, by the database's clock.
    """

    user: SlackUser
    person: Person
    scopes: frozenset[str]
    generation: int
    linked_at: datetime
    refreshed_at: datetime | None
    expires_at: datetime
    seconds_left: float
    sealed_access: str = field(repr=False)
    sealed_refresh: str | None = field(repr=False)

    @property
    def life_seconds(self) -> float:
        """How long the access token was given to live."""
        return (self.expires_at - (self.refreshed_at or self.linked_at)).total_seconds()


@dataclass(frozen=True, slots=True)
class EndedLink:
    """A link that was: `why` is a word of bot/accounts/tokens.py's."""

    user: SlackUser
    person: Person
    generation: int
    ended_at: datetime
    why: str


class PersonTaken(Exception):
    """Another Slack user of this workspace, `by`, is linked to that PagerDuty user."""

    def __init__(self, by: SlackUser) -> None:
        super().__init__(f"linked to {by.id} already")
        self.by = by


class AccountStore:
    """The `accounts` table."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    # --------------------------------------------------------------------------------------------- reading

    async def living(self, user: SlackUser) -> Account | None:
        """The person's link; None when there is none, or it has ended."""
        async with self._database.read() as connection:
            found = await connection.execute(self._living(_of(user)))
            row = found.first()
        return None if row is None else _account(row)

    async def ended(self, user: SlackUser) -> EndedLink | None:
        """The link the person had, when it has ended and they have not linked since."""
        query = select(accounts).where(_of(user), accounts.c.access_token.is_(None))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return EndedLink(user, _person(row), row.generation, row.ended_at, row.ended_why or "")

    async def linked_to(self, team_id: str, person_id: str) -> SlackUser | None:
        """The Slack user of this workspace who is linked to a PagerDuty user."""
        async with self._database.read() as connection:
            return await _holder(connection, team_id, person_id)

    async def all_living(self, team_id: str | None = None) -> list[Account]:
        """Every living link, of one workspace or of all."""
        query = self._living(accounts.c.team_id == team_id if team_id is not None else None)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(accounts.c.team_id, accounts.c.user_id))).all()
        return [_account(row) for row in rows]

    async def due(self, share: float) -> list[SlackUser]:
        """Those whose access token has less than this share of its life before it, and who can be given
        another; the ones that end first come first.
        """
        ends = type_coerce(accounts.c.expires_at, Double)
        began = type_coerce(func.coalesce(accounts.c.refreshed_at, accounts.c.linked_at), Double)
        query = (
            select(accounts.c.team_id, accounts.c.user_id)
            .where(
                accounts.c.access_token.is_not(None),
                accounts.c.refresh_token.is_not(None),
                ends - self._database.now_sql() < (ends - began) * share,
            )
            .order_by(accounts.c.expires_at)
            .limit(MOST_DUE)
        )
        async with self._database.read() as connection:
            return [SlackUser(row.team_id, row.user_id) for row in await connection.execute(query)]

    def opened(self, account: Account) -> TokenPair:
        """The tokens as they were when the account was read. Raises Unsealable."""
        sealed = account.sealed_refresh
        return TokenPair(
            SecretStr(self._sealer.open(account.sealed_access)),
            SecretStr(self._sealer.open(sealed)) if sealed is not None else None,
        )

    def can_open(self, account: Account) -> bool:
        """Whether we have the keys that sealed its tokens."""
        try:
            self.opened(account)
        except Unsealable:
            return False
        return True

    # --------------------------------------------------------------------------------------------- writing

    async def link(self, user: SlackUser, person: Person, granted: Grant) -> Account:
        """Make the link, instead of any the Slack user had. Raises PersonTaken."""
        async with self._database.write() as connection:
            return await self.link_in(connection, user, person, granted)

    async def link_in(
        self, connection: AsyncConnection, user: SlackUser, person: Person, granted: Grant
    ) -> Account:
        """As `link`, in the caller's transaction, which goes on after PersonTaken."""
        now = self._database.now_sql()
        told = {
            "person_id": person.id,
            "person_name": person.name,
            "person_email": person.email,
            "access_token": self._sealer.seal(granted.access.get_secret_value()),
            "refresh_token": self._sealed(granted.refresh),
            "scopes": _words(granted.scopes),
            "expires_at": self._database.now_sql(granted.expires_in),
            "linked_at": now,
            "refreshed_at": None,
            "ended_at": None,
            "ended_why": None,
        }
        fresh = insert_into(accounts, self._database.dialect).values(
            team_id=user.team_id,
            user_id=user.id,
            # Never a number that a link had which was removed: whoever still renews that one must see.
            generation=cast(now * 1000, BigInteger),
            **told,
        )
        put = fresh.on_conflict_do_update(
            index_elements=[accounts.c.team_id, accounts.c.user_id],
            set_={**told, "generation": accounts.c.generation + 1},
        )
        try:
            async with connection.begin_nested():
                await connection.execute(put)
        except IntegrityError:
            by = await _holder(connection, user.team_id, person.id)
            if by is None:
                raise
            raise PersonTaken(by) from None
        row = (await connection.execute(self._living(_of(user)))).one()
        return _account(row)

    async def renew(self, user: SlackUser, generation: int, granted: Grant) -> bool:
        """Put a new pair in the place of the one of `generation`; False when that one is not there any more:
        it was replaced, ended or unlinked.
        """
        values: dict[str, Any] = {
            "access_token": self._sealer.seal(granted.access.get_secret_value()),
            "expires_at": self._database.now_sql(granted.expires_in),
            "refreshed_at": self._database.now_sql(),
            "generation": accounts.c.generation + 1,
        }
        if granted.refresh is not None:
            values["refresh_token"] = self._sealed(granted.refresh)
        if granted.scopes:
            values["scopes"] = _words(granted.scopes)
        async with self._database.write() as connection:
            done = await connection.execute(update(accounts).where(_seen(user, generation)).values(values))
            return bool(done.rowcount)

    async def end(self, user: SlackUser, why: str, generation: int) -> bool:
        """Erase the tokens of `generation` and keep that there was a link, and why it is over; False when
        that pair is not there any more.
        """
        erased = {
            "access_token": None,
            "refresh_token": None,
            "expires_at": None,
            "ended_at": self._database.now_sql(),
            "ended_why": why,
        }
        async with self._database.write() as connection:
            done = await connection.execute(update(accounts).where(_seen(user, generation)).values(erased))
            return bool(done.rowcount)

    async def remove(self, user: SlackUser) -> TokenPair | None:
        """Delete the link, living or ended. Gives its tokens, to be revoked; None when none can be read."""
        gone = delete(accounts).where(_of(user)).returning(accounts.c.access_token, accounts.c.refresh_token)
        async with self._database.write() as connection:
            row = (await connection.execute(gone)).first()
        if row is None or row.access_token is None:
            return None
        try:
            refresh = row.refresh_token
            return TokenPair(
                SecretStr(self._sealer.open(row.access_token)),
                SecretStr(self._sealer.open(refresh)) if refresh is not None else None,
            )
        except Unsealable:
            return None

    # ------------------------------------------------------------------------------------------------- SQL

    def _living(self, wanted: ColumnElement[bool] | None) -> Any:
        left = type_coerce(accounts.c.expires_at, Double) - self._database.now_sql()
        query = select(accounts, left.label("seconds_left")).where(accounts.c.access_token.is_not(None))
        return query if wanted is None else query.where(wanted)

    def _sealed(self, token: SecretStr | None) -> str | None:
        return None if token is None else self._sealer.seal(token.get_secret_value())


def _of(user: SlackUser) -> ColumnElement[bool]:
    return (accounts.c.team_id == user.team_id) & (accounts.c.user_id == user.id)


def _seen(user: SlackUser, generation: int) -> ColumnElement[bool]:
    return _of(user) & (accounts.c.generation == generation) & accounts.c.access_token.is_not(None)


async def _holder(connection: AsyncConnection, team_id: str, person_id: str) -> SlackUser | None:
    found = await connection.execute(
        select(accounts.c.user_id).where(
            accounts.c.team_id == team_id,
            accounts.c.person_id == person_id,
            accounts.c.access_token.is_not(None),
        )
    )
    user_id = found.scalar_one_or_none()
    return None if user_id is None else SlackUser(team_id, user_id)


def _words(scopes: frozenset[str]) -> str:
    return " ".join(sorted(scopes))


def _person(row: Row[Any]) -> Person:
    return Person(row.person_id, row.person_name, row.person_email)


def _account(row: Row[Any]) -> Account:
    return Account(
        user=SlackUser(row.team_id, row.user_id),
        person=_person(row),
        scopes=frozenset(row.scopes.split()),
        generation=row.generation,
        linked_at=row.linked_at,
        refreshed_at=row.refreshed_at,
        expires_at=row.expires_at,
        seconds_left=row.seconds_left,
        sealed_access=row.access_token,
        sealed_refresh=row.refresh_token,
    )
