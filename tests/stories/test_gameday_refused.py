"""What `gameday` refuses before anything happens, each time with what to do about it."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.cli.gameday_opening import Opened, open_scene
from bot.errors import UserError
from bot.model import Urgency
from bot.rehearsal.ground import TITLE
from bot.sandbox.slack.faults import Fault
from tests.stories.gamedays import GameDays, game_days


@pytest.fixture
async def days(sqlite_url: str, tmp_path: Path) -> AsyncIterator[GameDays]:
    """The database has no part in it."""
    async with game_days(sqlite_url, tmp_path) as days:
        yield days


async def opened(days: GameDays, stack: AsyncExitStack, **changed: Any) -> Opened:
    """What the verb does before it asks. Raises UserError."""
    words = {"scenario": "outage", "person": None, "urgency": "low", "patience": 4.0}
    arguments = Namespace(**(words | {"channel": days.channel} | changed.pop("words", {})))
    settings = days.office.settings(days.bot.port, **(days.settings | changed))
    return await open_scene(settings, arguments, stack, began=time.time(), say=lambda _: None)


async def refused(days: GameDays, **changed: Any) -> str:
    """Why."""
    async with AsyncExitStack() as stack:
        with pytest.raises(UserError) as why:
            await opened(days, stack, **changed)
    return str(why.value)


async def test_without_a_test_service_nothing_is_touched(days: GameDays) -> None:
    outcome = await days.run(gameday_service=None)
    assert outcome.status == 2
    assert "GAMEDAY_SERVICE is missing" in outcome.err
    assert "SLACK" not in outcome.err.partition("\n\n")[0]


async def test_it_asks_before_it_pages_anybody(days: GameDays) -> None:
    process = await days.begin()
    _, told = await process.communicate()
    assert process.returncode == 2
    assert "PagerDuty would call: Bob Brown" in told.decode()
    assert "Nothing was done: say --yes" in told.decode()
    assert not days.made()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"gameday_service": "Nonsense"}, "PagerDuty has no such service"),
        ({"words": {"channel": "C0SEARCH"}}, "`/pager subscribe Search`"),
        ({"words": {"channel": "C0NOWHERE"}}, "`/pager subscribe Search`"),
        ({"words": {"channel": "#checkout"}}, "is no channel id"),
        ({"words": {"channel": "T0OTHER:C0CHECK"}}, "not installed in the workspace T0OTHER"),
        ({"words": {"person": "nobody@acme.example"}}, "name another by --as"),
        ({"admins": ("S0ONCALL",)}, "Say by --as EMAIL"),
    ],
)
async def test_what_is_wrong_is_said_with_what_to_do(
    days: GameDays, changed: dict[str, Any], says: str
) -> None:
    assert says in await refused(days, **changed)


async def test_a_service_with_something_real_on_it_is_no_test_service(days: GameDays) -> None:
    real = await days.office.trigger("Disk full", "PSVCSEA")
    assert f"#{real.number}" in await refused(days)
    days.office.pagerduty.act(real.id, "resolve", by="PBOB002")
    async with AsyncExitStack() as stack:
        assert (await opened(days, stack)).scene.ground.service.id == "PSVCSEA"


async def test_what_an_earlier_run_left_is_not_taken_for_real(days: GameDays) -> None:
    left = await days.office.trigger(f"{TITLE} (1 of 30)", "PSVCSEA")
    async with AsyncExitStack() as stack:
        ground = (await opened(days, stack)).scene.ground
    assert [one.id for one in ground.leftovers] == [left.id]


async def test_a_service_in_maintenance_is_refused(days: GameDays) -> None:
    days.office.pagerduty.state.service_status["PSVCSEA"] = "maintenance"
    assert "in maintenance" in await refused(days)


async def test_a_channel_that_cannot_be_read_is_refused(days: GameDays) -> None:
    days.office.slack.faults.add(Fault("conversations.history", "error", error="missing_scope"))
    assert "add the scope" in await refused(days)


async def test_a_channel_that_hears_only_of_high_urgency_gets_that(days: GameDays) -> None:
    await days.office.carol.asks("subscribe Search high", days.office.search, "high urgency")
    async with AsyncExitStack() as stack:
        found = await opened(days, stack, words={"channel": "C0SEARCH"})
    assert found.scene.ground.urgency is Urgency.HIGH


async def test_without_a_bot_there_is_nothing_to_rehearse(days: GameDays) -> None:
    await days.bot.stop()

    why = await refused(days)
    assert "No bot runs on this database" in why or "test event did not arrive" in why
