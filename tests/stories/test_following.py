"""Channels follow what they care about: greeted, asked before a flood, never told twice."""

from __future__ import annotations

import pytest

from tests.stories.office import Office, settled
from tests.stories.waiting import until


async def test_an_invited_bot_greets_and_is_set_up_with_one_press(office: Office) -> None:
    general = office.place("C0GENERAL")
    await office.slack.invite("C0GENERAL")
    hello = await general.expect_message("Hello")
    assert hello.buttons == ["Subscribe this channel", "Help"]
    await hello.press("Subscribe this channel", by="U0ALICE")
    await office.alice.form()
    assert "Search" in await office.alice.is_offered("field:scope", "sea")
    await office.alice.fills(scope="service PSVCSEA", urgency="high", priorities="P1 p2")
    await general.expect_private("U0ALICE", "This channel follows *Search*, high urgency, P1 or P2")
    await office.trigger("Not so bad", "PSVCSEA", priority="P3")
    worst = await office.trigger("No results", "PSVCSEA", priority="P1")
    message = await general.expect_message("No results")
    await message.press("Acknowledge", by="U0ALICE")
    await message.expect("Acknowledged", "Alice Anderson")
    assert office.truth(worst).status == "acknowledged"
    assert general.about("Not so bad") == []
    office.pagerduty.act(office.find("Not so bad").id, "priority", by="PBOB002", value="PPRIO01")
    await general.expect_message("Not so bad")


async def test_several_rules_never_post_twice(office: Office) -> None:
    await office.carol.asks("subscribe team payments", office.checkout, "team *")
    await office.carol.asks("subscribe all high", office.checkout, "every service")
    await office.carol.asks("subscribe checkout", office.checkout, "already follows")
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    await office.trigger("No results", "PSVCSEA")
    await office.checkout.expect_message("No results")
    assert len(office.checkout.messages()) == 2


async def test_followed_and_no_longer(office: Office) -> None:
    await office.alice.asks("subscriptions", office.search, "follows nothing yet")
    await office.trigger("No results", "PSVCSEA")
    told = await office.alice.asks("subscribe search", office.search, "1 open incident appears now")
    message = await office.search.expect_message("No results")
    listed = await office.bob.asks("subscriptions", office.search, "Search")
    assert "set up by <@U0ALICE>" in listed.words
    await told.press("Unsubscribe", by="U0ALICE")
    gone = await office.search.expect_private("U0ALICE", "no longer follows")
    second = await office.trigger("Slow results", "PSVCSEA")
    await settled(office)
    office.pagerduty.act(office.find("No results").id, "resolve", by="PBOB002")
    await message.expect("Resolved")  # what is there stays true
    assert office.search.about("Slow results") == []
    await gone.press("Subscribe again", by="U0ALICE")
    await gone.expect("This channel follows")
    assert office.search.about("Slow results") == []  # again as it was: only new ones
    office.pagerduty.act(second.id, "priority", by="PBOB002", value="PPRIO01")
    await office.alice.asks("unsubscribe serch", office.search, "no longer follows")
    await office.alice.asks("unsubscribe search", office.search, "nothing to stop")
    await office.alice.asks("subscribe serch", office.place("C0INCID"), "This channel follows *Search")
    direct = office.slack.workspace.direct_messages("U0ALICE").id
    await office.alice.asks("subscribe search", office.place(direct), "in channels")


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [("Only new ones", 0), ("P1 and high urgency (2)", 2), ("All 23", 23)],
)
async def test_before_a_flood_it_asks(office: Office, answer: str, wanted: int) -> None:
    office.pagerduty.webhooks.set_mode("drop")
    office.pagerduty.storm(21, ["PSVCMET"])
    office.pagerduty.trigger("PSVCMET", "Worst of all", urgency="high")
    office.pagerduty.trigger("PSVCMET", "First rank", priority="P1")
    office.pagerduty.webhooks.set_mode("deliver")
    question = await office.alice.asks("subscribe metriques", office.incidents, "23 incidents")
    assert question.buttons == ["Only new ones", "P1 and high urgency (2)", "All 23"]
    assert "Nothing is subscribed until you choose" in question.words
    await question.press(answer, by="U0ALICE")
    await question.expect("This channel follows")
    await office.trigger("And another", "PSVCMET")
    await office.incidents.expect_message("And another")

    def shown() -> int:
        """Each in a message of its own, or, where there are many, a line on a page."""
        numbers = [one.number for one in office.pagerduty.state.incidents.values()]
        return sum(bool(office.incidents.about(f"#{number}")) for number in numbers)

    await until(lambda: shown() == wanted + 1, lambda: f"{shown()} are shown")
