"""Channels that close, messages that vanish, tokens that die, limits: told once, mended when it is over."""

from __future__ import annotations

import aiohttp
import pytest

from tests.stories.office import Office, settled
from tests.stories.slack_eyes import Place
from tests.stories.waiting import until_async


def direct(office: Office, user: str) -> Place:
    """The bot's own conversation with somebody."""
    return office.place(office.slack.workspace.direct_messages(user).id)


@pytest.mark.parametrize("how", ["removed", "archived", "removed and nobody told us"])
async def test_a_closed_channel_is_told_to_its_maker_once_and_goes_on_later(office: Office, how: str) -> None:
    first = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    if how == "archived":
        await office.slack.archive("C0CHECK")
    else:
        if "nobody" in how:
            office.slack.subscribe([])
        await office.slack.kick("C0CHECK")
    for title in ("Queue stuck", "Cards fail"):
        await office.trigger(title)
    told = await direct(office, "U0CAROL").expect_message("I can no longer post to <#C0CHECK>")
    assert "Invite me to the channel again" in told.words
    office.pagerduty.act(first.id, "resolve", by="PBOB002")
    office.pagerduty.act(office.find("Cards fail").id, "priority", by="PBOB002", value="PPRIO01")
    await office.carol.asks("subscriptions", office.checkout, "Broken")
    await settled(office)
    assert len(office.checkout.messages()) == 1

    office.slack.subscribe(["member_joined_channel", "channel_unarchive", "app_mention"])
    await (
        office.slack.archive("C0CHECK", undo=True) if how == "archived" else office.slack.invite("C0CHECK")
    )
    for title in ("Queue stuck", "Cards fail"):
        await office.checkout.expect_message(title)
    await message.expect("Resolved", "Bob Brown")
    assert office.checkout.about("Hello") == []
    listed = await office.carol.asks("subscriptions", office.checkout, "Checkout")
    assert "Broken" not in listed.words
    assert len(direct(office, "U0CAROL").about("I can no longer post")) == 1


async def test_a_message_that_somebody_deletes_comes_back_once_and_only_while_open(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    await office.slack.delete_message("C0CHECK", message.ts)
    office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    second = await office.checkout.expect_message("Disk full")
    await second.expect("Acknowledged", "Bob Brown")
    await office.slack.delete_message("C0CHECK", second.ts)
    office.pagerduty.act(incident.id, "priority", by="PBOB002", value="PPRIO01")
    await office.trigger("Queue stuck")
    other = await office.checkout.expect_message("Queue stuck")
    office.pagerduty.act(incident.id, "resolve", by="PBOB002")
    office.pagerduty.act(office.find("Queue stuck").id, "resolve", by="PBOB002")
    await other.expect("Resolved")
    assert office.checkout.about("Disk full") == []


async def test_a_revoked_token_is_said_by_health_and_everything_is_caught_up(office: Office) -> None:
    office.inspection.expects("slack_token_bad")
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    office.slack.token("token_revoked")
    office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    await office.trigger("Queue stuck")
    async with aiohttp.ClientSession() as session:

        async def health() -> dict[str, object]:
            async with session.get(f"{office.bot_url}/health/ready") as answer:
                assert answer.status == 200
                return dict(await answer.json())

        async def degraded() -> bool:
            return (await health())["status"] == "degraded"

        async def ready() -> bool:
            return (await health())["status"] == "ready"

        await until_async(degraded, "health says nothing of the token")
        assert "SLACK_BOT_TOKEN" in str((await health())["problems"])
        office.slack.token(None)
        await until_async(ready, "health still complains")
    await message.expect("Acknowledged", "Bob Brown")
    await office.checkout.expect_message("Queue stuck")


async def test_limits_are_kept_to_and_the_newest_state_arrives(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    office.slack.fault("chat.update", "rate_limit", retry_after=1, count=2)
    before = len(office.slack.journal.calls("chat.update"))
    for rank in ("PPRIO03", "PPRIO02", "PPRIO01"):
        office.pagerduty.act(incident.id, "priority", by="PBOB002", value=rank)
    await message.expect("*P1*")
    assert len(office.slack.journal.calls("chat.update")) - before < 8
    office.slack.fault("chat.postMessage", "rate_limit", retry_after=1, channel="C0CHECK")
    await office.trigger("Queue stuck")
    await office.checkout.expect_message("Queue stuck")
    office.slack.fault("chat.postMessage", "server_error", channel="C0CHECK")
    await office.trigger("Cards fail")
    await office.checkout.expect_message("Cards fail")


async def test_the_first_post_calls_the_assignee_and_edits_call_nobody(office: Office) -> None:
    await office.trigger("Slow graphs", "PSVCCHK", urgency="low")
    low = await office.checkout.expect_message("Slow graphs")
    assert "<@U0ALICE>" not in low.words
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    posted = next(one for one in reversed(office.slack.journal.calls("chat.postMessage")))
    assert "<@U0ALICE>" in str(posted.body["blocks"])
    await message.press("Acknowledge", by="U0BOB")
    await message.expect("Acknowledged", "Bob Brown")
    edits = office.slack.journal.calls("chat.update")
    assert [one for one in edits if "<@U0ALICE>" in str(one.body["blocks"])] == []


async def test_a_form_that_may_not_open_any_more_is_offered_once_again(sqlite_office: Office) -> None:
    office = sqlite_office
    office.slack.fault("views.open", "error", error="expired_trigger_id")
    told = await office.alice.asks("trigger checkout", office.search, "Slack did not let me open the form")
    await told.press("Open the form", by="U0ALICE")
    form = await office.alice.form()
    assert "Checkout" in str(form["blocks"])
    await office.alice.fills(title="Cards fail")
    await office.search.expect_private("U0ALICE", "Cards fail")
    assert office.find("Cards fail").service == "PSVCCHK"


async def test_while_slack_itself_is_in_trouble_nothing_is_done_and_it_is_said(sqlite_office: Office) -> None:
    office = sqlite_office
    incident = await office.trigger("Disk full")
    office.slack.fault("users.info", "server_error", count=1)
    await office.bob.asks(f"ack {incident.number}", office.search, "Try again in a minute")
    assert office.truth(incident).status == "triggered"
    await office.bob.asks(f"ack {incident.number}", office.search, "Acknowledged <")


async def test_an_answer_that_comes_somewhere_else_says_what_it_is_about(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    office.slack.fault("response_url", "server_error", count=3)
    await office.bob.types("note 999999 seen", office.checkout)
    typed = await office.checkout.expect_private("U0BOB", "“note 999999 seen”")
    assert "in <#C0CHECK>" in typed.words

    office.slack.fault("chat.postEphemeral", "server_error")
    await message.press("Acknowledge", by="U0BOB")
    pressed = await direct(office, "U0BOB").expect_message(f"You asked for “ack #{incident.number}”")
    assert "Acknowledged" in pressed.words
    assert "in <#C0CHECK>" in pressed.words
