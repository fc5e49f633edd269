"""The office of a story: both fakes, a bot in this process or in its own, and the people at their desks."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import aiohttp
from aiohttp import web
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.app import build_app
from bot.cli.sandbox import variables
from bot.cli.settings import secrets_of
from bot.sandbox.linking import link
from bot.sandbox.pagerduty.state import Incident
from bot.sandbox.server import Sandbox
from bot.settings import Settings
from bot.store.database import Database
from bot.store.schema import migrate
from commands import CATALOG
from tests.ports import Ports
from tests.stories.inspection import Inspection
from tests.stories.slack_eyes import Person, Place
from tests.stories.waiting import PATIENCE, until, until_async

HOST = "127.0.0.1"
SLACK_WAITS = 20.0  # seconds; 3 in truth
SPEED = 20  # PagerDuty's time, in which escalations and late webhooks are waited for
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def door(port: int) -> str:
    """The origin of the bot on this port."""
    return f"http://{HOST}:{port}"


class Office:
    """Fakes, people and places. The bots are opened and closed by the story's fixtures.

    `people`: how the bot knows who somebody is at PagerDuty, by `email` or by linking (`oauth`).
    """

    def __init__(self, database_url: str, *, people: Literal["email", "oauth"] = "email") -> None:
        self.people = people
        self.sandbox = Sandbox(speed=SPEED)
        self.slack = self.sandbox.slack
        self.pagerduty = self.sandbox.pagerduty
        self.inspection = Inspection(self.slack, self.pagerduty)
        self.database_url = database_url
        self.ports = Ports()
        self.processes: list[OwnProcess] = []
        self.bot_url = ""
        self.keys = Fernet.generate_key().decode()
        self.checkout = Place(self.slack, "C0CHECK")
        self.search = Place(self.slack, "C0SEARCH")
        self.incidents = Place(self.slack, "C0INCID")
        self.alice = Person(self.slack, "U0ALICE")
        self.bob = Person(self.slack, "U0BOB")
        self.carol = Person(self.slack, "U0CAROL")
        self.dana = Person(self.slack, "U0DANA")
        self.gus = Person(self.slack, "U0GUEST")
        self.olive = Person(self.slack, "U0OLIVE")
        self.uma = Person(self.slack, "U0UMA")

    def be_patient(self) -> None:
        """Slack waits longer than it does, for a busy machine; how quick a bot is, the bench measures."""
        for one in self.slack.all:
            one.delivery.answer_seconds = one.tickets.trigger_seconds = SLACK_WAITS

    async def close(self) -> None:
        """Ends everything, the bots of a story that failed too."""
        for bot in self.processes:
            await bot.kill()
        await self.sandbox.stop()
        self.ports.close()

    def settings(self, port: int, **other: Any) -> Settings:
        """What a bot of this office needs; short periods, so that a story is not a wait."""
        values: dict[str, Any] = {
            "slack_bot_token": SecretStr(self.slack.bot_token),
            "slack_signing_secret": SecretStr(self.slack.signing_secret),
            "slack_api_url": self.sandbox.slack_api_url,
            "pagerduty_api_key": SecretStr(self.pagerduty.api_key),
            "pagerduty_api_url": self.sandbox.pagerduty_url,
            "pagerduty_events_url": self.sandbox.pagerduty_url,
            "pagerduty_identity_url": self.sandbox.pagerduty_url,
            "pagerduty_webhook_secrets": (self.sandbox.webhook_secret,),
            "public_url": door(port),
            "port": port,
            "database_url": SecretStr(self.database_url),
            "encryption_keys": (SecretStr(self.keys),),
            "admins": ("U0CAROL",),
            "remind_unlinked": False,  # it goes by the time of day where people are
            "poll_seconds": 0.2,
            "slack_call_seconds": 4.0,  # also at the start, and on a busy machine
            "lease_seconds": 8.0,
            "look_up_seconds": 1.0,
            "pace_channel_burst": 50,
            "shutdown_seconds": 3.0,
        }
        if self.people == "oauth":
            values["pagerduty_client_id"] = self.sandbox.oauth_client_id
            values["pagerduty_client_secret"] = SecretStr(self.sandbox.oauth_client_secret)
        return Settings(**(values | other))

    async def migrate(self) -> None:
        """What `python -m bot migrate` does: PostgreSQL's schema is not made by `run`."""
        database = await Database.open(self.database_url)
        try:
            await migrate(database)
        finally:
            await database.close()

    def connect(self, port: int) -> None:
        """What Slack and PagerDuty send goes to the bot on this port from now on."""
        self.bot_url = door(port)
        self.sandbox.connect(self.bot_url)

    @property
    def webhook_subscription(self) -> str:
        """The id of PagerDuty's subscription for the bot."""
        (exchange,) = [one for one in self.pagerduty.journal if one.direction == "out"][-1:]
        return exchange.headers["x-webhook-subscription"]

    async def links(self, *people: Person) -> None:
        """Each of them asks for a link and agrees to everything, in a browser of their own."""
        for person in people:
            await link(self.slack, person.id)

    def tokens(self) -> list[str]:
        """Every token of PagerDuty's that works now."""
        return [*self.pagerduty.access.tokens(), *self.pagerduty.oauth.tokens()]

    async def trigger(self, title: str, service: str = "PSVCCHK", **more: Any) -> Incident:
        """Something breaks."""
        return self.pagerduty.trigger(service, title, **more)

    def place(self, channel: str) -> Place:
        """Any other channel."""
        return Place(self.slack, channel)

    def find(self, title: str) -> Incident:
        """The incident with this title, as PagerDuty has it."""
        return next(one for one in self.pagerduty.state.incidents.values() if one.title == title)

    def truth(self, incident: Incident) -> Incident:
        """The incident as PagerDuty has it now."""
        return self.pagerduty.state.incidents[incident.id]


