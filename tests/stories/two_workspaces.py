"""An office with a second workspace on the same Slack: installs, and its own people and places."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from bot.sandbox.labs import TEAM, labs
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.visitor import Visitor
from bot.settings import Settings
from tests.stories.inspection import Inspection
from tests.stories.office import Office
from tests.stories.slack_eyes import Person, Place

INSTALL = "Choose a workspace in Slack"


class TwoOffices(Office):
    """Acme, and Acme Labs, whose ids are the same and mean somebody else (bot/sandbox/labs.py)."""

    def __init__(self, database_url: str, *, people: Literal["email", "oauth"] = "email") -> None:
        super().__init__(database_url, people=people)
        self.labs: FakeSlack = self.slack.add_workspace(labs(self.slack.world))
        self.labs_inspection = Inspection(self.labs, self.pagerduty)
        self.robots = Place(self.labs, "C0CHECK")
        self.lab_bob = Person(self.labs, "U0ALICE")  # Bob, by the id that is Alice's at Acme
        self.lab_dana = Person(self.labs, "U0BOB")  # Dana, by the id that is Bob's at Acme
        self.lab_olive = Person(self.labs, "U0CAROL")  # Olive, by the id that is Carol's at Acme

    def settings(self, port: int, **other: Any) -> Settings:
        """Acme's token stands in them; Labs may install the bot."""
        installs: dict[str, Any] = {
            "slack_client_id": self.slack.tokens.client_id,
            "slack_client_secret": self.slack.tokens.client_secret,
            "slack_workspaces": (TEAM,),
        }
        return super().settings(port, **(installs | other))

    async def install(self, where: str = "Acme Labs", *, bot_url: str = "") -> str:
        """Somebody's walk from the bot's install page through Slack; what the last page says."""
        origin = bot_url or self.bot_url
        self.slack.tokens.redirect_uris.add(f"{origin}/slack/oauth_redirect")
        async with Visitor() as somebody:
            await somebody.opens(f"{origin}/slack/install")
            await somebody.follows(INSTALL)
            await somebody.presses(f"Allow in {where}")
            return f"{somebody.status} {somebody.words}"

    async def invite_to_robots(self) -> None:
        """The bot is invited to Labs' #robots, which has the id of Acme's #checkout."""
        answer = await self.labs.invite("C0CHECK", by="U0CAROL")
        assert answer.status == 200

    async def labs_are_set_up(self) -> None:
        """Installed, invited, following Checkout."""
        assert "200 Pagerline Installed" in await self.install()
        await self.invite_to_robots()
        await self.robots.expect_message("Hello")
        await self.lab_bob.asks("subscribe Checkout", self.robots, "Checkout")


@asynccontextmanager
async def two_offices(
    database_url: str, people: Literal["email", "oauth"] = "email"
) -> AsyncIterator[TwoOffices]:
    """Both workspaces, no bot yet; both inspected after everything has stopped."""
    office = TwoOffices(database_url, people=people)
    office.be_patient()
    with office.inspection.book.open():
        await office.migrate()
        await office.sandbox.start()
        try:
            yield office
        finally:
            await office.close()
    office.inspection.close()
    office.labs_inspection.close()
