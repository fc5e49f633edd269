"""The bot is invited, removed, archived and brought back."""

from __future__ import annotations

from bot.model import Channel
from tests.command.switchboard import TEAM, Switchboard
from tests.stories.slack_eyes import Place


async def test_invited_it_greets_once_with_a_way_to_subscribe(board: Switchboard) -> None:
    await board.slack.invite("C0GENERAL")
    await board.settle()
    await board.slack.repeat()
    await board.settle()
    (greeting,) = Place(board.slack, "C0GENERAL").messages()
    assert "Subscribe this channel" in greeting.buttons
    await greeting.press("Subscribe this channel", by="U0BOB")
    form = await board.bob.form()
    assert [block["block_id"] for block in form["blocks"]] == ["scope", "urgency", "priorities", "mentions"]
    view = board.slack.views.top("U0BOB")
    assert view is not None
    await board.slack.options("U0BOB", "field:scope", "", view=view.id)
    await board.bob.fills(scope="all")
    await board.settle()
    (one,) = await board.subscriptions.of_channel(Channel(TEAM, "C0GENERAL"))
    assert one.kind.value == "all"


async def test_others_who_join_are_not_greeted(board: Switchboard) -> None:
    await board.slack.kick("C0CHECK", "U0DANA")
    await board.slack.invite("C0CHECK", "U0DANA")
    await board.settle()
    assert board.checkout.messages() == []


async def test_removed_its_maker_is_told_once_and_invited_back_it_goes_on(board: Switchboard) -> None:
    await board.types("subscribe checkout", by="U0BOB")
    await board.slack.kick("C0CHECK")
    await board.settle()
    await board.slack.repeat()
    await board.settle()
    told = list(board.slack.workspace.direct_messages("U0BOB").messages.values())
    assert ["can no longer post" in one.text for one in told] == [True]
    (one,) = await board.subscriptions.of_channel(Channel(TEAM, "C0CHECK"))
    assert one.broken_since is not None
    await board.slack.invite("C0CHECK")
    await board.settle()
    (one,) = await board.subscriptions.of_channel(Channel(TEAM, "C0CHECK"))
    assert one.broken_since is None
    assert board.checkout.about("Hello") == []  # an old acquaintance needs no greeting


async def test_archived_and_brought_back(board: Switchboard) -> None:
    await board.types("subscribe checkout")
    await board.slack.archive("C0CHECK")
    await board.settle()
    (one,) = await board.subscriptions.of_channel(Channel(TEAM, "C0CHECK"))
    assert one.broken_since is not None
    await board.slack.archive("C0CHECK", undo=True)
    await board.settle()
    (one,) = await board.subscriptions.of_channel(Channel(TEAM, "C0CHECK"))
    assert one.broken_since is None