class InProcess:
    """A bot in this process: quick to start, quick to stop."""

    def __init__(self, office: Office, **settings: Any) -> None:
        self._office = office
        self._more = settings
        self.port = office.ports.take()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        settings = self._office.settings(self.port, **self._more)
        self._runner = web.AppRunner(build_app(settings, CATALOG), access_log=None, shutdown_timeout=5)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port).start()
        self._office.inspection.absences.returns(door(self.port))
        self._office.connect(self.port)

    async def stop(self) -> None:
        if self._runner is not None:
            self._office.inspection.absences.leaves(door(self.port))
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, failed: object, *_: object) -> None:
        try:
            if failed is None:
                await self._office.inspection.before_the_bot_stops()
        finally:
            await self.stop()


class Running(Protocol):
    """A process, however it was begun."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def send_signal(self, signal: int) -> None: ...
    def kill(self) -> None: ...
    def terminate(self) -> None: ...
    async def wait(self) -> int: ...


class OwnProcess:
    """`python -m bot run` as people run it; can be killed, frozen and started again; ended by its pid."""

    def __init__(self, office: Office, folder: Path, *, port: int | None = None, **settings: Any) -> None:
        self._office = office
        self._absences = office.inspection.absences
        self._folder = folder
        self._more = settings
        self.port = port or office.ports.take()
        self.process: Running | None = None
        self.log = folder / f"bot-{self.port}-{secrets.token_hex(3)}.log"
        self.log.touch()
        office.inspection.logs.append(self.log)
        office.processes.append(self)

    def _environment(self) -> dict[str, str]:
        values = variables(self._office.settings(self.port, **self._more))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | values | {"PYTHONPATH": str(ROOT), "LOG_FORMAT": "json"}

    async def _launch(self) -> Running:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run"),
                cwd=self._folder,
                env=self._environment(),
                stdout=log,
                stderr=log,
            )

    async def start(self, *, within: float = PATIENCE) -> None:
        """Until it says that it is ready, at most so many seconds."""
        self.process = await self._launch()
        async with aiohttp.ClientSession() as session:

            async def ready() -> bool:
                assert self.process is not None
                assert self.process.returncode is None, f"the bot ended: {self.log.read_text()[-2000:]}"
                try:
                    async with session.get(f"{door(self.port)}/health/ready") as answer:
                        return answer.status == 200
                except aiohttp.ClientError:
                    return False

            await until_async(ready, "the bot did not become ready", within=within)
        self._absences.returns(door(self.port))

    def connect(self) -> None:
        """From now on this bot gets what Slack and PagerDuty send."""
        self._office.connect(self.port)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        if number == signal.SIGSTOP:
            self._absences.leaves(door(self.port))
        self.process.send_signal(number)
        if number == signal.SIGCONT:
            self._absences.returns(door(self.port))

    async def kill(self) -> None:
        """No farewell: kill -9."""
        if self.process is not None and self.process.returncode is None:
            self._absences.leaves(door(self.port))
            self.process.kill()
            await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM, and its exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self._absences.leaves(door(self.port))
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), PATIENCE)
        return self.process.returncode or 0

    def secrets(self) -> list[str]:
        """What must stand in no log."""
        return secrets_of(self._office.settings(self.port))


async def settled(office: Office) -> None:
    """Until every webhook of PagerDuty has been delivered."""
    await until(lambda: not office.pagerduty.webhooks.waiting(), "webhooks are still waiting")
