"""`subscribe`, `unsubscribe`, `subscriptions`: what a channel follows."""

from __future__ import annotations

from bot.model import Channel, Subscription, Urgency
from tests.command.switchboard import TEAM, Switchboard

HERE = Channel(TEAM, "C0CHECK")


async def followed(board: Switchboard) -> list[Subscription]:
    return await board.subscriptions.of_channel(HERE)


async def rows(board: Switchboard) -> list[str]:
    """The incidents that will have a message here."""
    return [one.title for one in await board.incidents.open_in(HERE)]


async def test_following_a_service_shows_what_is_open(board: Switchboard) -> None:
    board.pagerduty.trigger("PSVCCHK", "Disk full")
    board.pagerduty.trigger("PSVCSEA", "No results")
    said = await board.types("subscribe checkout")
    assert "This channel follows Checkout" in said
    assert "1 open incident appears now" in said
    (one,) = await followed(board)
    assert (one.kind, one.target and one.target.id, one.made_by) == ("service", "PSVCCHK", "U0ALICE")
    assert await rows(board) == ["Disk full"]


async def test_filters_are_kept(board: Switchboard) -> None:
    await board.types("subscribe all high P1,P2")
    (one,) = await followed(board)
    assert (one.kind.value, one.target) == ("all", None)
    assert (one.urgencies, one.priorities) == (frozenset({Urgency.HIGH}), frozenset({"P1", "P2"}))


async def test_quiet_mentions_nobody(board: Switchboard) -> None:
    assert "mentioning nobody" in await board.types("subscribe checkout quiet")
    (one,) = await followed(board)
    assert not one.mention
    await board.types("subscribe checkout")
    (one,) = await followed(board)
    assert one.mention


async def test_the_same_again_changes_nothing(board: Switchboard) -> None:
    await board.types("subscribe checkout")
    assert "already follows" in await board.types("subscribe checkout", by="U0BOB")
    assert len(await followed(board)) == 1
    await board.types("subscribe checkout high")
    (one,) = await followed(board)
    assert one.urgencies == {"high"}


async def test_several_rules_never_give_two_messages(board: Switchboard) -> None:
    await board.types("subscribe checkout")
    await board.types("subscribe team payments")
    await board.types("subscribe all")
    board.pagerduty.trigger("PSVCCHK", "Disk full")
    incident = await board.breaks("Cards fail")
    assert incident.title in await rows(board)
    async with board.database.read() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM messages GROUP BY incident_id")
        assert set(found.scalars()) == {1}


async def test_before_a_flood_it_asks(board: Switchboard) -> None:
    board.pagerduty.storm(25, ["PSVCMET"])
    urgent = board.pagerduty.trigger("PSVCMET", "Worst of all", urgency="high")
    said = await board.types("subscribe metriques")
    assert "26 incidents" in said
    assert await followed(board) == []
    question = board.newest()
    assert question.buttons == ["Only new ones", "P1 and high urgency (1)", "All 26"]
    await question.press("P1 and high urgency (1)", by="U0ALICE")
    await board.settle()
    assert await rows(board) == [urgent.title]
    assert len(await followed(board)) == 1


async def test_the_flood_may_be_wanted(board: Switchboard) -> None:
    board.pagerduty.storm(25, ["PSVCMET"])
    await board.types("subscribe metriques low")
    await board.newest().press("All 25", by="U0ALICE")
    await board.settle()
    assert len(await rows(board)) == 25
    (one,) = await followed(board)
    assert one.urgencies == {"low"}


async def test_or_only_what_is_new(board: Switchboard) -> None:
    board.pagerduty.storm(25, ["PSVCMET"])
    await board.types("subscribe metriques")
    await board.newest().press("Only new ones", by="U0ALICE")
    await board.settle()
    assert await rows(board) == []
    await board.breaks("And another", "PSVCMET")
    assert await rows(board) == ["And another"]


async def test_without_a_name_a_form_asks(board: Switchboard) -> None:
    await board.types("subscribe", by="U0BOB")
    view_id = (await board.bob.form()) and board.slack.views.top("U0BOB")
    assert view_id
    offered = await board.slack.options("U0BOB", "field:scope", "pay", view=view_id.id)
    assert [one["value"] for one in offered.body["options"]] == ["service PSVCPAY", "team PTEAMPY"]
    everything = await board.slack.options("U0BOB", "field:scope", "", view=view_id.id)
    assert "all" in [one["value"] for one in everything.body["options"]]
    await board.bob.fills(scope="team PTEAMPY", urgency="high", priorities="P1 p2")
    await board.settle()
    (one,) = await followed(board)
    assert (one.kind.value, one.priorities) == ("team", frozenset({"P1", "P2"}))


async def test_priorities_the_account_does_not_have_are_said(board: Switchboard) -> None:
    assert "not “P9”" in await board.types("subscribe checkout P9")
    await board.types("subscribe")
    view = board.slack.views.top("U0ALICE")
    assert view is not None
    await board.slack.options("U0ALICE", "field:scope", "", view=view.id)
    await board.slack.submit("U0ALICE", view.id, {"scope": "all", "priorities": "P9"})
    await board.settle()
    assert await followed(board) == []
    assert "P1" in board.newest().text


async def test_only_channels_follow(board: Switchboard) -> None:
    direct = board.slack.workspace.direct_messages("U0ALICE").id
    said = await board.types("subscribe checkout", channel=direct)
    assert "in channels" in said


async def test_a_channel_the_bot_cannot_see_is_not_followed(board: Switchboard) -> None:
    said = await board.types("subscribe checkout", channel="C0GENERAL")
    assert "I am not in this channel" in said
    await board.slack.archive("C0SEARCH")
    assert "archived" in await board.types("subscribe search", channel="C0SEARCH")
    assert await board.subscriptions.all() == []


async def test_unfollowing_and_back(board: Switchboard) -> None:
    await board.types("subscribe checkout high")
    await board.types("subscribe all")
    said = await board.types("unsubscribe checkout")
    assert "no longer follows Checkout" in said
    assert [one.kind for one in await followed(board)] == ["all"]
    await board.newest().press("Subscribe again", by="U0ALICE")
    await board.settle()
    assert {(one.kind, tuple(one.urgencies)) for one in await followed(board)} == {
        ("all", ()),
        ("service", ("high",)),
    }
    assert "does not follow “search”" in await board.types("unsubscribe search")


async def test_the_list_has_a_way_out_of_each(board: Switchboard) -> None:
    assert "follows nothing yet" in await board.types("subscriptions")
    assert board.newest().buttons == ["Subscribe this channel"]
    await board.types("subscribe team payments")
    assert "Payments" in await board.types("subscriptions")
    await board.newest().press("Unsubscribe", by="U0ALICE")
    await board.settle()
    assert await followed(board) == []
    assert "nothing to stop" in await board.types("unsubscribe all")


async def test_subscribing_again_is_as_quiet_as_before(board: Switchboard) -> None:
    await board.types("subscribe checkout high P1 quiet")
    before = await followed(board)
    await board.types("unsubscribe checkout")
    assert await followed(board) == []
    await board.newest().press("Subscribe again", by="U0ALICE")
    await board.settle()
    (again,) = await followed(board)
    assert not again.mention
    assert [(one.target, one.urgencies, one.priorities) for one in before] == [
        (again.target, again.urgencies, again.priorities)
    ]
