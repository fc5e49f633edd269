"""Replicas of the bot on one database, as far as tokens go, and the fake PagerDuty where people consent."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.accounts.tokens import Tokens
from bot.model import Person, SlackUser
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import UserToken
from bot.pagerduty.http import PagerDutyHttp
from bot.pagerduty.oauth import Granted, PagerDutyOAuth
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.pagerduty.oauth import challenge_of
from bot.sandbox.world import acme
from bot.store.accounts import Account, AccountStore
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.schema import migrate
from bot.store.sealing import Sealer
from tests.store.seeding import StillDatabase

TEAM = "T0ACME"
ALICE, BOB = SlackUser(TEAM, "U0ALICE"), SlackUser(TEAM, "U0BOB")
PERSON_OF = {ALICE: "PALICE1", BOB: "PBOB002"}
REDIRECT = "https://pager.example.com/pagerduty/callback"
CLIENT_ID, CLIENT_SECRET = "made-up-client", "made-up-client-secret"
SCOPES = ("incidents.read", "incidents.write", "oncalls.read")
DAY = 86400.0
SIGN_IN = ("/oauth/token",)
KEY = Fernet.generate_key().decode()


@dataclass
class Replica:
    """One process: its own connections and tasks. `outcomes` of its renewals; `ended`: whom it told."""

    database: Database
    accounts: AccountStore
    leases: Leases
    oauth: PagerDutyOAuth
    http: PagerDutyHttp
    outcomes: list[str] = field(default_factory=list)
    ended: list[tuple[SlackUser, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = self.new_tokens()

    def new_tokens(self, **other: Any) -> Tokens:
        options: dict[str, Any] = {"on_ended": self.hear, "count": self.outcomes.append}
        return Tokens(self.accounts, self.leases, self.oauth, **(options | other))

    async def hear(self, user: SlackUser, why: str) -> None:
        self.ended.append((user, why))

    async def as_(self, user: SlackUser) -> PagerDuty:
        """A client that acts as this person."""
        return PagerDuty(self.http, await self.tokens.credentials(user))


@dataclass
class Site:
    """The database's URL, PagerDuty, and the replicas that run."""

    url: str
    fake: FakePagerDuty
    session: aiohttp.ClientSession
    stack: AsyncExitStack
    replicas: list[Replica] = field(default_factory=list)

    async def replica(self, *keys: str, client_secret: str = CLIENT_SECRET) -> Replica:
        """Another process of the bot."""
        database = await StillDatabase.open(self.url)
        self.stack.push_async_callback(database.close)
        await migrate(database)
        database.clock_offset = self.replicas[0].database.clock_offset if self.replicas else 0.0
        made = Replica(
            database,
            AccountStore(database, Sealer(keys or [KEY])),
            Leases(database, f"replica {len(self.replicas)}"),
            self.app(client_secret=SecretStr(client_secret)),
            PagerDutyHttp(self.session, self.fake.origin),
        )
        self.stack.push_async_callback(made.tokens.close)
        self.replicas.append(made)
        return made

    def app(self, **other: Any) -> PagerDutyOAuth:
        options: dict[str, Any] = {
            "identity_url": self.fake.origin,
            "client_id": CLIENT_ID,
            "client_secret": SecretStr(CLIENT_SECRET),
            "redirect_uri": REDIRECT,
            "scopes": SCOPES,
        }
        return PagerDutyOAuth(self.session, **(options | other))

    def consent(self, app: PagerDutyOAuth, person_id: str, verifier: str) -> str:
        """The person allows it in their browser: the code that comes back."""
        asked = parse_qs(urlsplit(app.authorize_url("state", challenge_of(verifier))).query)
        question = self.fake.oauth.ask({name: values[0] for name, values in asked.items()})
        back = self.fake.oauth.allow(question, person_id)
        return parse_qs(urlsplit(back).query)["code"][0]

    async def granted(self, person_id: str, app: PagerDutyOAuth | None = None) -> Granted:
        app, verifier = app or self.app(), secrets.token_urlsafe(48)
        return await app.exchange(self.consent(app, person_id, verifier), verifier)

    async def link(self, replica: Replica, user: SlackUser = ALICE) -> Account:
        """The person consents and is linked."""
        granted = await self.granted(PERSON_OF[user], replica.oauth)
        return await replica.accounts.link(user, await self.me(replica, granted), granted)

    async def me(self, replica: Replica, granted: Granted) -> Person:
        """Who consented."""
        return await PagerDuty(replica.http, UserToken(granted.access)).me()

    def let_pass(self, seconds: float) -> None:
        """Time goes by, for PagerDuty's tokens and for every replica's database."""
        self.fake.oauth.let_pass(timedelta(seconds=seconds))
        for replica in self.replicas:
            replica.database.clock_offset += seconds

    def refreshes(self) -> int:
        """How often PagerDuty gave a new pair."""
        return self.fake.oauth.count("refresh")

    def asked(self) -> int:
        """How often PagerDuty was called at all since the last time this was asked."""
        calls = len(self.fake.journal)
        self.fake.journal.clear()
        return calls


@asynccontextmanager
async def site_on(url: str) -> AsyncIterator[Site]:
    fake = FakePagerDuty(acme())
    await fake.start()
    fake.register_oauth_app(CLIENT_ID, [REDIRECT], CLIENT_SECRET)
    try:
        async with aiohttp.ClientSession() as session, AsyncExitStack() as stack:
            yield Site(url, fake, session, stack)
    finally:
        await fake.stop()
