"""A game day as an operator has it: an office whose bot runs, a test service, and the verb as a process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.cli.sandbox import variables
from bot.rehearsal.ground import TITLE
from bot.sandbox.pagerduty.state import Incident
from bot.slack.client import Slack
from bot.slack.connection import open_session
from bot.slack.marks import Mark
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.rehearsals import GAME_DAY
from tests.cli.conftest import Outcome, ended, start
from tests.stories.conftest import built
from tests.stories.office import InProcess, Office
from tests.stories.waiting import until

SERVICE = "Search"
LONGEST = 150.0  # seconds: it looks so often that Slack may make it wait for half a minute, and again
PATIENT = 60.0  # seconds: a process has to start first, and then ask both platforms
QUICK: dict[str, Any] = {"gameday_service": SERVICE, "as_of_seconds": 1.0, "sweep_seconds": 5.0}


class GameDays:
    """`bot` runs; the verb gets the settings it has."""

    def __init__(self, office: Office, bot: InProcess, folder: Path, settings: dict[str, Any]) -> None:
        self.office = office
        self.bot = bot
        self.folder = folder
        self.settings = settings
        self.channel = office.checkout.id

    async def begin(self, *words: str, **changed: Any) -> asyncio.subprocess.Process:
        """The verb under way, in the channel that follows the service unless the words name another."""
        named = words if "--channel" in words else ("--channel", self.channel, *words)
        settings = self.office.settings(self.bot.port, **(self.settings | changed))
        return await start(self.folder, "gameday", *named, settings=variables(settings))

    async def run(self, *words: str, **changed: Any) -> Outcome:
        """The verb until it has ended."""
        return await ended(await self.begin("--yes", *words, **changed), within=LONGEST)

    async def report(self, *words: str, **changed: Any) -> tuple[int, dict[str, Any]]:
        """Its exit status and its report, what was told meanwhile left out."""
        outcome = await self.run("--json", *words, **changed)
        assert outcome.out, outcome.err
        found: dict[str, Any] = json.loads(outcome.out)
        return outcome.status, found

    def made(self) -> list[Incident]:
        """Whatever game days have opened."""
        every = self.office.pagerduty.state.incidents.values()
        return [one for one in every if one.title.startswith(TITLE)]

    async def opened(self) -> Incident:
        """The first of them, once its message stands in the channel."""
        about = self.office.checkout.about
        await until(lambda: about(TITLE), "no message stands in the channel", within=PATIENT)
        return self.made()[0]

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator[None]:
        """As if another game day were under way."""
        database = await Database.open(self.office.database_url)
        leases = Leases(database, "somebody else")
        lease = await leases.take(GAME_DAY, 60.0)
        assert lease is not None
        yield
        await leases.release(lease)
        await database.close()

    async def bot_says(self, text: str, mark: Mark) -> None:
        """As the bot's own token says it."""
        async with open_session() as session:
            token = SecretStr(self.office.slack.bot_token)
            slack = Slack(session, token, base_url=self.office.sandbox.slack_api_url)
            await slack.post(self.channel, text, mark=mark)

    async def cleaned(self) -> None:
        """Until nothing of it is open."""
        await until(
            lambda: all(one.status == "resolved" for one in self.made()),
            "something is left open",
            within=PATIENT,
        )


def results(report: dict[str, Any]) -> dict[str, str]:
    """How each thing went."""
    return {str(step["what"]): str(step["result"]) for step in report["steps"]}


def all_came(status: int, report: dict[str, Any]) -> bool:
    """Whether everything was seen and cleaned up. On a busy machine it may be late, and then that is said."""
    found = set(results(report).values())
    return not (
        found - {"ok", "late", "not tried"}
        or report["not_cleaned_up"]
        or report["stopped"]
        or status != int("late" in found)
    )


@asynccontextmanager
async def game_days(database_url: str, folder: Path, **changed: Any) -> AsyncIterator[GameDays]:
    """#checkout follows the test service; `changed` settings are the bot's and the verb's."""
    settings = QUICK | changed
    place = folder / "operator"
    place.mkdir()
    async with built(database_url) as office, InProcess(office, **settings) as bot:
        await office.carol.asks(f"subscribe {SERVICE}", office.checkout, SERVICE)
        yield GameDays(office, bot, place, settings)
