"""Linking until PagerDuty's answer: the tickets that Slack shows, and OAuth's states.

    offer → ticket (in a private message) → begin (state and verifier, for one browser) → take, once

Of tickets, states and cookies only hashes are kept. What PagerDuty then gave waits in
bot/store/pending_links.py; whatever nobody finished is swept up there.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import SlackUser
from bot.store.database import Database
from bot.store.people_tables import link_states, link_tickets
from bot.store.sealing import Sealer, Unsealable

TICKET_SECONDS = 15 * 60.0  # as long as what was asked for waits
STATE_SECONDS = 10 * 60.0
MOST_STATES = 20  # per ticket: a browser that reloads must not fill the table

Untakeable = Literal["unknown", "used", "expired", "browser"]


def digest(secret: str) -> str:
    """What is kept of a secret that somebody else holds: SHA-256, url-safe, 43 characters. PKCE's S256 is the
    same (RFC 7636, 4.2).
    """
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whom a Link button would link; `state` says whether it still may."""

    hash: str
    user: SlackUser
    intent_id: int | None
    state: Literal["good", "expired", "done"]


@dataclass(frozen=True, slots=True)
class Begun:
    """What the browser takes to PagerDuty: the state, and PKCE's challenge (S256)."""

    state: str
    challenge: str

    def __repr__(self) -> str:
        return "Begun(…)"


@dataclass(frozen=True, slots=True)
class Taken:
    """A state that came back from PagerDuty; `id` names the pending link, and is no secret."""

    id: str
    user: SlackUser
    verifier: str

    def __repr__(self) -> str:
        return f"Taken({self.id!r}, {self.user!r})"


class Links:
    """Tickets and states."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def offer(
        self, user: SlackUser, intent_id: int | None = None, *, seconds: float = TICKET_SECONDS
    ) -> str:
        """A new ticket for this person, good for `seconds`."""
        ticket = secrets.token_urlsafe(32)
        row = {
            "ticket_hash": digest(ticket),
            "team_id": user.team_id,
            "user_id": user.id,
            "intent_id": intent_id,
            "created_at": self._database.now_sql(),
            "expires_at": self._database.now_sql(seconds),
        }
        async with self._database.write() as connection:
            await connection.execute(insert(link_tickets).values(row))
        return ticket

    async def ticket(self, ticket: str) -> Ticket | None:
        """Whose ticket it is; None for one we did not make, or have forgotten."""
        async with self._database.read() as connection:
            return await self._ticket_in(connection, digest(ticket))

    async def _ticket_in(self, connection: AsyncConnection, ticket_hash: str) -> Ticket | None:
        expired = (link_tickets.c.expires_at <= self._database.now_sql()).label("expired")
        row = (
            await connection.execute(
                select(link_tickets, expired).where(link_tickets.c.ticket_hash == ticket_hash)
            )
        ).first()
        if row is None:
            return None
        state: Literal["good", "expired", "done"] = "good"
        if row.done_at is not None:
            state = "done"
        elif row.expired:
            state = "expired"
        return Ticket(row.ticket_hash, SlackUser(row.team_id, row.user_id), row.intent_id, state)

    async def pressed(self, ticket: str, user: SlackUser, response_url: str) -> bool:
        """Remember how the message with the link can be changed. False when it is not this person's ticket,
        or settled already.
        """
        async with self._database.write() as connection:
            noted = await connection.execute(
                update(link_tickets)
                .where(
                    link_tickets.c.ticket_hash == digest(ticket),
                    link_tickets.c.team_id == user.team_id,
                    link_tickets.c.user_id == user.id,
                    link_tickets.c.done_at.is_(None),
                )
                .values(response_url=self._sealer.seal(response_url))
            )
            return bool(noted.rowcount)

    async def begin(self, ticket: str, browser: str) -> Begun | None:
        """A state for this browser, good for ten minutes; None when the ticket is not good (any more), or was
        begun with too often.
        """
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        row = {
            "state_hash": digest(state),
            "ticket_hash": digest(ticket),
            "browser_hash": digest(browser),
            "verifier": self._sealer.seal(verifier),
            "created_at": self._database.now_sql(),
            "expires_at": self._database.now_sql(STATE_SECONDS),
        }
        async with self._database.write() as connection:
            found = await self._ticket_in(connection, digest(ticket))
            if found is None or found.state != "good":
                return None
            begun = await connection.scalar(
                select(func.count()).where(link_states.c.ticket_hash == row["ticket_hash"])
            )
            if (begun or 0) >= MOST_STATES:
                return None
            await connection.execute(insert(link_states).values(row))
        return Begun(state, digest(verifier))

    async def take(self, state: str, browser: str) -> Taken | Untakeable:
        """The state, for exactly one caller, in the browser it was made for; else why not. A state that comes
        with another browser stays good for its own.
        """
        hashed, now = digest(state), self._database.now_sql()
        async with self._database.write() as connection:
            taken = await connection.execute(
                update(link_states)
                .where(
                    link_states.c.state_hash == hashed,
                    link_states.c.browser_hash == digest(browser),
                    link_states.c.used_at.is_(None),
                    link_states.c.expires_at > now,
                )
                .values(used_at=now)
                .returning(link_states.c.verifier, link_states.c.ticket_hash)
            )
            row = taken.first()
            if row is None:
                return await self._why_not(connection, hashed, browser)
            ticket = await self._ticket_in(connection, row.ticket_hash)
        assert ticket is not None  # a foreign key holds it
        try:
            return Taken(hashed, ticket.user, self._sealer.open(row.verifier))
        except Unsealable:
            return "expired"  # with the key that sealed it

    async def _why_not(self, connection: AsyncConnection, hashed: str, browser: str) -> Untakeable:
        row = (
            await connection.execute(
                select(link_states.c.browser_hash, link_states.c.used_at).where(
                    link_states.c.state_hash == hashed
                )
            )
        ).first()
        if row is None:
            return "unknown"
        if row.browser_hash != digest(browser):
            return "browser"
        return "expired" if row.used_at is None else "used"
