"""PagerDuty down, limiting, slow, or gone in the middle of an answer: clear words, and no click lost."""

from __future__ import annotations

from tests.stories.office import Office, settled
from tests.stories.slack_eyes import Seen


async def calm(office: Office, title: str = "Disk full") -> tuple[str, Seen]:
    """An incident whose message knows everything."""
    incident = await office.trigger(title)
    message = await office.checkout.expect_message(title)
    await message.expect("level 1 of 3")
    return incident.id, message


async def test_down_it_is_said_and_tried_again_with_one_press(office: Office) -> None:
    ident, message = await calm(office)
    office.pagerduty.outage("down")
    told = await message.answers(
        "Acknowledge", "U0ALICE", "PagerDuty does not answer right now. Nothing was done"
    )
    assert told.buttons == ["Try again"]
    office.pagerduty.outage("off")
    await told.press("Try again", by="U0ALICE")
    await message.expect("Acknowledged", "Alice Anderson")
    assert office.pagerduty.state.incidents[ident].status == "acknowledged"
    assert len([one for one in office.pagerduty.state.incidents[ident].log if one.type == "acknowledge"]) == 1


async def test_limited_it_is_said_for_how_long(office: Office) -> None:
    _, message = await calm(office)
    office.pagerduty.outage("limited")
    told = await message.answers("Resolve", "U0BOB", "PagerDuty is limiting how much I may ask")
    assert "Nothing was done. Try again in" in told.words
    office.pagerduty.outage("off")


async def test_slow_it_says_working_after_a_second_and_then_the_answer(office: Office) -> None:
    _, message = await calm(office)
    office.pagerduty.outage("slow", paths=["/incidents"], methods=["PUT"], seconds=1.6, count=1)
    await message.press("Acknowledge", by="U0ALICE")
    await office.checkout.expect_private("U0ALICE", "Working on it")
    await message.expect("Acknowledged", "Alice Anderson")
    await office.checkout.expect_private("U0ALICE", "Acknowledged")
    page = await office.alice.asks("list", office.checkout, "Disk full")
    assert "Working" not in page.words


async def test_a_lost_answer_is_looked_up_and_nothing_is_done_twice(office: Office) -> None:
    ident, message = await calm(office)
    for methods in (["PUT"], ["POST"]):
        office.pagerduty.outage("drop_after", paths=["/incidents"], methods=methods, count=1)
    await message.press("Escalate", by="U0ALICE")
    await message.expect("level 2 of 3")
    await office.bob.types(f"note {ident} Looking", office.checkout)
    await office.checkout.expect_private("U0BOB", "ote")
    truth = office.pagerduty.state.incidents[ident]
    assert sum(one.type == "escalate" for one in truth.log) == 1
    assert [one.content for one in truth.notes] == ["Looking"]


async def test_messages_come_all_the_same_and_learn_the_rest_later(office: Office) -> None:
    office.pagerduty.outage("down")
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("Triggered", "Alice Anderson")
    assert "level" not in message.words
    office.pagerduty.outage("off")
    await message.expect("level 1 of 3")


async def test_refused_by_pagerduty_it_names_role_and_scope(office: Office) -> None:
    _, message = await calm(office)
    office.pagerduty.outage("error", paths=["/incidents"], methods=["PUT"], status=403, code=2010, count=1)
    told = await message.answers("Resolve", "U0BOB", "PagerDuty does not let you do that")
    assert "incidents.write" in told.words
    office.pagerduty.outage("error", paths=["/incidents"], methods=["PUT"], status=401, code=2006, count=1)
    await message.answers("Resolve", "U0BOB", "does not accept my credentials")
    await message.press("Resolve", by="U0BOB")
    await message.expect("Resolved")
    await settled(office)
