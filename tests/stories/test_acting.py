"""Acting on incidents: several at once, whatever they have become meanwhile, by whatever they are called."""

from __future__ import annotations

import asyncio

from bot.sandbox.pagerduty.state import Incident
from tests.stories.office import Office
from tests.stories.waiting import until


def writes(office: Office, method: str = "PUT") -> list[str]:
    """The writes PagerDuty got, by path."""
    return [one.path for one in office.pagerduty.journal if one.direction == "in" and one.method == method]


async def three(office: Office) -> list[Incident]:
    """Three incidents, each with its message."""
    made = [await office.trigger(title) for title in ("Disk full", "Queue stuck", "Cards fail")]
    for incident in made:
        await office.checkout.expect_message(incident.title)
    return made


async def test_several_at_once_each_told_by_itself(office: Office) -> None:
    disk, queue, cards = await three(office)
    office.pagerduty.act(queue.id, "resolve", by="PBOB002")
    office.pagerduty.act(cards.id, "acknowledge", by="PBOB002")
    office.pagerduty.webhooks.set_mode("hold")
    line = f"ack {disk.number}, #{queue.number} {cards.id} 99999"
    told = await office.alice.asks(line, office.checkout, "Acknowledged")
    assert f"Acknowledged <https://acme.pagerduty.com/incidents/{disk.id}|#{disk.number}" in told.words
    assert "is resolved already, so I left it alone" in told.words
    assert "was already acknowledged, by *Bob Brown*" in told.words
    assert "99999” is no incident I can find" in told.words
    assert [office.truth(one).status for one in (disk, queue, cards)] == [
        "acknowledged",
        "resolved",
        "acknowledged",
    ]
    assert writes(office) == ["/incidents"]


async def test_refused_together_they_are_tried_one_by_one(office: Office) -> None:
    disk, queue, cards = await three(office)
    office.pagerduty.outage("error", paths=["/incidents"], methods=["PUT"], status=400, code=2001, count=2)
    line = f"resolve {disk.number} {queue.number} {cards.number}"
    told = await office.bob.asks(line, office.checkout, "Resolved")
    assert "Resolved* 2 of 3 incidents" in told.words
    assert "PagerDuty refused" in told.words
    assert len(writes(office)) == 4
    left = [one for one in (disk, queue, cards) if office.truth(one).status == "triggered"]
    assert len(left) == 1
    await office.bob.asks(f"resolve {left[0].number}", office.checkout, f"Resolved #{left[0].number}")
    for one in (disk, queue, cards):
        message = await office.checkout.expect_message(one.title)
        await message.expect("Resolved", "Bob Brown", buttons=[])


async def test_resolved_in_the_moment_between_reading_and_acknowledging(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    office.pagerduty.outage("slow", paths=["/incidents"], methods=["PUT"], seconds=0.4)
    office.pagerduty.webhooks.set_mode("hold")
    seen = len(office.pagerduty.journal)
    await office.alice.types(f"ack {incident.number}", office.checkout)
    await until(
        lambda: any(one.path.endswith(str(incident.number)) for one in office.pagerduty.journal[seen:]),
        "it was not read first",
    )
    office.pagerduty.act(incident.id, "resolve", by="PBOB002")
    await until(lambda: office.truth(incident).status == "acknowledged", "it was not acknowledged")
    office.pagerduty.webhooks.release()
    told = await office.checkout.expect_private("U0ALICE", "*reopened* it")
    await message.expect("Acknowledged")
    assert office.truth(incident).status == "acknowledged"
    await told.press("Resolve", by="U0ALICE")
    await message.expect("Resolved", "Alice Anderson", buttons=[])


async def test_it_may_be_called_anything_that_is_its_name(office: Office) -> None:
    disk, queue, cards = await three(office)
    address = f"https://acme.pagerduty.com/incidents/{disk.id}"
    await office.alice.asks(f"show {address}", office.checkout, "Disk full")
    await office.alice.asks(f"ack #{queue.number}", office.checkout, f"Acknowledged #{queue.number}")
    await office.alice.asks(f"ack {cards.id.lower()}", office.checkout, f"Acknowledged #{cards.number}")
    await office.alice.asks(f"note {disk.number} “It is the & <log> disk”", office.checkout, "Note added")
    assert office.truth(disk).notes[0].content == "It is the & <log> disk"
    shown = await office.bob.asks(f"show #{disk.number}", office.checkout, "Disk full")
    assert "It is the &amp; &lt;log&gt; disk" in shown.words
    notes = await office.bob.asks(f"notes {disk.number}", office.checkout, "Notes on")
    assert "Alice Anderson" in notes.words
    await shown.press("Acknowledge", by="U0BOB")
    await until(lambda: office.truth(disk).status == "acknowledged", "the card's button did nothing")


async def test_left_out_it_is_the_one_here_or_a_question(office: Office) -> None:
    await office.alice.asks("ack", office.checkout, "No incident is open here")
    disk = await office.trigger("Disk full")
    await office.checkout.expect_message("Disk full")
    await office.alice.asks("ack", office.checkout, f"Acknowledged #{disk.number}")
    queue = await office.trigger("Queue stuck")
    await office.checkout.expect_message("Queue stuck")
    question = await office.bob.asks("resolve", office.checkout, "Which one do you want to resolve?")
    choice = next(one.label for one in question.controls if "Queue stuck" in one.label)
    await question.press(choice, by="U0BOB")
    await until(lambda: office.truth(queue).status == "resolved", "the choice did nothing")
    assert office.truth(disk).status == "acknowledged"


async def test_more_lists_every_verb_and_each_works(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")

    async def chosen(label: str) -> None:
        await office.alice.closes_view()
        await message.press("More…", by="U0ALICE")
        await office.alice.presses_in_view(label)

    await message.press("More…", by="U0ALICE")
    assert await office.alice.view_labels() == [
        "Acknowledge",
        "Resolve",
        "Escalate",
        "Add note",
        "Who's on call",
    ]
    await chosen("Add note")
    await office.alice.fills(text="From the list")
    await chosen("Who's on call")
    await office.alice.sees("On call for")
    await chosen("Escalate")
    await office.alice.sees("level 2 of 3")
    await message.expect("level 2 of 3", "Bob Brown")
    await chosen("Acknowledge")
    await office.alice.sees("Acknowledged")
    await message.expect("Acknowledged")
    await chosen("Resolve")
    await office.alice.sees("Resolved")
    assert [one.content for one in office.truth(incident).notes] == ["From the list"]
    assert office.truth(incident).status == "resolved"


async def test_escalating_is_never_done_twice_by_accident(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await office.alice.asks(f"escalate {incident.number}", office.checkout, "level 2 of 3")
    question = await office.carol.asks(f"escalate {incident.number}", office.checkout, "so I ask first")
    assert office.truth(incident).level == 2
    await asyncio.gather(*(question.press(question.buttons[0], by="U0CAROL") for _ in range(2)))
    await message.expect("Carol Chen", "level 3 of 3")
    await office.bob.asks(f"escalate {incident.number} 2", office.checkout, "past level 2")
    await office.bob.asks(f"escalate {incident.number}", office.checkout, "last level of its policy")
    low = await office.trigger("Slow graphs", "PSVCMET")
    await office.bob.asks(f"escalate {low.number}", office.checkout, "does not escalate low-urgency")
    assert sum(entry.type == "escalate" for entry in office.truth(incident).log) == 2

    def loud() -> list[str]:
        return [one.text for one in office.slack.messages("C0CHECK") if one.is_reply and one.broadcast]

    await until(lambda: len(loud()) == 2, lambda: f"not both are said to the channel: {loud()}")
