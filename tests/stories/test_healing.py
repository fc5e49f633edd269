"""Nothing reaches the bot, PagerDuty gave up telling it, or is away: the channel is true in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from tests.stories.office import InProcess, Office
from tests.stories.slack_eyes import Place
from tests.stories.waiting import until


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: what is read is saved as everywhere."""
    return sqlite_url


@pytest.fixture
async def shut_in(empty_office: Office) -> AsyncIterator[Office]:
    """An office whose bot nobody can call: a socket to Slack, and PagerDuty's log."""
    office = empty_office
    office.pagerduty.webhooks.set_mode("drop")
    settings = {
        "slack_app_token": SecretStr(office.slack.app_token),
        "slack_signing_secret": None,
        "pagerduty_webhook_secrets": (),
        "follow_seconds": 0.5,
    }
    async with InProcess(office, **settings):
        await until(lambda: office.slack.delivery.sockets.connected, "the bot opened no socket")
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        yield office


async def test_with_no_door_at_all_everything_is_shown_and_acted_on(shut_in: Office) -> None:
    office = shut_in
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("Triggered", "level 1 of 3")
    await message.press("Acknowledge", by="U0ALICE")
    await message.expect("Acknowledged", "Alice Anderson")
    office.pagerduty.act(incident.id, "note", by="PBOB002", text="Cleaning up")
    await until(lambda: any("Cleaning up" in one.words for one in message.thread()), "the note was not told")
    office.pagerduty.act(incident.id, "escalate", by="PBOB002", level=2)
    await until(lambda: any("scalated" in one.words for one in message.thread()), "it was not told")
    office.pagerduty.act(incident.id, "resolve", by="PBOB002")
    await message.expect("Resolved", "Bob Brown")
    assert len([one for one in message.thread() if "Cleaning up" in one.words]) == 1
    assert len(office.checkout.about("Disk full")) >= 1


async def test_a_subscription_that_pagerduty_gave_up_is_switched_on_and_caught_up(
    empty_office: Office,
) -> None:
    office = empty_office
    admins = Place(office.slack, office.slack.workspace.direct_messages("U0CAROL").id)
    async with InProcess(office, watch_seconds=0.5):
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        seen = await office.trigger("Disk full")
        message = await office.checkout.expect_message("Disk full")
        await message.expect("level 1 of 3")
        subscription = office.pagerduty.subscription(office.webhook_subscription)
        office.pagerduty.webhooks.set_mode("drop")
        office.pagerduty.act(seen.id, "resolve", by="PBOB002")
        await office.trigger("Queue stuck")
        office.pagerduty.webhooks.set_mode("deliver")
        office.pagerduty.webhooks.disable(subscription)
        await message.expect("Resolved", "Bob Brown")
        await office.checkout.expect_message("Queue stuck")
        told = await admins.expect_message("switched them on again")
        assert "python -m bot check" in told.words
        assert not subscription.temporarily_disabled


async def test_while_pagerduty_is_away_the_channel_says_as_of_when(empty_office: Office) -> None:
    office = empty_office
    async with InProcess(office, sweep_seconds=0.5, as_of_seconds=1.0):
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        await office.trigger("Disk full")
        message = await office.checkout.expect_message("Disk full")
        await message.expect("level 1 of 3")
        office.pagerduty.outage("down")
        told = await office.checkout.expect_message("as of")
        await message.answers("Acknowledge", "U0ALICE", "Nothing was done")
        office.pagerduty.outage("off")
        await told.expect("answers again")
        assert len(office.checkout.about("PagerDuty")) == 1
        await message.press("Acknowledge", by="U0ALICE")
        await message.expect("Acknowledged", "Alice Anderson")
