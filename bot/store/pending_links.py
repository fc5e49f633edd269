"""Linking after PagerDuty's answer: what it gave waits here, sealed, until it becomes a link or is erased.

    keep → (confirmed by the person, perhaps an admin's word) → link | refuse | expire

`link` writes the account and the audit in the same transaction, once, and only for the first of several
browsers. Whatever ends otherwise gives its tokens out one last time, so that they can be revoked, and forgets
them.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from pydantic import SecretStr
from sqlalchemy import ColumnElement, Row, Select, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Person, SlackUser
from bot.store.accounts import Grant
from bot.store.audit import Audit, Entry
from bot.store.database import Database
from bot.store.intent_steps import EXPIRED, LINKING
from bot.store.links import digest
from bot.store.outages import until_no_deadlock
from bot.store.people_tables import intents, link_states, link_tickets
from bot.store.sealing import Sealer, Unsealable

CONFIRM_SECONDS = 10 * 60.0
APPROVAL_SECONDS = 24 * 3600.0
REMEMBERED_SECONDS = 24 * 3600.0  # so long "expired" can be told from "never heard of"
TOGETHER = 50  # expired ones swept in one go

Outcome = Literal["linked", "refused", "late", "expired"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A kept grant, opened: a `Grant` again."""

    access: SecretStr
    refresh: SecretStr | None
    scopes: frozenset[str]
    expires_in: float


@dataclass(frozen=True, slots=True)
class PendingLink:
    """Who would be linked to whom, and how far it is. `outcome` None: not decided yet. `has_intent`: what
    they asked for waits for it, or has been done.
    """

    id: str
    user: SlackUser
    person: Person
    scopes: frozenset[str]
    browser_hash: str
    has_intent: bool
    confirmed_at: datetime | None
    outcome: Outcome | None
    decided_by: str | None
    asked: tuple[tuple[str, str], ...]  # (channel, ts) of the messages to the admins

    def belongs_to(self, browser: str) -> bool:
        """Whether this is the browser in which the person consented."""
        return self.browser_hash == digest(browser)


@dataclass(frozen=True, slots=True)
class Ended:
    """A pending link that just ended without becoming one, and the tokens it leaves."""

    link: PendingLink
    tokens: Tokens | None


@dataclass(frozen=True, slots=True)
class Linked:
    """It became a link. `response_urls`: of the private messages that offered it."""

    link: PendingLink
    response_urls: tuple[str, ...]


class TooLate(Exception):
    """The person was linked meanwhile, in another window."""


Write = Callable[[AsyncConnection, SlackUser, Person, Tokens], Awaitable[Any]]


