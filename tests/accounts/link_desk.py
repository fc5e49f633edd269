"""Linking on its own: the doors over real HTTP, between both fakes and browsers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp import web
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Row, Table, select, update

from bot.accounts.link_side import LinkSide, build_link_side
from bot.accounts.linking import CALLBACK_PATH, SIGN_IN_PATH, Offer
from bot.accounts.members import Members
from bot.inbound.linking import ROUTES, Door, LinkDoors
from bot.model import Person, SlackUser
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.http import PagerDutyHttp, open_session
from bot.pagerduty.oauth import PagerDutyOAuth
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack import FakeSlack
from bot.sandbox.world import acme
from bot.settings import Settings
from bot.slack.client import Slack
from bot.slack.connection import open_session as open_slack_session
from bot.slack.sign_in import SignIn
from bot.slack.workspaces import Workspaces
from bot.store.accounts import AccountStore
from bot.store.database import Database
from bot.store.people_tables import link_states, link_tickets
from bot.store.sealing import Sealer
from tests.inbound.doors import Handler, serving

TEAM = "T0ACME"
UMA, ALICE, BOB, CAROL = (SlackUser(TEAM, f"U0{name}") for name in ("UMA", "ALICE", "BOB", "CAROL"))
CLIENT, SECRET = "pagerline-test", "the-client-secret"
SCOPES = frozenset({"incidents.read", "incidents.write"})


@dataclass
class KnownAdmins:
    """Who decides, by heart."""

    ids: tuple[str, ...] = (CAROL.id,)

    async def is_admin(self, user: SlackUser) -> bool:
        return user.id in self.ids

    async def admin_ids(self, team_id: str) -> tuple[str, ...]:
        return self.ids if team_id == TEAM else ()


class Forms(HTMLParser):
    """What a page says, and its one form: address, hidden values, buttons by label."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.buttons: dict[str, dict[str, str]] = {}
        self.words: list[str] = []
        self._button: dict[str, str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        elif tag == "input":
            self.hidden[given["name"]] = given["value"]
        elif tag == "button":
            self._button = {given["name"]: given["value"]} if "name" in given else {}

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self.buttons[data] = self._button
            self._button = None
        self.words.append(data)


@dataclass
class Page:
    """One answer, not yet followed."""

    url: str
    status: int
    headers: Any
    html: str

    @property
    def said(self) -> str:
        """All words, without the stylesheet."""
        return " ".join(Forms(self.html.partition("</style>")[2]).words)

    @property
    def goes_to(self) -> str:
        return urljoin(self.url, str(self.headers.get("Location", "")))

    @property
    def form(self) -> Forms:
        return Forms(self.html)


class Browser:
    """Keeps cookies; follows nothing by itself."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, url: str) -> Page:
        async with self._session.get(url, allow_redirects=False) as answer:
            return Page(str(answer.url), answer.status, answer.headers, await answer.text())

    async def post(self, url: str, fields: dict[str, str]) -> Page:
        async with self._session.post(url, data=fields, allow_redirects=False) as answer:
            return Page(str(answer.url), answer.status, answer.headers, await answer.text())

    async def press(self, page: Page, label: str) -> Page:
        """A button of the page's form."""
        form = page.form
        return await self.post(urljoin(page.url, form.action), form.hidden | form.buttons[label])

    async def allow(self, address: str, who: SlackUser, decision: str = "allow") -> Page:
        """What somebody presses on PagerDuty's or Slack's own page; where that sends them comes back."""
        return await self.post(address, {"decision": decision, "user": who.id})

    async def consent(self, offer: Offer, who: SlackUser) -> Page:
        """From the Link button to the page with both names, `who` being signed in at PagerDuty."""
        asked = await self.get(offer.url)
        to_pagerduty = await self.press(asked, "Continue to PagerDuty")
        back = await self.allow(to_pagerduty.goes_to, who)
        returned = await self.get(back.goes_to)
        return await self.get(returned.goes_to) if returned.status == 303 else returned

    async def confirm(self, page: Page, label: str = "Link them") -> Page:
        """The press, and the page after it."""
        pressed = await self.press(page, label)
        return await self.get(pressed.goes_to) if pressed.status == 303 else pressed


@dataclass
class Desk:
    """Everything around the doors. `linked` is what the rest of the bot was told."""

    origin: str
    accounts: AccountStore
    database: Database
    slack: FakeSlack
    pagerduty: FakePagerDuty
    admins: KnownAdmins
    workspaces: Workspaces
    stack: AsyncExitStack
    side: LinkSide = field(init=False)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    linked: list[tuple[SlackUser, Person]] = field(default_factory=list)

    async def browser(self) -> Browser:
        jar = aiohttp.CookieJar(unsafe=True)  # it is spoken to by its address
        return Browser(await self.stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar)))

    async def offer(self, user: SlackUser = UMA) -> Offer:
        return await self.side.linking.offer(user)

    async def settled(self) -> None:
        """Until what goes on beside the requests is done."""
        while self.tasks:
            await self.tasks.pop()

    async def linked_person(self, user: SlackUser = UMA) -> str | None:
        account = await self.accounts.living(user)
        return account.person.id if account else None

    async def rows(self, table: Table) -> list[Row[Any]]:
        async with self.database.read() as connection:
            return list((await connection.execute(select(table))).all())

    async def age(self, seconds: float) -> None:
        """All tickets and states are that much older."""
        async with self.database.write() as connection:
            for table in (link_tickets, link_states):
                await connection.execute(update(table).values(expires_at=table.c.expires_at - seconds))

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))

    async def on_linked(self, user: SlackUser, person: Person) -> None:
        self.linked.append((user, person))

    async def private_reply(self, user: SlackUser) -> str:
        """Shows this person a message, and gives the reply address that a press on it would bring."""
        channel = self.slack.workspace.channel("C0CHECK")
        known = set(channel.ephemerals)
        slack = self.workspaces.for_team(TEAM)
        assert slack is not None
        await slack.ephemeral(channel.id, user.id, "Link first.")
        (ts,) = set(channel.ephemerals) - known
        acting = self.slack.acting
        return acting.url_of(acting.tickets.response_url(user.id, channel.id, message=ts, ephemeral=True))

    def private_messages(self, user: SlackUser) -> list[str]:
        """What the bot wrote this person in their own conversation."""
        workspace = self.slack.workspace
        return [
            message.text
            for channel in workspace.channels.values()
            if channel.id.startswith("D") and user.id in channel.members
            for message in channel.messages.values()
        ]


