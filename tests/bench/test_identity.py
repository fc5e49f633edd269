"""The bench's own view of who acts: one call to learn it, none while it is known."""

from __future__ import annotations

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack import FakeSlack
from bot.sandbox.world import acme
from tests.bench.identity import identity_on
from tests.bench.processes import World


async def test_nobody_is_called_while_it_is_warm(database_url: str) -> None:
    slack, pagerduty = FakeSlack(acme()), FakePagerDuty(acme())
    around_it = World(await slack.start(), slack.bot_token, "", await pagerduty.start(), "", "")
    async with identity_on(database_url, around_it) as one:
        await one.act()
        assert one.calls == 1  # the profile
        for _ in range(20):
            await one.act()
        assert one.calls == 1
    await slack.stop()
    await pagerduty.stop()
