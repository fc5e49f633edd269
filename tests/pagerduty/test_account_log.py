"""The account's log, read again and again: each entry once, whatever the clocks say and whatever fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import PagerDutyUnavailable
from bot.pagerduty.account_log import AccountLog, News
from tests.pagerduty.test_acts import Desk, desk

__all__ = ["desk"]


def told(news: list[News]) -> list[tuple[str, str]]:
    return [(one.entry.kind, one.incident.title) for one in news]


async def test_what_was_before_is_no_news_and_news_is_told_once(desk: Desk) -> None:
    desk.fake.trigger("Checkout", "Old")
    log = AccountLog(desk.reader)
    assert await log.news() == []
    made = desk.fake.trigger("Checkout", "Disk full")
    desk.fake.act(made.id, "acknowledge", by="PBOB002")
    assert told(await log.news()) == [("trigger", "Disk full"), ("acknowledge", "Disk full")]
    assert await log.news() == []
    assert set(desk.calls()) == {"GET /log_entries"}


async def test_where_a_beginning_is_given_it_is_told_from_there(desk: Desk) -> None:
    desk.fake.trigger("Checkout", "Old")
    log = AccountLog(desk.reader, since=datetime.now(UTC) - timedelta(hours=1))
    assert told(await log.news()) == [("trigger", "Old")]
    assert await log.news() == []


@pytest.mark.parametrize("minutes", [-5, 5])
async def test_a_clock_that_is_wrong_loses_nothing(desk: Desk, minutes: int) -> None:
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=minutes)

    desk.reader.http.clock = clock
    log = AccountLog(desk.reader)
    assert await log.news() == []
    desk.fake.trigger("Checkout", "Disk full")
    assert told(await log.news()) == [("trigger", "Disk full")]


async def test_what_could_not_be_read_comes_the_next_time(desk: Desk) -> None:
    log = AccountLog(desk.reader)
    await log.news()
    desk.fake.trigger("Checkout", "Disk full")
    desk.fake.outage("down", paths=["/log_entries"])
    with pytest.raises(PagerDutyUnavailable):
        await log.news()
    desk.fake.outage("off")
    assert told(await log.news()) == [("trigger", "Disk full")]


async def test_teams_narrow_it_at_pagerduty(desk: Desk) -> None:
    log = AccountLog(desk.reader, teams=("PTEAMPY",))
    await log.news()
    desk.fake.trigger("PSVCCHK", "Disk full")
    desk.fake.trigger("PSVCMET", "Slow graphs")
    assert [one.incident.title for one in await log.news()] == ["Disk full"]