@asynccontextmanager
async def linking_desk(
    database_url: str, *, sign_in: bool = False, app: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Desk]:
    """Open it all. `settings` are the bot's; `sign_in` sets Sign in with Slack up, `app` says how the app is
    registered at PagerDuty.
    """
    slack, pagerduty, admins = FakeSlack(acme(), speed=100), FakePagerDuty(acme(), speed=100), KnownAdmins()
    async with AsyncExitStack() as stack:
        slack_api = await slack.start()
        stack.push_async_callback(slack.stop)
        pagerduty_url = await pagerduty.start()
        stack.push_async_callback(pagerduty.stop)
        database = await Database.open(database_url)
        stack.push_async_callback(database.close)
        slack_session = await stack.enter_async_context(open_slack_session(2.0))
        session = await stack.enter_async_context(open_session())
        opened: list[LinkDoors] = []

        def behind(door: Door) -> Handler:
            async def answer(request: web.Request) -> web.StreamResponse:
                return await door(opened[0])(request)

            return answer

        origin = await stack.enter_async_context(
            serving(*((method, path, behind(door)) for method, path, door in ROUTES))
        )
        values = Settings(public_url=origin, **settings)
        registered = {"client_secret": SECRET, **(app or {})}
        pagerduty.register_oauth_app(CLIENT, [origin + CALLBACK_PATH], **registered)
        slack.tokens.redirect_uris.add(origin + SIGN_IN_PATH)
        client = Slack(slack_session, SecretStr(slack.bot_token), base_url=slack_api, team_id=TEAM)
        workspaces = Workspaces([client])
        sealer = Sealer([Fernet.generate_key().decode()])
        accounts = AccountStore(database, sealer)
        wire = PagerDutyHttp(session, pagerduty_url)
        desk = Desk(origin, accounts, database, slack, pagerduty, admins, workspaces, stack)
        desk.side = build_link_side(
            values,
            database=database,
            sealer=sealer,
            accounts=accounts,
            oauth=PagerDutyOAuth(
                session,
                identity_url=pagerduty_url,
                client_id=CLIENT,
                client_secret=SecretStr(SECRET),
                redirect_uri=origin + CALLBACK_PATH,
                kind=values.pagerduty_oauth,
                scopes=SCOPES,
            ),
            reader=PagerDuty(wire, AccountKey(SecretStr(pagerduty.api_key))),
            members=Members(workspaces),
            workspaces=workspaces,
            admins=admins,
            sign_in=SignIn(
                slack_session,
                base_url=slack_api,
                client_id=slack.tokens.client_id,
                client_secret=SecretStr(slack.tokens.client_secret),
                redirect_uri=origin + SIGN_IN_PATH,
            )
            if sign_in
            else None,
            start=desk.start,
            on_linked=desk.on_linked,
        )
        opened.append(LinkDoors(desk.side, public_url=origin, slash="/pager"))
        yield desk
        await desk.settled()
