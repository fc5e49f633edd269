"""`check` and the workspaces that installed the bot."""

from __future__ import annotations

from pydantic import SecretStr

from bot.cli.findings import Result
from bot.settings import Settings
from bot.store.database import Database
from bot.store.installs import Install, Installs
from bot.store.schema import migrate
from bot.store.sealing import Sealer, new_key
from tests.cli.conftest import Setup
from tests.cli.test_check import found, only


def with_installs(setup: Setup, **more: str) -> Settings:
    given = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s" * 32, "SLACK_WORKSPACES": "T0LABS"}
    return setup.settings(**(given | more))


async def installed(setup: Setup, token: str, settings: Settings) -> None:
    database = await Database.open(setup.database_url)
    await migrate(database)
    keys = [key.get_secret_value() for key in settings.encryption_keys]
    await Installs(database, Sealer(keys), welcome=()).save(
        Install("T0LABS", "Acme Labs", SecretStr(token), "U0PAGER", "B0PAGER")
    )
    await database.close()


async def test_it_looks_at_every_workspace_that_installed_the_bot(setup: Setup) -> None:
    settings = with_installs(setup, ENCRYPTION_KEYS=new_key())
    await installed(setup, setup.slack.bot_token, settings)
    seen = await found(settings)
    assert "https://pager.example.com/slack/install" in only(seen, "Installs").detail
    assert only(seen, "Workspace T0LABS").result is Result.OK


async def test_an_installed_workspace_whose_token_is_dead_is_told(setup: Setup) -> None:
    settings = with_installs(setup, ENCRYPTION_KEYS=new_key())
    await installed(setup, "xoxb-dead", settings)
    finding = only(await found(settings), "Workspace T0LABS")
    assert finding.result is Result.FAILURE
    assert "Install the app there again" in finding.todo
    assert "xoxb-dead" not in str(finding)


async def test_names_that_nobody_can_use_are_told(setup: Setup) -> None:
    seen = await found(setup.settings(SLACK_WORKSPACES="T0LABS"))
    assert "without SLACK_CLIENT_ID" in only(seen, "Installs").detail


async def test_bare_admins_without_a_workspace_of_their_own_are_told(setup: Setup) -> None:
    seen = await found(with_installs(setup, SLACK_BOT_TOKEN="", ADMINS="U0CAROL,T0LABS:U0CAROL"))
    assert only(seen, "Slack token").result is Result.OK
    assert "T0123ABC:U0456DEF" in only(seen, "Admins").todo


async def test_without_installs_it_says_nothing_of_them(setup: Setup) -> None:
    assert "Installs" not in await found(setup.settings())
