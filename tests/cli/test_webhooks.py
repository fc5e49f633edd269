"""`python -m bot webhooks`: made, listed, pinged, enabled, rotated, deleted; its secret sealed or shown."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.cli.sealed_secrets import Keeper, open_keeper
from bot.cli.webhooks import Webhooks, act
from bot.errors import StoreUnavailable, UserError
from bot.inbound.pagerduty import PATH
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.http import AccountKey, PagerDutyHttp, open_session
from bot.settings import Settings
from bot.store.database import Database
from bot.store.pings import Pings
from bot.store.sealing import Sealer, new_key
from bot.store.webhook_secrets import WebhookSecrets
from tests.cli.conftest import PUBLIC_URL, Cli, Setup
from tests.store.seeding import opened

KEY = new_key()


class Scene:
    """The verb as a person types it; no bot runs, so that no ping arrives."""

    def __init__(self, setup: Setup, database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.setup, self.capsys = setup, capsys
        self.settings: Settings = setup.settings(DATABASE_URL=database_url, ENCRYPTION_KEYS=KEY)
        self.pagerduty = setup.pagerduty

    async def run(self, what: str, ident: str | None = None, **options: Any) -> tuple[int, str]:
        words = {"id": ident, "service": None, "team": None} | options
        status = await act(self.settings, Namespace(act=what, **words))
        return status, self.capsys.readouterr().out

    async def sealed(self) -> list[str]:
        database = await Database.open(self.settings.database_url.get_secret_value())
        try:
            found = await WebhookSecrets(database, Sealer([KEY])).all()
        finally:
            await database.close()
        return [one.get_secret_value() for one in found]


@pytest.fixture
async def scene(setup: Setup, database_url: str, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Scene]:
    async with opened(database_url):
        yield Scene(setup, database_url, capsys)


async def test_one_is_made_and_its_secret_is_sealed_not_shown(scene: Scene) -> None:
    await scene.run("delete")
    status, out = await scene.run("create")
    assert status == 0
    (made,) = re.findall(r"Made (\w+): account, to " + re.escape(PUBLIC_URL + PATH), out)
    subscription = scene.pagerduty.subscription(made)
    assert await scene.sealed() == subscription.secrets
    assert subscription.secrets[0] not in out
    assert "pagey.ping" not in subscription.events
    assert "incident.workflow.started" in subscription.events
    _, listed = await scene.run("list")
    assert f"{made}  account  on" in listed
    assert "secret sealed here" in listed


async def test_a_second_of_the_same_scope_is_refused(scene: Scene) -> None:
    with pytest.raises(UserError, match=f"{scene.setup.subscription_id} leads to"):
        await scene.run("create")
    status, out = await scene.run("create", service="PSVCCHK")
    assert (status, "service PSVCCHK" in out) == (0, True)
    with pytest.raises(UserError, match=r"Say which: .* lead "):
        await scene.run("ping")
    with pytest.raises(UserError, match="PNOTOURS does not lead here"):
        await scene.run("ping", "PNOTOURS")


async def test_without_a_database_the_secret_is_shown_once(
    setup: Setup, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(setup, sqlite_url, capsys)
    await scene.run("delete")
    status, out = await scene.run("create")
    (made,) = re.findall(r"Made (\w+)", out)
    assert status == 0
    assert f"\n    {scene.pagerduty.subscription(made).secrets[0]}\n" in out
    assert "PAGERDUTY_WEBHOOK_SECRETS" in out
    assert "start the bot once" in out
    assert scene.pagerduty.subscription(made).secrets[0] not in (await scene.run("list"))[1]
    assert "cannot see whether it arrived" in (await scene.run("ping"))[1]


async def test_rotation_keeps_the_old_one_until_a_ping_of_the_new_one_has_arrived(scene: Scene) -> None:
    client_scene = scene.setup
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session())
        settings = scene.settings
        assert settings.pagerduty_api_key is not None
        client = PagerDuty(PagerDutyHttp(session, settings.api_url), AccountKey(settings.pagerduty_api_key))
        database = await Database.open(settings.database_url.get_secret_value())
        stack.push_async_callback(database.close)
        keeper = Keeper(WebhookSecrets(database, Sealer([KEY])), Pings(database, within=0.2))
        webhooks = Webhooks(client, keeper, url=PUBLIC_URL + PATH)
        assert await webhooks.rotate(None) == 1
    out = scene.capsys.readouterr().out
    (made,) = re.findall(r"Made (\w+) beside", out)
    assert f"end the rotation by `webhooks delete {client_scene.subscription_id}`" in out
    assert scene.pagerduty.subscription(client_scene.subscription_id).secrets
    assert await scene.sealed() == scene.pagerduty.subscription(made).secrets
    await scene.run("delete", made)
    assert await scene.sealed() == []


async def test_one_that_pagerduty_has_switched_off_is_switched_on(scene: Scene) -> None:
    subscription = scene.pagerduty.subscription(scene.setup.subscription_id)
    scene.pagerduty.webhooks.disable(subscription)
    assert "switched off by PagerDuty" in (await scene.run("list"))[1]
    assert (await scene.run("enable"))[0] == 0
    assert not subscription.temporarily_disabled


async def test_without_a_key_nothing_is_sealed(scene: Scene) -> None:
    settings = scene.settings.model_copy(update={"encryption_keys": ()})
    async with AsyncExitStack() as stack:
        keeper = await open_keeper(settings, stack)
        if settings.on_sqlite:  # its key lies beside the file
            assert await keeper.ids() == frozenset()
            return
        with pytest.raises(StoreUnavailable, match="ENCRYPTION_KEYS is empty"):
            await keeper.forget("PWS1")


async def test_the_verb_names_what_it_needs(process: Cli) -> None:
    outcome = await process("webhooks", "list", settings={})
    assert outcome.status == 2
    assert "PAGERDUTY_API_KEY is missing" in outcome.err
    assert "PUBLIC_URL is missing" in outcome.err
    assert "SLACK" not in outcome.err.partition("\n\n")[0]
