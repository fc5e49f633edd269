"""What the bot is sent: signatures, shapes, three seconds to answer, and retries for events only."""

from __future__ import annotations

import pytest

from bot.sandbox.slack import FakeSlack
from tests.sandbox.slack.listening_bot import ListeningBot


async def test_a_slash_command_is_a_signed_form(slack: FakeSlack, bot: ListeningBot) -> None:
    answer = await slack.command("U0ALICE", "C0CHECK", "ack 12 <now> & ask @bob in #search")
    assert (answer.status, answer.failure) == (200, None)
    got = bot.got[0]
    assert got.content_type == "application/x-www-form-urlencoded"
    assert got.payload["command"] == "/pager"
    assert got.payload["text"] == "ack 12 &lt;now&gt; &amp; ask <@U0BOB|bob> in <#C0SEARCH|search>"
    assert (got.payload["user_id"], got.payload["channel_id"]) == ("U0ALICE", "C0CHECK")
    assert got.payload["response_url"].startswith(slack.acting.origin)
    assert "thread_ts" not in got.payload


async def test_the_answer_to_a_command_is_private_unless_it_says_otherwise(
    slack: FakeSlack, bot: ListeningBot
) -> None:
    bot.answer = {"text": "just you"}
    await slack.command("U0ALICE", "C0GENERAL", "list")
    bot.answer = {"text": "everybody", "response_type": "in_channel"}
    await slack.command("U0ALICE", "C0GENERAL", "list")
    bot.answer = "plain words"
    await slack.command("U0ALICE", "C0GENERAL", "list")
    assert [m.text for m in slack.messages("C0GENERAL")] == ["everybody"]
    seen = [m.text for m in slack.messages("C0GENERAL", seen_by="U0ALICE")]
    assert seen == ["just you", "everybody", "plain words"]


async def test_a_failed_command_shows_an_error_to_the_person(slack: FakeSlack, bot: ListeningBot) -> None:
    bot.status = 500
    answer = await slack.command("U0ALICE", "C0CHECK", "list")
    assert answer.failure == "dispatch_failed"
    said = slack.messages("C0CHECK", seen_by="U0ALICE")[-1]
    assert (said.user, said.text) == ("USLACKBOT", '/pager list failed with the error "dispatch_failed"')


async def test_a_bot_that_takes_longer_than_three_seconds_has_failed(
    slack: FakeSlack, bot: ListeningBot
) -> None:
    bot.delay = 20.0
    answer = await slack.command("U0ALICE", "C0CHECK", "list")
    assert answer.failure == "operation_timeout"
    assert 2900 < answer.milliseconds < 1000 * bot.delay
    assert len(bot.got) == 1


async def test_nobody_listening_is_a_failed_dispatch(slack: FakeSlack) -> None:
    assert (await slack.command("U0ALICE", "C0CHECK", "list")).failure == "dispatch_failed"
    slack.connect("http://127.0.0.1:9")
    assert (await slack.command("U0ALICE", "C0CHECK", "list")).failure == "dispatch_failed"


async def test_a_mention_where_the_bot_is_a_member_reaches_it(slack: FakeSlack, bot: ListeningBot) -> None:
    await slack.mention("U0BOB", "C0GENERAL", "hello?")
    assert bot.got == []
    await slack.mention("U0BOB", "C0CHECK", "ack 12")
    event = bot.last["event"]
    assert bot.got[0].content_type == "application/json"
    assert (event["type"], event["text"], event["user"]) == ("app_mention", "<@U0PAGER> ack 12", "U0BOB")
    assert bot.last["event_id"].startswith("Ev")
    assert bot.last["authorizations"][0]["user_id"] == "U0PAGER"


async def test_a_mention_in_a_thread_carries_the_thread(slack: FakeSlack, bot: ListeningBot) -> None:
    await slack.message("U0ALICE", "C0CHECK", "parent")
    parent = slack.messages("C0CHECK")[0].ts
    await slack.mention("U0BOB", "C0CHECK", "ack", thread_ts=parent)
    assert bot.last["event"]["thread_ts"] == parent


async def test_direct_messages_and_home_are_events(slack: FakeSlack, bot: ListeningBot) -> None:
    dm = slack.workspace.direct_messages("U0ALICE")
    await slack.message("U0ALICE", dm.id, "help")
    assert bot.last["event"]["channel_type"] == "im"
    await slack.open_home("U0ALICE")
    assert (bot.last["event"]["type"], bot.last["event"]["tab"]) == ("app_home_opened", "home")


async def test_inviting_removing_and_archiving_are_events(slack: FakeSlack, bot: ListeningBot) -> None:
    await slack.invite("C0GENERAL", by="U0ALICE")
    event = bot.last["event"]
    assert (event["type"], event["user"], event["inviter"]) == ("member_joined_channel", "U0PAGER", "U0ALICE")
    await slack.archive("C0GENERAL")
    assert bot.last["event"]["type"] == "channel_archive"
    await slack.archive("C0GENERAL", undo=True)
    await slack.kick("C0GENERAL")
    assert bot.last["event"]["type"] == "channel_left"
    await slack.kick("G0PRIV")
    assert bot.last["event"]["type"] == "group_left"


async def test_only_subscribed_events_are_sent(slack: FakeSlack, bot: ListeningBot) -> None:
    await slack.message("U0ALICE", "C0CHECK", "hi all")
    assert bot.got == []
    slack.subscribe(["message.channels"])
    await slack.mention("U0ALICE", "C0CHECK", "hi")
    assert [g.payload["event"]["type"] for g in bot.got] == ["message"]


async def test_a_failed_event_comes_again_three_times_with_the_same_id(
    slack: FakeSlack, bot: ListeningBot
) -> None:
    bot.status = 500
    await slack.mention("U0ALICE", "C0CHECK", "ack")
    await bot.wait_for(4)
    assert len({g.payload["event_id"] for g in bot.got}) == 1
    retries = [(g.headers.get("x-slack-retry-num"), g.headers.get("x-slack-retry-reason")) for g in bot.got]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]


async def test_a_bot_may_ask_for_no_retries(slack: FakeSlack, bot: ListeningBot) -> None:
    bot.status, bot.headers = 500, {"X-Slack-No-Retry": "1"}
    await slack.mention("U0ALICE", "C0CHECK", "ack")
    bot.status = 200
    await slack.mention("U0ALICE", "C0CHECK", "second")
    assert len(bot.got) == 2


async def test_repeat_sends_the_same_body_again(slack: FakeSlack, bot: ListeningBot) -> None:
    with pytest.raises(LookupError):
        await slack.repeat()
    await slack.command("U0ALICE", "C0CHECK", "trigger")
    await slack.repeat()
    assert bot.got[0].payload == bot.got[1].payload
    await slack.mention("U0ALICE", "C0CHECK", "ack")
    await slack.repeat("app_mention")
    assert bot.got[2].payload == bot.got[3].payload
    assert bot.got[3].headers["x-slack-retry-num"] == "1"


async def test_the_request_url_is_verified_by_a_challenge(slack: FakeSlack, bot: ListeningBot) -> None:
    await slack.url_verification("abc")
    assert (bot.last["type"], bot.last["challenge"]) == ("url_verification", "abc")


async def test_the_journal_keeps_both_directions_without_tokens(slack: FakeSlack, bot: ListeningBot) -> None:
    await slack.command("U0ALICE", "C0CHECK", "list")
    entry = slack.journal.deliveries("slash_commands")[0]
    assert (entry.status, entry.actor) == (200, "U0ALICE")
    assert slack.bot_token not in str(slack.journal_since())
