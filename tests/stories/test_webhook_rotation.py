"""A webhook made, used and rotated by the command line while the bot runs: no secret is copied by hand."""

from __future__ import annotations

from argparse import Namespace

import pytest

from bot.cli import check
from bot.cli.findings import Finding, Result
from bot.cli.probe_circle import WHAT
from bot.cli.webhooks import act
from tests.stories.office import InProcess, Office, settled


async def test_a_webhook_is_made_and_rotated_beside_a_running_bot(
    empty_office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office = empty_office
    async with InProcess(office, pagerduty_webhook_secrets=("sealed",)) as bot:
        settings = office.settings(bot.port, pagerduty_webhook_secrets=("sealed",))

        async def webhooks(what: str) -> int:
            return await act(settings, Namespace(act=what, id=None, service=None, team=None))

        async def circle() -> Finding:
            (finding,) = [one async for one in check.look(settings) if one.what == WHAT]
            return finding

        # Signed with a secret the bot does not have: the test event is not taken.
        assert (await circle()).result is Result.FAILURE
        await webhooks("delete")
        assert await webhooks("create") == 0
        assert await webhooks("ping") == 0
        assert (await circle()).result is Result.OK
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        incident = await office.trigger("Disk full")
        message = await office.checkout.expect_message("Disk full")
        first = office.webhook_subscription

        assert await webhooks("rotate") == 0
        out = capsys.readouterr().out
        assert "a ping went all the way round" in out
        assert f"Deleted {first}." in out
        office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
        await message.expect("Acknowledged", "Bob Brown")
        await settled(office)
        assert office.webhook_subscription != first
        assert not any(one.status == 401 for one in office.pagerduty.journal if one.direction == "out")
