"""The calls of our Slack client, made on the fake Slack."""

from __future__ import annotations

import pytest

from bot.model import SlackUser
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.state import Message
from bot.slack.client import ChannelInfo, Slack
from bot.slack.failures import (
    ChannelClosed,
    MessageGone,
    ScopeMissing,
    UserUnreachable,
    ViewExpired,
)
from bot.slack.marks import Mark
from bot.slack.workspaces import Workspaces

CHANNEL = "C0CHECK"
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Disk full*"}}]


def standing(fake: FakeSlack, channel: str = CHANNEL) -> list[Message]:
    return list(fake.workspace.channels[channel].messages.values())


async def test_the_token_tells_who_we_are(slack: Slack, fake: FakeSlack) -> None:
    identity = await slack.identity()
    assert (identity.team_id, identity.team_name, identity.bot_user_id) == ("T0ACME", "Acme", "U0PAGER")
    assert identity.scopes == frozenset(fake.tokens.scopes)
    assert await slack.who_we_are() is identity


async def test_a_message_lives(slack: Slack, fake: FakeSlack) -> None:
    posted = await slack.post(CHANNEL, "Disk full", BLOCKS, mark=Mark("incident", 7, "Q1"))
    (message,) = standing(fake)
    assert message.ts == posted.ts
    assert message.text == "Disk full"
    assert message.metadata == {
        "event_type": "pagerline_incident",
        "event_payload": {"kind": "incident", "row": 7, "incident": "Q1"},
    }
    await slack.update(CHANNEL, posted.ts, "Resolved")
    assert message.text == "Resolved"
    assert message.blocks == []
    assert message.metadata is not None  # an edit keeps it
    await slack.delete(CHANNEL, posted.ts)
    assert standing(fake) == []
    with pytest.raises(MessageGone):
        await slack.delete(CHANNEL, posted.ts)
    with pytest.raises(MessageGone):
        await slack.update(CHANNEL, posted.ts, "Resolved")


async def test_a_reply_tells_its_thread_unless_the_parent_is_gone(slack: Slack, fake: FakeSlack) -> None:
    parent = await slack.post(CHANNEL, "Disk full")
    reply = await slack.post(CHANNEL, "Reopened", thread_ts=parent.ts, broadcast=True)
    assert parent.thread_ts is None
    assert reply.thread_ts == parent.ts
    assert [message.broadcast for message in standing(fake)] == [False, True]
    await slack.delete(CHANNEL, reply.ts)
    await slack.delete(CHANNEL, parent.ts)
    lost = await slack.post(CHANNEL, "Escalated", thread_ts=parent.ts)
    assert lost.thread_ts is None  # it stands in the channel now


async def test_history_tells_ours_with_their_marks_over_all_pages(slack: Slack, fake: FakeSlack) -> None:
    await fake.message("U0ALICE", CHANNEL, "is it down?")
    mark = Mark("incident", 7, "Q1")
    posted = [await slack.post(CHANNEL, f"{n}", mark=mark if n % 2 else None) for n in range(405)]
    found = await slack.history(CHANNEL, oldest=0.0)
    assert [one.ts for one in found] == [one.ts for one in reversed(posted)]
    assert {one.mark for one in found} == {mark, None}
    middle = posted[200].ts
    assert len(await slack.history(CHANNEL, oldest=float(middle), latest=float(posted[210].ts))) <= 10


async def test_replies_tell_the_lines_of_a_thread(slack: Slack) -> None:
    parent = await slack.post(CHANNEL, "Disk full", mark=Mark("incident", 7, "Q1"))
    line = await slack.post(CHANNEL, "Reopened", thread_ts=parent.ts, mark=Mark("line", 7, "Q1", event=3))
    (found,) = await slack.replies(CHANNEL, parent.ts, oldest=0.0)
    assert (found.ts, found.mark) == (line.ts, Mark("line", 7, "Q1", event=3))
    with pytest.raises(MessageGone):
        await slack.replies(CHANNEL, "1.000001", oldest=0.0)


