"""What knowing who acts adds to a command, once warm: time, and not one call to Slack or PagerDuty.

Asked in this process as a command asks (bot/command/steps.py): the person's profile, their link, their token.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from pydantic import SecretStr

from bot.accounts.acting import Accounts
from bot.accounts.by_link import AccountsByLink
from bot.accounts.members import Members
from bot.accounts.tokens import Tokens
from bot.model import Person, SlackUser
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.http import PagerDutyHttp, open_session
from bot.pagerduty.oauth import Granted, PagerDutyOAuth
from bot.slack.client import Slack
from bot.slack.connection import open_session as open_slack_session
from bot.slack.workspaces import Workspaces
from bot.store.accounts import AccountStore
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.schema import migrate
from bot.store.sealing import Sealer, new_key
from tests.bench.measures import Bench, Row
from tests.bench.processes import World, world

ALICE = SlackUser("T0ACME", "U0ALICE")
SCOPE = "incidents.write"
ROUNDS = 1000
GOAL = 0.001  # seconds


@dataclass
class Identity:
    """Linked people, and how often anybody else was called."""

    accounts: Accounts
    calls: int = 0

    def count(self, *told: object) -> None:
        del told
        self.calls += 1

    async def act(self) -> float:
        """Seconds until there is a client that acts as Alice."""
        began = time.perf_counter()
        await self.accounts.act_as(ALICE, SCOPE)
        return time.perf_counter() - began


@asynccontextmanager
async def identity_on(url: str, around_it: World) -> AsyncIterator[Identity]:
    """Alice is linked; her token is good for a day."""
    async with AsyncExitStack() as stack:
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        await migrate(database)
        slack_session = await stack.enter_async_context(open_slack_session(5.0))
        session = await stack.enter_async_context(open_session())
        links = AccountStore(database, Sealer([new_key()]))
        granted = Granted(SecretStr("made-up"), SecretStr("made-up too"), frozenset({SCOPE}), 86400.0)
        await links.link(ALICE, Person("PALICE1", "Alice Anderson"), granted)
        yield _identity(database, links, slack_session, session, around_it)


def _identity(
    database: Database,
    links: AccountStore,
    slack_session: aiohttp.ClientSession,
    session: aiohttp.ClientSession,
    around_it: World,
) -> Identity:
    made: list[Identity] = []

    def count(*told: object) -> None:
        made[0].count(*told)

    slack = Slack(
        slack_session,
        SecretStr(around_it.bot_token),
        base_url=around_it.slack_url,
        team_id=ALICE.team_id,
        on_call=count,
    )
    app = PagerDutyOAuth(
        session,
        identity_url=around_it.pagerduty_url,
        client_id="made-up",
        client_secret=SecretStr("made-up"),
        redirect_uri="http://127.0.0.1/",
        scopes=[SCOPE],
        on_call=count,
    )
    wire = PagerDutyHttp(session, around_it.pagerduty_url, on_call=count)
    tokens = Tokens(links, Leases(database, "bench"), app)
    reader = PagerDuty(wire, AccountKey(SecretStr(around_it.api_key)))
    made.append(Identity(AccountsByLink(Members(Workspaces([slack])), links, tokens, app, reader)))
    return made[0]


async def identity(bench: Bench) -> AsyncIterator[Row]:
    """The median, against a millisecond. A call while warm is a failure, not a figure."""
    async with world(bench.folder) as around_it:
        for kind, url in bench.databases().items():
            async with identity_on(url, around_it) as one:
                await one.act()  # the profile is asked for once a minute
                warm = one.calls
                seconds = statistics.median([await one.act() for _ in range(ROUNDS)])
                if one.calls != warm:
                    raise RuntimeError(f"{one.calls - warm} calls to know who acts")
            ratio = seconds / GOAL
            told = f"{GOAL * 1000:.1f} ms", f"{seconds * 1000:.2f} ms"
            yield Row(f"identity in a command, {kind}", *told, ratio, "≤ 1.0", ratio <= 1)