class PendingLinks:
    """See the module."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._audit = Audit(database)

    async def keep(self, link_id: str, person: Person, granted: Grant) -> None:
        """Seal what came for a state that was taken; ten minutes to confirm it."""
        row = {
            "person_id": person.id,
            "person_name": person.name,
            "person_email": person.email,
            "access_token": self._sealer.seal(granted.access.get_secret_value()),
            "refresh_token": granted.refresh and self._sealer.seal(granted.refresh.get_secret_value()),
            "scopes": " ".join(sorted(granted.scopes)),
            "token_expires_at": self._database.now_sql(granted.expires_in),
            "expires_at": self._database.now_sql(CONFIRM_SECONDS),
        }
        async with self._database.write() as connection:
            await connection.execute(
                update(link_states)
                .where(link_states.c.state_hash == link_id, link_states.c.used_at.is_not(None))
                .values(row)
            )

    async def find(self, link_id: str) -> PendingLink | None:
        """None when nothing came for it, or it is forgotten. One past its time is `expired`, swept or not."""
        async with self._database.read() as connection:
            row = (await connection.execute(self._query().where(link_states.c.state_hash == link_id))).first()
        return None if row is None else _pending(row)

    async def wait_for_admin(self, link_id: str) -> bool:
        """The person confirmed; a day for an admin's word. True for the first to say so."""
        async with self._database.write() as connection:
            waits = await connection.execute(
                update(link_states)
                .where(
                    link_states.c.state_hash == link_id,
                    link_states.c.confirmed_at.is_(None),
                    link_states.c.settled_at.is_(None),
                    link_states.c.expires_at > self._database.now_sql(),
                )
                .values(
                    confirmed_at=self._database.now_sql(),
                    expires_at=self._database.now_sql(APPROVAL_SECONDS),
                )
            )
            return bool(waits.rowcount)

    async def note_asked(self, link_id: str, messages: Sequence[tuple[str, str]]) -> PendingLink | None:
        """Which messages asked the admins (channel, ts); the link as it stands now."""
        async with self._database.write() as connection:
            await connection.execute(
                update(link_states)
                .where(link_states.c.state_hash == link_id)
                .values(asked=json.dumps([list(one) for one in messages]))
            )
        return await self.find(link_id)

    async def link(self, link_id: str, write: Write, *, by: str | None = None) -> Linked | None:
        """Make it a link: `write` stores the account in the same transaction, and may raise to stop it all.

        None when it was decided already, or is past its time. Raises TooLate when the person was linked in
        another window meanwhile. `by` is the admin who approved.
        """
        return await until_no_deadlock(lambda: self._link(link_id, write, by))

    async def _link(self, link_id: str, write: Write, by: str | None) -> Linked | None:
        async with self._database.write() as connection:
            row = await self._open(connection, link_id)
            if row is None:
                return None
            link = _pending(row)
            tokens = self._tokens(row)
            if tokens is None:  # undecided, so it had them: the key that sealed them is gone
                await self._settle(connection, link_id, "expired", by)
                return None
            urls = await self._finish_tickets(connection, link.user, row.ticket_hash)
            await write(connection, link.user, link.person, tokens)
            await self._settle(connection, link_id, "linked", by)
            approved = f" Approved by {by}." if by else ""
            detail = f"Linked to {link.person.name}.{approved}"
            await self._audit.note_in(connection, _entry(link), "done", detail=detail)
            return Linked(link, tuple(urls))

    async def _finish_tickets(
        self, connection: AsyncConnection, user: SlackUser, ticket_hash: str
    ) -> list[str]:
        done = await connection.execute(
            update(link_tickets)
            .where(
                link_tickets.c.team_id == user.team_id,
                link_tickets.c.user_id == user.id,
                link_tickets.c.done_at.is_(None),
            )
            .values(done_at=self._database.now_sql())
            .returning(link_tickets.c.ticket_hash, link_tickets.c.response_url)
        )
        rows = done.all()
        if all(row.ticket_hash != ticket_hash for row in rows):
            raise TooLate
        return [url for row in rows if row.response_url and (url := self._opened(row.response_url))]

    def _opened(self, sealed: str) -> str | None:
        try:
            return self._sealer.open(sealed)
        except Unsealable:
            return None

    async def end(self, link_id: str, outcome: Outcome, *, by: str | None = None) -> Ended | None:
        """It becomes none: tokens forgotten, and handed out to be revoked. None when it was decided already,
        except that what expired can be ended as `expired`.
        """
        async with self._database.write() as connection:
            row = await self._open(connection, link_id, expired=outcome == "expired")
            if row is None:
                return None
            tokens = self._tokens(row)
            await self._settle(connection, link_id, outcome, by)
            return Ended(_pending(row), tokens)

    async def sweep(self) -> list[Ended]:
        """End some that nobody finished in time, and forget what is over for a day. Run it again and again;
        replicas may run it at once.
        """
        now = self._database.now_sql()
        async with self._database.read() as connection:
            late = await connection.execute(
                select(link_states.c.state_hash)
                .where(
                    link_states.c.expires_at <= now,
                    link_states.c.settled_at.is_(None),
                    link_states.c.access_token.is_not(None),
                )
                .limit(TOGETHER)
            )
            found = list(late.scalars())
        ended = [await self.end(link_id, "expired") for link_id in found]
        await self._forget()
        return [one for one in ended if one is not None]

    async def _forget(self) -> None:
        long_ago = self._database.now_sql(-REMEMBERED_SECONDS)
        async with self._database.write() as connection:
            await connection.execute(
                delete(link_states).where(
                    link_states.c.expires_at <= long_ago, link_states.c.access_token.is_(None)
                )
            )
            used = select(link_states.c.ticket_hash).scalar_subquery()
            await connection.execute(
                delete(link_tickets).where(
                    link_tickets.c.expires_at <= long_ago, link_tickets.c.ticket_hash.not_in(used)
                )
            )

    # -------------------------------------------------------------------------------------------- inside

    def _query(self) -> Select[Any]:
        return (
            select(
                link_states,
                link_tickets.c.team_id,
                link_tickets.c.user_id,
                self._in_time().label("has_intent"),
                (link_states.c.expires_at <= self._database.now_sql()).label("is_late"),
                (link_states.c.token_expires_at - self._database.now_sql()).label("seconds_left"),
            )
            .join(link_tickets, link_tickets.c.ticket_hash == link_states.c.ticket_hash)
            .where(link_states.c.person_id.is_not(None))
        )

    def _in_time(self) -> ColumnElement[bool]:
        """What was asked for did not wait in vain: 15 minutes are shorter than linking may take."""
        waits = or_(intents.c.state != LINKING, intents.c.expires_at > self._database.now_sql())
        return exists().where(intents.c.id == link_tickets.c.intent_id, intents.c.state != EXPIRED, waits)

    async def _open(
        self, connection: AsyncConnection, link_id: str, *, expired: bool = False
    ) -> Row[Any] | None:
        """The row for us alone while it is undecided and in time (`expired`: past its time)."""
        query = self._query().where(link_states.c.state_hash == link_id, link_states.c.settled_at.is_(None))
        row = (await connection.execute(query.with_for_update(of=link_states))).first()
        return row if row is not None and bool(row.is_late) is expired else None

    async def _settle(
        self, connection: AsyncConnection, link_id: str, outcome: Outcome, by: str | None
    ) -> None:
        await connection.execute(
            update(link_states)
            .where(link_states.c.state_hash == link_id)
            .values(
                settled_at=self._database.now_sql(),
                outcome=outcome,
                decided_by=by,
                access_token=None,
                refresh_token=None,
            )
        )

    def _tokens(self, row: Row[Any]) -> Tokens | None:
        if row.access_token is None:
            return None
        access = self._opened(row.access_token)
        refresh = self._opened(row.refresh_token) if row.refresh_token else None
        if access is None or (row.refresh_token and refresh is None):
            return None  # their key is gone, and with it the tokens
        left = row.seconds_left.timestamp() if isinstance(row.seconds_left, datetime) else row.seconds_left
        return Tokens(
            SecretStr(access),
            None if refresh is None else SecretStr(refresh),
            frozenset((row.scopes or "").split()),
            float(left or 0),
        )


def _entry(link: PendingLink) -> Entry:
    return Entry(
        intent_id=None,
        team_id=link.user.team_id,
        user_id=link.user.id,
        person_id=link.person.id,
        identity="oauth",
        surface="browser",
        channel_id="",
        verb="link",
        words="link",
    )


def _pending(row: Row[Any]) -> PendingLink:
    outcome = row.outcome or ("expired" if row.is_late else None)
    return PendingLink(
        id=row.state_hash,
        user=SlackUser(row.team_id, row.user_id),
        person=Person(row.person_id, row.person_name, row.person_email),
        scopes=frozenset((row.scopes or "").split()),
        browser_hash=row.browser_hash,
        has_intent=bool(row.has_intent),
        confirmed_at=row.confirmed_at,
        outcome=cast("Outcome | None", outcome),
        decided_by=row.decided_by,
        asked=tuple((str(channel), str(ts)) for channel, ts in json.loads(row.asked or "[]")),
    )