async def test_history_needs_a_scope_that_may_be_missing(slack: Slack, fake: FakeSlack) -> None:
    fake.history_scope(granted=False)
    with pytest.raises(ScopeMissing) as refused:
        await slack.history(CHANNEL, oldest=0.0)
    assert "history" in refused.value.needed


async def test_one_person_may_be_told_something(slack: Slack, fake: FakeSlack) -> None:
    await slack.ephemeral(CHANNEL, "U0ALICE", "Only you see this")
    (hidden,) = fake.workspace.channels[CHANNEL].ephemerals.values()
    assert hidden.seen_by == "U0ALICE"
    posted = await slack.direct_message("U0ALICE", "Psst")
    assert posted.channel_id.startswith("D")
    with pytest.raises(UserUnreachable):
        await slack.ephemeral(CHANNEL, "U0STRANG2", "Hello?")


async def test_places_the_bot_may_not_write_to(slack: Slack, fake: FakeSlack) -> None:
    for channel in ("C0GENERAL", "C0NOWHERE"):
        with pytest.raises(ChannelClosed):
            await slack.post(channel, "Hello")
    await fake.archive(CHANNEL)
    with pytest.raises(ChannelClosed):
        await slack.post(CHANNEL, "Hello")


async def test_people_are_told_apart(slack: Slack) -> None:
    alice = await slack.profile("U0ALICE")
    assert alice.user == SlackUser("T0ACME", "U0ALICE")
    assert alice.email == "alice@acme.example"
    assert alice.email_confirmed
    assert alice.time_zone == "Europe/Berlin"
    everybody = {profile.user.id: profile for profile in await slack.users()}
    assert everybody["U0ALICE"] == alice
    assert everybody["U0CAROL"].is_admin
    assert everybody["U0GUEST"].is_guest
    assert everybody["U0STRANG"].is_stranger
    assert everybody["U0PAGER"].is_bot
    assert everybody["U0GONE"].is_deleted
    assert await slack.user_by_email("alice@acme.example") == alice
    assert await slack.user_by_email("nobody@acme.example") is None
    with pytest.raises(UserUnreachable):
        await slack.profile("U0NOBODY")


async def test_channels_are_told_apart(slack: Slack) -> None:
    assert await slack.channel(CHANNEL) == ChannelInfo(CHANNEL, "checkout", is_member=True, is_archived=False)
    assert not (await slack.channel("C0GENERAL")).is_member


async def test_a_form_needs_a_fresh_trigger(slack: Slack) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Note"}, "blocks": BLOCKS}
    with pytest.raises(ViewExpired):
        await slack.open_view("1.2.abc", view)
    with pytest.raises(ViewExpired):
        await slack.update_view("V1", view)


async def test_calls_are_counted(slack: Slack, calls: list[tuple[str, str]]) -> None:
    await slack.post(CHANNEL, "Hello")
    with pytest.raises(ChannelClosed):
        await slack.post("C0GENERAL", "Hello")
    assert calls == [("chat.postMessage", "ok"), ("chat.postMessage", "not_in_channel")]


async def test_workspaces_are_found_by_their_team(slack: Slack) -> None:
    workspaces = Workspaces([slack])
    assert workspaces.for_team("T0ACME") is slack
    assert workspaces.for_team("T0OTHER") is None
    assert workspaces.all() == (slack,)
    slack.team_id = ""
    with pytest.raises(ValueError, match="workspace is known"):
        Workspaces([slack])


async def test_nothing_shows_the_token(slack: Slack, fake: FakeSlack) -> None:
    fake.token(dead="token_revoked")
    with pytest.raises(Exception, match="token_revoked") as refused:
        await slack.post(CHANNEL, "Hello")
    for text in (repr(slack), str(refused.value), repr(refused.value), repr(slack._connection)):
        assert fake.bot_token not in text
