"""The command half of the bot between the two fakes, over real HTTP: what a person types, presses and submits
arrives signed, and the answers are seen where a person sees them. No delivery: living messages are other
tests'.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp import web
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.accounts.acting import Accounts
from bot.accounts.by_email import AccountsByEmail
from bot.accounts.by_link import AccountsByLink
from bot.accounts.members import Members
from bot.accounts.permissions import Permissions
from bot.accounts.seats import Seats
from bot.accounts.tokens import Tokens
from bot.command.catalog import Catalog
from bot.command.channels import Channels
from bot.command.desk import Desks
from bot.command.integrations import Integrations
from bot.command.names import DirectoryNames
from bot.command.pressed import Pressed
from bot.command.reminding import Reminders
from bot.command.run import Runner
from bot.command.services import Services
from bot.command.tasks import TrackedTasks
from bot.inbound.slack import SlackFront
from bot.inbound.slack_http import slack_endpoint
from bot.model import Channel, Incident, ScopeKind, Subscription
from bot.pagerduty import http as pagerduty_http
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.directory import Directory
from bot.pagerduty.events import EventsApi
from bot.pagerduty.levels import Levels
from bot.pagerduty.oauth import PagerDutyOAuth
from bot.pagerduty.webhooks import parse
from bot.sandbox.pagerduty.server import FakePagerDuty
from bot.sandbox.pagerduty.state import Incident as RealIncident
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.world import acme
from bot.slack import connection as slack_connection
from bot.slack.client import Slack
from bot.slack.workspaces import Workspaces
from bot.store.accounts import AccountStore
from bot.store.audit import Audit
from bot.store.audit_reading import AuditReading
from bot.store.batcher import Batcher
from bot.store.database import Database
from bot.store.event_keys import EventKeys
from bot.store.incidents import Incidents
from bot.store.intents import Intents
from bot.store.leases import Leases
from bot.store.messages import Messages
from bot.store.notices import Notices
from bot.store.people import People
from bot.store.schema import migrate
from bot.store.sealing import Sealer
from bot.store.subscriptions import Subscriptions
from bot.store.wake import Wake
from commands import CATALOG
from tests.command.linked import ASKED, Links
from tests.stories.slack_eyes import Person, Place

HOST = "127.0.0.1"
TEAM = "T0ACME"


@dataclass
class Counted:
    """What was counted: verb, surface, outcome."""

    commands: list[tuple[str, str, str]] = field(default_factory=list)

    def command(self, verb: str, surface: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.commands.append((verb, surface, outcome))


@dataclass
class Switchboard:
    """Everything a test looks at."""

    slack: FakeSlack
    pagerduty: FakePagerDuty
    database: Database
    incidents: Incidents
    subscriptions: Subscriptions
    directory: Directory
    services: Services
    runner: Runner
    front: SlackFront
    counted: Counted
    workspaces: Workspaces
    links: Links
    event_keys: EventKeys
    url: str = ""

    def __post_init__(self) -> None:
        self.checkout = Place(self.slack, "C0CHECK")
        self.alice, self.bob, self.carol = (
            Person(self.slack, user) for user in ("U0ALICE", "U0BOB", "U0CAROL")
        )
        self._from = 0

    # ------------------------------------------------------------------------------------ what people see

    async def types(self, line: str, by: str = "U0ALICE", channel: str = "C0CHECK") -> str:
        """Type `/pager line`; all the private words that came back."""
        before = {one.ts for one in Place(self.slack, channel).private(by)}
        answer = await self.slack.command(by, channel, line)
        assert answer.status == 200, f"Slack showed {answer.failure}: {answer.status} {answer.body}"
        await self.settle()
        new = [one for one in Place(self.slack, channel).private(by) if one.ts not in before]
        return "\n".join(f"{one.text}\n{one.words}" for one in new)

    async def settle(self) -> None:
        """Until nothing is at work any more."""
        await self.runner.tasks.settle()

    def newest(self, by: str = "U0ALICE", channel: str = "C0CHECK") -> Any:
        """The newest private reply."""
        return Place(self.slack, channel).private(by)[-1]

    def calls(self) -> list[str]:
        """`METHOD path` of each REST call since the last look."""
        journal = self.pagerduty.journal
        new, self._from = journal[self._from :], len(journal)
        return [f"{one.method} {one.path}" for one in new if one.direction == "in"]

    # ------------------------------------------------------------------------------------- what happens

    async def breaks(self, title: str, service: str = "PSVCCHK", **more: Any) -> RealIncident:
        """An incident in PagerDuty, of which our webhook was told."""
        incident = self.pagerduty.trigger(service, title, **more)
        await self.told(incident.id)
        return incident

    async def told(self, incident_id: str) -> Incident:
        """As last read: what the sweep or a re-read would have saved."""
        began_at = await self.incidents.now()
        reading = await self.services.accounts.reader().incident(incident_id)
        await self.incidents.save_reading(reading, began_at=began_at)
        self.calls()
        return reading.incident

    async def follows(self, channel: str = "C0CHECK", service: str | None = None) -> None:
        """The channel follows everything, or one service."""
        kind = ScopeKind.ALL if service is None else ScopeKind.SERVICE
        target = None
        if service is not None:
            target = next(one for one in await self.directory.services() if one.id == service)
        await self.subscriptions.add(
            Subscription(
                Channel(TEAM, channel),
                kind,
                None if target is None else type(target.policy)(target.id, target.name),
                made_by="U0CAROL",
            )
        )

    def truth(self, incident: RealIncident) -> RealIncident:
        """The incident as PagerDuty has it now."""
        return self.pagerduty.state.incidents[incident.id]


@asynccontextmanager
async def switchboard(
    database_url: str,
    *,
    catalog: Catalog = CATALOG,
    mode: Literal["email", "oauth"] = "email",
    admins: Sequence[str] = ("U0CAROL",),
    subscribers: Sequence[str] = ("everyone",),
    lookups: bool = True,
    trigger: bool = False,
    trigger_in: Sequence[str] = (),
    hourly: int = 5,
    busy_timeout: float = 5.0,
) -> AsyncIterator[Switchboard]:
    """Open it all; closed in reverse. In OAuth mode nobody is linked at first. The rest is as in
    the settings: `lookups`, `trigger`, `trigger_in` and `hourly` for people without a PagerDuty user.
    """
    async with AsyncExitStack() as stack:
        world = acme()
        slack, pagerduty = FakeSlack(world), FakePagerDuty(world)
        slack_api = await slack.start()
        stack.push_async_callback(slack.stop)
        pagerduty_api = await pagerduty.start()
        stack.push_async_callback(pagerduty.stop)
        database = await Database.open(database_url, busy_timeout=busy_timeout)
        stack.push_async_callback(database.close)
        await migrate(database)
        batcher = Batcher(database)
        stack.push_async_callback(batcher.close)
        wake = Wake(database)
        incidents = Incidents(database, batcher, wake)
        slack_session = slack_connection.open_session(2.0)
        stack.push_async_callback(slack_session.close)
        client = Slack(slack_session, SecretStr(slack.bot_token), base_url=slack_api, team_id=TEAM)
        workspaces = Workspaces([client])
        pagerduty_session = pagerduty_http.open_session()
        stack.push_async_callback(pagerduty_session.close)
        http = pagerduty_http.PagerDutyHttp(pagerduty_session, pagerduty_api)
        account = PagerDuty(http, AccountKey(SecretStr(pagerduty.api_key)))
        directory = Directory(account)
        stack.push_async_callback(directory.close)
        await directory.warm()
        counted = Counted()
        subscriptions = Subscriptions(database, wake)
        holder = "switchboard"
        levels = Levels(directory, account)
        sealer = Sealer([Fernet.generate_key().decode()])
        event_keys = EventKeys(database, sealer)
        links = Links(AccountStore(database, sealer), pagerduty)
        members = Members(workspaces)
        accounts: Accounts = AccountsByEmail(members, directory, account)
        if mode == "oauth":
            sign_in = PagerDutyOAuth(
                pagerduty_session,
                identity_url=pagerduty_api,
                client_id="made-up-client",
                client_secret=SecretStr("made-up-secret"),
                redirect_uri="https://pager.example.com/pagerduty/callback",
                scopes=ASKED,
            )
            pagerduty.register_oauth_app("made-up-client", [], "made-up-secret")
            tokens = Tokens(links.store, Leases(database, holder), sign_in)
            stack.push_async_callback(tokens.close)
            accounts = AccountsByLink(members, links.store, tokens, sign_in, account, asked=ASKED)

        def now() -> datetime:
            return datetime.now(UTC)

        reminders = Reminders(
            Notices(database), workspaces, directory, links.offers, accounts.member, clock=now
        )
        services = Services(
            catalog=catalog,
            accounts=accounts,
            permissions=Permissions(workspaces, admins=admins, subscribers=subscribers),
            seats=Seats(accounts, directory, lookups=lookups, trigger=trigger),
            offers=links.offers if mode == "oauth" else None,
            reminders=reminders if mode == "oauth" else None,
            workspaces=workspaces,
            intents=Intents(database, batcher, sealer, holder=holder),
            incidents=incidents,
            subscriptions=subscriptions,
            people=People(database),
            directory=directory,
            names=DirectoryNames(directory, incidents),
            desks=Desks(
                account,
                incidents,
                Audit(database),
                Leases(database, holder),
                levels,
                late_looks=(0.05, 0.1),
                integrations=Integrations(
                    EventsApi(pagerduty_session, pagerduty_api, pauses=(0.01, 0.01)),
                    event_keys,
                    AuditReading(database),
                    channels=trigger_in,
                    hourly=hourly,
                ),
            ),
            pressed=Pressed(Messages(database), workspaces, lambda: wake.notify("delivery")),
            audit=AuditReading(database),
            metrics=counted,
            clock=now,
        )
        runner = Runner(services, TrackedTasks())
        front = SlackFront(
            runner=runner,
            catalog=catalog,
            names=services.names,
            channels=Channels(
                subscriptions, Notices(database), workspaces, hint=lambda: wake.notify("delivery")
            ),
            workspaces=workspaces,
            api_url=slack_api,
        )
        board = Switchboard(
            slack,
            pagerduty,
            database,
            incidents,
            subscriptions,
            directory,
            services,
            runner,
            front,
            counted,
            workspaces,
            links,
            event_keys,
        )
        board.url = await _open_doors(board, stack)
        slack.connect(board.url)
        pagerduty.subscribe_webhook(f"{board.url}/pagerduty/webhook", secret="s" * 20)
        board.calls()
        yield board
        await asyncio.wait_for(runner.tasks.finish(5), 30)


async def _open_doors(board: Switchboard, stack: AsyncExitStack) -> str:
    async def webhook(request: web.Request) -> web.Response:
        await board.incidents.accept(parse(await request.read(), request.headers, board.directory.ranks()))
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post(
        "/slack/events", slack_endpoint(board.front.app, SecretStr(board.slack.signing_secret))
    )
    app.router.add_post("/pagerduty/webhook", webhook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, HOST, 0).start()
    return f"http://{HOST}:{runner.addresses[0][1]}"
