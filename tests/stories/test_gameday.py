"""`gameday` against a running bot: each scenario, and what is cleaned up in every ending."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.rehearsal.ground import TITLE
from bot.rehearsal.limited import AT_ONCE
from bot.rehearsal.view import SCRATCH
from bot.sandbox.slack.faults import Fault
from bot.slack.marks import Mark
from tests.cli.conftest import ended
from tests.stories.gamedays import PATIENT, GameDays, all_came, game_days, results
from tests.stories.office import InProcess
from tests.stories.waiting import until, until_async

MANY = 16  # enough for pages, where Slack's pace is kept


@pytest.fixture
async def days(database_url: str, tmp_path: Path) -> AsyncIterator[GameDays]:
    """On each database."""
    async with game_days(database_url, tmp_path) as days:
        yield days


@pytest.fixture
async def sqlite_days(sqlite_url: str, tmp_path: Path) -> AsyncIterator[GameDays]:
    """For what the database has no part in."""
    async with game_days(sqlite_url, tmp_path) as days:
        yield days


async def test_an_outage_is_followed_from_its_alert_to_its_end(days: GameDays) -> None:
    outcome = await days.run("--json")
    report = json.loads(outcome.out)
    assert all_came(outcome.status, report), outcome
    assert list(results(report)) == [
        "an event opens an incident",
        "its message stands in the channel",
        "its level is known",
        "escalated is told in the channel, once",
        "who has it now is shown",
        "acknowledged is shown",
        "a note stands in the thread, once",
        "resolved is shown",
        "one message, equal to PagerDuty",
    ]
    # Who is about to be called is told before anything happens.
    assert "PagerDuty would call: Bob Brown (level 1), Carol Chen (level 2)" in outcome.err
    assert "in the name of Carol Chen" in outcome.err
    (made,) = days.made()
    assert made.status == "resolved"
    assert days.office.pagerduty.api_key not in outcome.out + outcome.err


async def test_low_urgency_is_not_escalated_and_the_report_says_how_to(sqlite_days: GameDays) -> None:
    days = sqlite_days
    await days.office.carol.asks("subscribe Métriques", days.office.checkout, "Métriques")
    status, report = await days.report(gameday_service="PSVCMET")
    assert all_came(status, report), report
    (skipped,) = [one for one in report["steps"] if one["result"] == "not tried"]
    assert "--urgency high" in skipped["detail"]


@pytest.mark.timeout(400)
async def test_a_storm_is_readable_true_and_folded_twice(sqlite_url: str, tmp_path: Path) -> None:
    quick = {"pace_channel_burst": 3, "storm_calm_seconds": 3.0}
    async with game_days(sqlite_url, tmp_path, **quick) as days:
        days.office.slack.limits.enabled = True
        for _ in range(2):  # the second sees the pages of the first, which are not its own
            status, report = await days.report("--scenario", "storm", "--count", str(MANY))
            assert all_came(status, report), report
            assert list(results(report)) == [
                f"{MANY} incidents are opened by REST",
                "every one of them is readable",
                "acknowledged is shown of each",
                "resolved is shown of each",
                "pages, and one summary afterwards",
            ]
            assert "not tried" not in results(report).values()
        assert len(days.made()) == 2 * MANY
        await days.cleaned()


async def test_where_slack_limits_edits_they_come_once_it_takes_them(sqlite_days: GameDays) -> None:
    days, office = sqlite_days, sqlite_days.office
    process = await days.begin("--yes", "--json", "--scenario", "slack-429")
    await days.opened()
    office.slack.faults.add(Fault("chat.update", "rate_limit", count=AT_ONCE + 1, retry_after=2))
    outcome = await ended(process)
    report = json.loads(outcome.out)
    assert all_came(outcome.status, report), report
    (limited,) = [one for one in report["steps"] if one["what"] == "Slack says 429"]
    assert "to wait 2 s" in limited["detail"]
    (shown,) = [one for one in report["steps"] if one["what"] == "acknowledged is shown all the same"]
    assert shown["budget_seconds"] == 17
    assert not office.checkout.about("edited until Slack limits it")


async def test_a_limit_that_never_comes_is_missing_and_proves_nothing(sqlite_days: GameDays) -> None:
    status, report = await sqlite_days.report("--scenario", "slack-429")
    assert status == 1
    assert results(report)["Slack says 429"] == "missing"
    await sqlite_days.cleaned()


async def test_slack_is_not_limited_while_somebody_waits_for_an_edit(sqlite_days: GameDays) -> None:
    await sqlite_days.office.trigger("Disk full", "PSVCLOG")
    outcome = await sqlite_days.run("--scenario", "slack-429")
    assert outcome.status == 2
    assert "1 other incident triggered just now" in outcome.err
    assert not sqlite_days.made()


@pytest.mark.parametrize("replicas", [1, 2])
async def test_while_pagerduty_is_away_the_channel_is_told_and_a_press_answered(
    replicas: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("sqlite_url" if replicas == 1 else "postgresql_url")
    async with AsyncExitStack() as stack:
        days = await stack.enter_async_context(game_days(url, tmp_path))
        if replicas == 2:  # which gets everything from now on, while the other has leases
            await stack.enter_async_context(InProcess(days.office, **days.settings))
        await _away(days)


async def _away(days: GameDays) -> None:
    office = days.office
    elsewhere = await office.trigger("Disk full", "PSVCPAY")
    await office.carol.asks("subscribe Payments API", office.incidents, "Payments API")
    await office.incidents.expect_message("Disk full")
    process = await days.begin("--yes", "--json", "--scenario", "pagerduty-down")
    note = await office.checkout.expect_message("as of", within=PATIENT)
    (message,) = office.checkout.about(TITLE)
    await message.answers("Acknowledge", "U0BOB", "Nothing was done")
    outcome = await ended(process)
    report = json.loads(outcome.out)
    assert all_came(outcome.status, report), outcome
    assert "not tried" not in results(report).values(), report
    (pressed,) = [one for one in report["steps"] if one["what"] == "a press is answered meanwhile"]
    assert pressed["detail"] == "ack: pagerduty_unavailable", pressed
    assert "answers again" in note.text
    # Nobody else noticed anything.
    assert not [one for one in office.incidents.messages() if "as of" in one.text]
    assert office.truth(elsewhere).status == "triggered"


# ------------------------------------------------------------------------------------------- every ending


async def test_told_to_stop_it_cleans_up_and_reports(sqlite_days: GameDays) -> None:
    process = await sqlite_days.begin("--yes", "--json", "--scenario", "storm")
    await sqlite_days.opened()
    process.send_signal(signal.SIGTERM)
    outcome = await ended(process)
    assert outcome.status == 1
    assert json.loads(outcome.out)["stopped"] == "it was told to"
    await sqlite_days.cleaned()


async def test_what_a_killed_run_left_is_cleaned_up_by_the_next(sqlite_days: GameDays) -> None:
    days = sqlite_days
    process = await days.begin("--yes", "--scenario", "pagerduty-down")
    left = await days.opened()
    process.kill()
    await process.communicate()
    await days.bot_says("left behind", Mark(SCRATCH, 0))

    async def again() -> bool:
        outcome = await days.run("--json")
        if "Another game day is under way" in outcome.err:
            return False
        assert all_came(outcome.status, json.loads(outcome.out)), outcome
        return True

    await until_async(again, "no other run was let in", within=PATIENT)
    assert days.office.truth(left).status == "resolved"
    await until(lambda: not days.office.checkout.about("left behind"), "the scratch was left")


async def test_two_do_not_run_at_once(sqlite_days: GameDays) -> None:
    async with sqlite_days.claimed():
        second = await sqlite_days.run()
    assert second.status == 2
    assert "Another game day is under way" in second.err
    assert not sqlite_days.made()


async def test_a_bot_that_dies_is_missing_and_no_hang(sqlite_days: GameDays) -> None:
    process = await sqlite_days.begin("--yes", "--json", "--patience", "1")
    await sqlite_days.opened()
    await sqlite_days.bot.stop()
    outcome = await ended(process)
    report = json.loads(outcome.out)
    assert outcome.status == 1
    assert "Does the bot still run?" in report["stopped"]
    assert "missing" in results(report).values()
    await sqlite_days.cleaned()
